"""The base image's tag always means the same image.

Looks at
    The tag of `from_registry`: none, `latest`, `nightly` and the like, without a digest.
Why it matters
    Modal caches what the tag meant on the first build. Elsewhere, or after force_build, it is another image.
Example
    before   modal.Image.from_registry("vllm/vllm-openai:latest")
    after    modal.Image.from_registry("vllm/vllm-openai:v0.11.0")   # or …@sha256:…
How to fix
    Name a version, or the digest (`…@sha256:…`).
Source
    modal.com/docs/guide/existing-images.
"""

import re

from preflight.api import Findings, Link, Recipe, app, build, rule, warning
from preflight.rules.subjects import LINKS

MOVES = re.compile(r"^(?:main|master|edge|dev|develop|stable)$|(?:^|[-_.])(?:latest|nightly)(?:[-_.]|$)")
FROM_REGISTRY = LINKS.only(lambda k: k.n == 0 and k.step.method == "from_registry", "registry base")


@rule("IMG820", FROM_REGISTRY)
def find(recipe: Recipe, link: Link) -> Findings:
    tag = build.tag_of(link.image) or ""
    version = tag.rsplit("/", 1)[-1].partition(":")[2]
    if tag and "@sha256:" not in tag and (not version or MOVES.search(version)):
        yield warning(
            f"the base {tag} " + (f"has the moving tag {version!r}" if version else "has no tag: it means latest"),
            "name a version, or the digest (…@sha256:…)",
            app.argument_where(recipe, link.step, "tag", 0),
            why="the cached layer and the next full build are different images",
        )
