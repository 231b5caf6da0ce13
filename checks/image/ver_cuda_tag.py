"""The tag of nvidia/cuda is one that can exist.

Looks at   tags of nvidia/cuda without a patch number, a flavour (base, runtime, devel) or a distribution, and
           `latest`, which is gone.
Why        the registry answers "manifest unknown", and the image build stops at its first line.
Before     from_registry("nvidia/cuda:12.4-devel-ubuntu22.04")
After      from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04")
Source     NVIDIA's container-images repository: supported and unsupported tags
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    argument_where,
    base_of,
    counted,
    error,
    over_images,
    rule,
    warning,
)


def applies(recipe: Recipe) -> str:
    return counted(sum((b := base_of(i)) is not None and b.cuda_tag is not None for i in recipe.images), "CUDA base")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is None or base.cuda_tag is None or not base.cuda_tag.problem:
        return
    is_old = base.cuda_tag.version.split(".")[0] in ("9", "10", "11")  # their tags were less regular
    say = warning if is_old else error
    yield say(
        f"{base.reference} {base.cuda_tag.problem}",
        "use a tag such as nvidia/cuda:12.4.1-devel-ubuntu22.04",
        argument_where(recipe, base.step, "tag", 0),
        why="the image build stops at its first line: manifest unknown",
    )


CHECK = rule(
    id="IMG420",
    name="ver-cuda-tag",
    title="the tag of nvidia/cuda is one that was published",
    find=find,
    applies=applies,
)
