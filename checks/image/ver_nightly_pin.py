"""Nothing depends on a nightly build.

Looks at
    Pins such as `torch==2.9.0.dev20250801`, and installs from …/whl/nightly/….
Why it matters
    Dated nightlies are deleted after some weeks: the image can't be built again. Without a date, every build gets
    another torch.
Example
    before   .pip_install("torch", pre=True, index_url="https://download.pytorch.org/whl/nightly/cu128")
    after    .pip_install("torch==2.9.1", index_url="https://download.pytorch.org/whl/cu128")
How to fix
    Pin a release.
Source
    The PyTorch nightly index
"""

import re

from preflight.api import Findings, Recipe, app, rule, warning
from preflight.rules.subjects import PIP_INSTALLS, Install

DATED = re.compile(r"\.?dev20\d{6}")
KEYWORDS = ("index_url", "extra_index_url", "find_links")


@rule("IMG390", PIP_INSTALLS.only(lambda i: i.pip.packages))
def find(recipe: Recipe, install: Install) -> Findings:
    pip, step = install.pip, install.step
    dated = [p for p in pip.packages if DATED.search(p.specifier) or DATED.search(p.url or "")]
    urls = [u for u in (*install.urls, *pip.find_links) if "/nightly" in u]
    if dated or urls:
        keyword = next((k for k in KEYWORDS if "nightly" in str(step.kwargs.get(k))), "")
        index = app.argument_where(recipe, step, keyword) if keyword else install.where
        builds = [p.written for p in dated] or urls
        yield warning(
            f"{', '.join(builds)} {'is a nightly build' if len(builds) == 1 else 'are nightly builds'}",
            "pin a release",
            app.package_where(step, pip, dated[0]) if dated else index,
            why="dated nightlies are deleted, undated ones change every day: the image can't be built again",
        )
