"""The PyTorch index is given as an index.

Looks at
    `find_links=` and `-f` that name a folder of download.pytorch.org/whl.
Why it matters
    The folder holds no links to files, so pip finds nothing there and takes PyPI's torch, of another CUDA, without
    a message.
Example
    before   .pip_install("torch==2.2.2", find_links="https://download.pytorch.org/whl/cu121")
    after    .pip_install("torch==2.2.2", index_url="https://download.pytorch.org/whl/cu121")
How to fix
    Write `index_url=` (or `extra_index_url=`) in place of `find_links=`.
Source
    pip's --find-links; brain-go-brr-v2 f06dc41
"""

import re

from preflight.api import Findings, Recipe, app, facts, rule, warning
from preflight.rules.subjects import PIP_INSTALLS, Install

ROOT = re.compile(r"^https?://download\.pytorch\.org/whl(?:/(?:cu\d+|cpu|rocm[\d.]+|nightly/\w+))?/?$")


@rule("IMG320", PIP_INSTALLS.only(lambda i: i.pip.find_links, "install with a page of links"))
def find(recipe: Recipe, install: Install) -> Findings:
    pip, step = install.pip, install.step
    url = next((u for u in pip.find_links if ROOT.match(u)), None)
    if url is None:
        return
    is_hosted = all(p.name is not None and facts.is_on_pytorch_index(p.name) for p in pip.packages)
    keyword = "index_url" if is_hosted else "extra_index_url"
    span = step.kwarg_spans.get("find_links")
    yield warning(
        f"{url} is an index, and find_links finds nothing there",
        f"write {keyword}= in place of find_links=",
        app.argument_where(recipe, step, "find_links") if span is not None else pip.where,
        why="PyPI's torch is taken without a message, of another CUDA than was meant",
        fix=app.replace_span(recipe, step.where, span, "find_links", keyword, is_safe=True)
        if span is not None and keyword not in step.kwargs
        else None,
    )
