"""The base's CUDA is not newer than the driver of Modal's hosts.

Looks at   the CUDA version in the tag of the base, against CUDA 13.0, which driver 580.95.05 of the hosts has.
Why        minor versions mostly get along; PTX of a newer toolkit does not ("the provided PTX was compiled with an
           unsupported toolchain").
Before     from_registry("nvidia/cuda:13.3.0-devel-ubuntu24.04", …)
After      from_registry("nvidia/cuda:13.0.0-devel-ubuntu24.04", …)
Source     modal.com/docs/guide/cuda, 2026-08-22
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
    limit,
    over_images,
    rule,
    version_number,
    warning,
)


def applies(recipe: Recipe) -> str:
    return counted(
        sum((b := base_of(i)) is not None and b.cuda is not None for i in recipe.images),
        "base with a CUDA version",
        "bases with a CUDA version",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is not None and base.cuda is not None:
        host = limit("host_cuda")
        if version_number(base.cuda) > version_number(str(host.most)):
            yield warning(
                f"{base.reference} has CUDA {base.cuda}; Modal's hosts have CUDA {host.most} (read {host.seen})",
                f"take a base of CUDA {host.most} or older",
                argument_where(recipe, base.step, "tag", 0),
                why="code compiled with a newer toolkit may not load under the hosts' driver",
            )


CHECK = rule(
    id="IMG200",
    name="tool-cuda-newer-than-host",
    title="the toolkit is not newer than the driver of the hosts",
    find=find,
    applies=applies,
)
