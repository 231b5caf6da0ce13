"""PyG's page of wheels is the one of the image's torch.

Looks at   data.pyg.org/whl/torch-X.Y.Z+cuNNN.html against the pinned torch.  The page of X.Y.0 serves all X.Y.
Why        wheels of another torch install and then fail at import with "undefined symbol".
Before     .pip_install("torch==2.5.1") … find_links="https://data.pyg.org/whl/torch-2.4.0+cu121.html"
After      .pip_install("torch==2.5.1") … find_links="https://data.pyg.org/whl/torch-2.5.0+cu124.html"
Source     installation page of PyG
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Held,
    Image,
    Recipe,
    argument_where,
    counted,
    cuda_dotted,
    error,
    minor,
    over_images,
    package_where,
    rule,
    torch_with,
)

PAGE = re.compile(r"data\.pyg\.org/whl/torch-(\d+\.\d+)(?:\.\d+)?(?:\+|%2B)(cu\d+|cpu)")


def applies(recipe: Recipe) -> str:
    return counted(
        sum("data.pyg.org" in u for i in recipe.images for _, s in i.pip_installs() for u in s.find_links),
        "page of PyG wheels",
        "pages of PyG wheels",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        step = image.steps[n]
        found = next((m for u in install.find_links if (m := PAGE.search(u))), None)
        torch = torch_with(image, n, install)
        if found is None or torch.version is None or torch.held not in (Held.PINNED, Held.BASE):
            continue
        page_cuda = cuda_dotted(found[2])
        has = torch.cuda or page_cuda
        wrong_torch = found[1] != minor(torch.version)
        wrong_cuda = page_cuda.split(".")[0] != has.split(".")[0]
        if wrong_torch or wrong_cuda:
            yield error(
                f"the page of torch {found[1]}, CUDA {page_cuda}; the image has torch {torch.version}, CUDA {has}",
                f"use torch-{minor(torch.version)}.0+{'cpu' if has == 'cpu' else 'cu' + has.replace('.', '')}.html",
                package_where(step, install) if step.shell else argument_where(recipe, step, "find_links"),
                why="the import fails with: undefined symbol",
            )


CHECK = rule(
    id="IMG520",
    name="whl-pyg-index-mismatch",
    title="PyG's page of wheels is that of the torch",
    find=find,
    applies=applies,
)
