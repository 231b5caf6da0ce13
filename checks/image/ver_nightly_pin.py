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

from preflight.api import Context, Finding, Image, Recipe, counted, over_images, rule, warning

DATED = re.compile(r"\.?dev20\d{6}")


def applies(recipe: Recipe) -> str:
    return counted(sum(len(s.packages) > 0 for i in recipe.images for _, s in i.pip_installs()), "pip install")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        dated = [p.written for p in install.packages if DATED.search(p.specifier) or DATED.search(p.url or "")]
        urls = [u for u in (install.index_url or "", *install.extra_index_urls, *install.find_links) if "/nightly" in u]
        if dated or urls:
            yield warning(
                f"{', '.join(dated or urls)} is a nightly build",
                "pin a release",
                image.steps[n].where,
                why="dated nightlies are deleted, undated ones change every day: the image can't be built again",
            )


CHECK = rule(
    id="IMG390",
    name="ver-nightly-pin",
    title="nothing rests on a nightly build",
    find=find,
    applies=applies,
)
