"""PyG's page of wheels is that of the image's torch.

Looks at
    data.pyg.org/whl/torch-X.Y.Z+cuNNN.html against the pinned torch.  The page of X.Y.0 serves all X.Y.
Why it matters
    Wheels of another torch install and then fail at import with "undefined symbol".
Example
    before   .pip_install("torch==2.5.1") … find_links="https://data.pyg.org/whl/torch-2.4.0+cu121.html"
    after    .pip_install("torch==2.5.1") … find_links="https://data.pyg.org/whl/torch-2.5.0+cu124.html"
How to fix
    Use the page that the message names.
Source
    The installation page of PyG
"""

import re

from preflight.api import Findings, Recipe, app, build, error, facts, rule
from preflight.rules.subjects import PIP_INSTALLS, Install

PAGE = re.compile(r"data\.pyg\.org/whl/torch-(\d+\.\d+)(?:\.\d+)?(?:\+|%2B)(cu\d+|cpu)")


@rule("IMG520", PIP_INSTALLS.only(lambda i: any("data.pyg.org" in u for u in i.pip.find_links), "page of PyG wheels"))
def find(recipe: Recipe, install: Install) -> Findings:
    step, torch = install.step, build.torch_with(install.image, install.n, install.pip)
    found = next((m for u in install.pip.find_links if (m := PAGE.search(u))), None)
    if found is None or torch.version is None or torch.held not in (build.Held.PINNED, build.Held.BASE):
        return
    page_cuda = facts.cuda_dotted(found[2])
    has = torch.cuda or page_cuda
    if found[1] != facts.minor(torch.version) or page_cuda.split(".")[0] != has.split(".")[0]:
        tag = "cpu" if has == "cpu" else "cu" + has.replace(".", "")
        yield error(
            f"the page of torch {found[1]}, CUDA {page_cuda}; the image has torch {torch.version}, CUDA {has}",
            f"use torch-{facts.minor(torch.version)}.0+{tag}.html",
            install.where if step.shell else app.argument_where(recipe, step, "find_links"),
            why="the import fails with: undefined symbol",
        )
