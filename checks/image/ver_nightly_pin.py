"""Nothing rests on a nightly build.

Looks at   pins such as `torch==2.9.0.dev20250801`, and installs from …/whl/nightly/….
Why        dated nightlies are deleted after some weeks: the image can't be built again.  Without a date, every
           build gets another torch.
Before     .pip_install("torch", pre=True, index_url="https://download.pytorch.org/whl/nightly/cu128")
After      .pip_install("torch==2.9.1", index_url="https://download.pytorch.org/whl/cu128")
Source     the PyTorch nightly index
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    PipInstall,
    Recipe,
    Step,
    Where,
    argument_where,
    counted,
    over_images,
    package_where,
    rule,
    warning,
)

DATED = re.compile(r"\.?dev20\d{6}")


def applies(recipe: Recipe) -> str:
    return counted(sum(len(s.packages) > 0 for i in recipe.images for _, s in i.pip_installs()), "pip install")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        dated = [p for p in install.packages if DATED.search(p.specifier) or DATED.search(p.url or "")]
        urls = [u for u in (install.index_url or "", *install.extra_index_urls, *install.find_links) if "/nightly" in u]
        if dated or urls:
            yield warning(
                f"{', '.join([p.written for p in dated] or urls)} is a nightly build",
                "pin a release",
                package_where(image.steps[n], install, dated[0])
                if dated
                else _index_where(recipe, image.steps[n], install),
                why="dated nightlies are deleted, undated ones change every day: the image can't be built again",
            )


def _index_where(recipe: Recipe, step: Step, install: PipInstall) -> Where:
    keyword = next(
        (k for k in ("index_url", "extra_index_url", "find_links") if "nightly" in str(step.kwargs.get(k))), ""
    )
    return argument_where(recipe, step, keyword) if keyword else package_where(step, install)


CHECK = rule(
    id="IMG390",
    name="ver-nightly-pin",
    title="nothing rests on a nightly build",
    find=find,
    applies=applies,
)
