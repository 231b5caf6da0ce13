"""The toolkit is not newer than the driver of the hosts.

Looks at
    The CUDA version in the tag of the base, against the CUDA of the driver on Modal's hosts (`preflight facts`).
Why it matters
    Minor versions are mostly compatible; PTX of a newer toolkit is not ("the provided PTX was compiled with an
    unsupported toolchain").
Example
    before   from_registry("nvidia/cuda:13.3.0-devel-ubuntu24.04", …)
    after    from_registry("nvidia/cuda:13.0.0-devel-ubuntu24.04", …)
How to fix
    Take a base whose CUDA is not newer than that of the hosts.
Source
    modal.com/docs/guide/cuda, 2026-08-22
"""

from preflight.api import Findings, Recipe, app, facts, rule, warning
from preflight.rules.subjects import BASES, Started


@rule("IMG200", BASES.only(lambda i: i.base.cuda, "base with a CUDA version"))
def find(recipe: Recipe, started: Started) -> Findings:
    base, host = started.base, facts.limit("host_cuda")
    if base.cuda is not None and facts.version_number(base.cuda) > facts.version_number(str(host.most)):
        yield warning(
            f"{base.reference} has CUDA {base.cuda}; Modal's hosts have CUDA {host.most} (read {host.seen})",
            f"take a base of CUDA {host.most} or older",
            app.argument_where(recipe, base.step, "tag", 0),
            why="code compiled with a newer toolkit may not load under the hosts' driver",
        )
