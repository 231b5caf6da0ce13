"""Packages come over an encrypted connection.

Looks at
    Package indexes and pages of links that begin with http://, and --trusted-host. Those of this machine are left
    out.
Why it matters
    Anybody between the index and the builder can replace a package, and setup.py runs in the build.
Example
    before   image.pip_install("torch", index_url="http://mirror.example.com/simple")
    after    image.pip_install("torch", index_url="https://mirror.example.com/simple")
How to fix
    Use the index's https:// address.
Source
    pip's own documentation: pip install, --trusted-host.
"""

import re

from preflight.api import Findings, Recipe, app, rule, warning
from preflight.rules.subjects import PIP_INSTALLS, Install

PLAIN = re.compile(r"http://(?!localhost\b|127\.|\[::1\])")
KEYWORDS = ("index_url", "extra_index_url", "find_links")


@rule("IMG853", PIP_INSTALLS)
def find(recipe: Recipe, install: Install) -> Findings:
    pip, step = install.pip, install.step
    urls = [*install.urls, *pip.find_links, *(p.url for p in pip.packages if p.url)]
    trusted = "--trusted-host" if "--trusted-host" in pip.options else ""
    source = next((u for u in urls if PLAIN.match(u)), trusted)
    if source:
        keyword = next((k for k in KEYWORDS if PLAIN.search(str(step.kwargs.get(k)))), "extra_options")
        yield warning(
            f"{source}: what pip gets can be changed on the way",
            "use an https:// address",
            install.where if step.shell else app.argument_where(recipe, step, keyword),
            why="a changed package runs its setup.py in the build, with the build's secrets",
        )
