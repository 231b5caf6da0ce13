"""The tag of nvidia/cuda is one that was published.

Looks at
    Tags of nvidia/cuda without a patch number, a flavour (base, runtime, devel) or a distribution, and `latest`,
    which is gone.
Why it matters
    The registry answers "manifest unknown", and the image build stops at its first line.
Example
    before   from_registry("nvidia/cuda:12.4-devel-ubuntu22.04")
    after    from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04")
How to fix
    Use a whole tag, such as `nvidia/cuda:12.4.1-devel-ubuntu22.04`.
Source
    NVIDIA's container-images repository: supported and unsupported tags
"""

from preflight.api import Findings, Recipe, app, error, rule, warning
from preflight.rules.subjects import BASES, Started


@rule("IMG420", BASES.only(lambda i: i.base.cuda_tag, "CUDA base"))
def find(recipe: Recipe, started: Started) -> Findings:
    base, tag = started.base, started.base.cuda_tag
    if tag is None or not tag.problem:
        return
    is_old = tag.version.split(".")[0] in ("9", "10", "11")  # their tags were less regular
    say = warning if is_old else error
    yield say(
        f"{base.reference} {tag.problem}",
        "use a tag such as nvidia/cuda:12.4.1-devel-ubuntu22.04",
        app.argument_where(recipe, base.step, "tag", 0),
        why="the image build stops at its first line: manifest unknown",
    )
