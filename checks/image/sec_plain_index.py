"""Packages come over an encrypted connection.

Looks at
    Package indexes and pages of links that begin with http://, and --trusted-host.  This machine's own are left out.
Why it matters
    Whoever is on the way can put another package in its place, and setup.py runs in the build.
Example
    before   image.pip_install("torch", index_url="http://mirror.example.com/simple")
    after    image.pip_install("torch", index_url="https://mirror.example.com/simple")
Source
    pip's own documentation: pip install, --trusted-host.
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    PipInstall,
    Recipe,
    argument_where,
    counted,
    over_images,
    package_where,
    rule,
    warning,
)

PLAIN = re.compile(r"http://(?!localhost\b|127\.|\[::1\])")
KEYWORDS = ("index_url", "extra_index_url", "find_links")


def applies(recipe: Recipe) -> str:
    return counted(sum(1 for i in recipe.images for _ in i.pip_installs()), "pip step")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        said = _said(install)
        if said:
            step = image.steps[n]
            keyword = next((k for k in KEYWORDS if PLAIN.search(str(step.kwargs.get(k)))), "extra_options")
            is_call = not step.shell
            yield warning(
                f"{said}: what pip gets can be changed on the way",
                "use an https:// address",
                argument_where(recipe, step, keyword) if is_call else package_where(step, install),
                why="a changed package runs its setup.py in the build, with the build's secrets",
            )


def _said(install: PipInstall) -> str:
    urls = [install.index_url or "", *install.extra_index_urls, *install.find_links]
    urls += [p.url for p in install.packages if p.url]
    plain = next((u for u in urls if PLAIN.match(u)), "")
    return plain or ("--trusted-host" if "--trusted-host" in install.options else "")


CHECK = rule(
    id="IMG853",
    name="sec-plain-index",
    title="packages come over an encrypted connection",
    find=find,
    applies=applies,
)
