"""CUDA_HOME, PATH and LD_LIBRARY_PATH name the toolkit that is there.

Looks at   /usr/local/cuda-X.Y in `.env`, against the version in the tag of the nvidia/cuda base.
Why        the folder does not exist: nvcc is not found, or libraries of another version are.
Before     from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).env({"CUDA_HOME": "/usr/local/cuda-12.1"})
After      from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).env({"CUDA_HOME": "/usr/local/cuda"})
Source     Dockerfiles of nvidia/cuda
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    apt_before,
    base_of,
    counted,
    is_known_before,
    minor,
    over_images,
    replace_span,
    rule,
    warning,
    word_where,
)

FOLDER = re.compile(r"/usr/local/cuda-(\d+\.\d+)")


def applies(recipe: Recipe) -> str:
    return counted(
        sum(
            isinstance(v, str) and "/usr/local/cuda" in v
            for i in recipe.images
            for s in i.steps
            for v in s.env.values()
        ),
        "variable that names a CUDA folder",
        "variables that name a CUDA folder",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is None or base.cuda is None or not is_known_before(image, len(image.steps)):
        return
    has = minor(base.cuda)
    for n, step in enumerate(image.steps):
        if any(p.startswith("cuda") for p in apt_before(image, n)) or any("cuda" in c.text for c in step.shell):
            return
        for key, value in step.env.items():
            other = next((v for v in FOLDER.findall(value) if v != has), None) if isinstance(value, str) else None
            if key in ("CUDA_HOME", "CUDA_PATH", "PATH", "LD_LIBRARY_PATH") and other:
                yield warning(
                    f"{key} names /usr/local/cuda-{other}, and {base.reference} has CUDA {has}",
                    "use /usr/local/cuda, which is always the one that is there",
                    word_where(recipe, step, key),
                    why="nvcc or its libraries are not found when something compiles",
                    fix=replace_span(
                        recipe, step.where, step.link, f"/usr/local/cuda-{other}", "/usr/local/cuda", is_safe=True
                    ),
                )


CHECK = rule(
    id="IMG140",
    name="tool-cuda-home-mismatch",
    title="CUDA_HOME names the toolkit that is there",
    find=find,
    applies=applies,
)
