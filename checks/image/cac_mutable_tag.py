"""The base image's tag always means the same image.

Looks at
    The tag of `from_registry`: none, `latest`, `nightly` and the like, without a digest.
Why it matters
    Modal caches what the tag meant on the first build; elsewhere, or after force_build, it is another image.
Example
    before   modal.Image.from_registry("vllm/vllm-openai:latest")
    after    modal.Image.from_registry("vllm/vllm-openai:v0.11.0")   # or …@sha256:…
Source
    modal.com/docs/guide/existing-images.
"""

import re
from collections.abc import Iterator

from preflight.api import Context, Finding, Link, Recipe, argument_where, counted, image_links, rule, tag_of, warning

MOVES = re.compile(r"^(?:main|master|edge|dev|develop|stable)$|(?:^|[-_.])(?:latest|nightly)(?:[-_.]|$)")


def applies(recipe: Recipe) -> str:
    return counted(len(_bases(recipe)), "registry base")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for link in _bases(recipe):
        tag = tag_of(link.image) or ""
        name = tag.rsplit("/", 1)[-1]
        if not tag or "@sha256:" in tag:
            continue
        version = name.partition(":")[2]
        if not version or MOVES.search(version):
            yield warning(
                f"the base {tag} " + (f"has the moving tag {version!r}" if version else "has no tag: it means latest"),
                "name a version, or the digest (…@sha256:…)",
                argument_where(recipe, link.step, "tag", 0),
                why="the cached layer and the next full build are different images",
            )


def _bases(recipe: Recipe) -> list[Link]:
    return [k for k in image_links(recipe) if k.n == 0 and k.step.method == "from_registry"]


CHECK = rule(
    id="IMG820",
    name="cac-mutable-tag",
    title="the base image's tag always means the same image",
    find=find,
    applies=applies,
)
