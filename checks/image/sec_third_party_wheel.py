"""Compiled wheels come from the project that wrote them.

Looks at   addresses of wheels with a torch tag on GitHub, in a repository that is not the extension's own.
Why        a binary of a private account runs with your data and your secrets, and it can be replaced at any time.
Before     .pip_install("https://github.com/someone/flash-attention-wheels/releases/…/flash_attn-….whl")
After      the project's own release page, or the same file with its hash: …whl#sha256=<digest>
Source     release pages of mamba, causal-conv1d, flash-attention
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    advice,
    counted,
    extension,
    over_images,
    package_where,
    rule,
    wheel_name,
)

OWNER = re.compile(r"^https?://(?:github\.com|raw\.githubusercontent\.com)/([^/]+/[^/]+)/")


def applies(recipe: Recipe) -> str:
    return counted(
        sum(bool(p.url and wheel_name(p.url)) for i in recipe.images for _, s in i.pip_installs() for p in s.packages),
        "wheel by its address",
        "wheels by their address",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        for package in install.packages:
            name = wheel_name(package.url) if package.url else None
            found = OWNER.match(package.url) if package.url else None
            if name is None or name.torch is None or found is None or "#sha256=" in (package.url or ""):
                continue
            row = extension(name.name)
            if row is not None and found[1].lower() not in {r.lower() for r in row.repos}:
                yield advice(
                    f"the wheel of {name.name} comes from {found[1]}, not from {row.repos[0]}",
                    "take the project's own file, or add #sha256=<digest> to the address",
                    package_where(image.steps[n], install, package),
                )


CHECK = rule(
    id="IMG530",
    name="sec-third-party-wheel",
    title="compiled wheels come from the project that wrote them",
    find=find,
    applies=applies,
)
