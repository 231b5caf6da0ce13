"""Compiled wheels come from the project that wrote them.

Looks at
    Addresses of wheels with a torch tag on GitHub, in a repository that is not the extension's own.
Why it matters
    A binary of a private account runs with your data and your secrets, and it can be replaced at any time.
Example
    before   .pip_install("https://github.com/someone/flash-attention-wheels/releases/…/flash_attn-….whl")
    after    the project's own release page, or the same file with its hash: …whl#sha256=<digest>
How to fix
    Take the project's own file, or add `#sha256=<digest>` to the address.
Source
    Release pages of mamba, causal-conv1d, flash-attention
"""

import re

from preflight.api import Findings, Recipe, advice, facts, rule
from preflight.rules.subjects import WHEELS, Package

OWNER = re.compile(r"^https?://(?:github\.com|raw\.githubusercontent\.com)/([^/]+/[^/]+)/")


@rule("IMG530", WHEELS)
def find(recipe: Recipe, package: Package) -> Findings:
    url, wheel = package.package.url or "", package.wheel
    owner = OWNER.match(url)
    row = facts.extension(wheel.name) if wheel is not None and wheel.torch is not None else None
    if owner is None or row is None or "#sha256=" in url or owner[1].lower() in {r.lower() for r in row.repos}:
        return
    yield advice(
        f"the wheel of {row.name} comes from {owner[1]}, not from {row.repos[0]}",
        "take the project's own file, or add #sha256=<digest> to the address",
        package.where,
    )
