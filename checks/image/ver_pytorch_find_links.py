"""The PyTorch index is given as an index, not as a page of links.

Looks at   `find_links=` and `-f` that name a folder of download.pytorch.org/whl.
Why        the folder holds no links to files, so nothing is found there, and PyPI's torch, of another CUDA, is taken
           without a word.
Before     .pip_install("torch==2.2.2", find_links="https://download.pytorch.org/whl/cu121")
After      .pip_install("torch==2.2.2", index_url="https://download.pytorch.org/whl/cu121")
Source     pip's --find-links; brain-go-brr-v2 f06dc41
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    argument_where,
    counted,
    is_on_pytorch_index,
    over_images,
    replace_span,
    rule,
    warning,
)

ROOT = re.compile(r"^https?://download\.pytorch\.org/whl(?:/(?:cu\d+|cpu|rocm[\d.]+|nightly/\w+))?/?$")


def applies(recipe: Recipe) -> str:
    return counted(
        sum(bool(s.find_links) for i in recipe.images for _, s in i.pip_installs()),
        "install with a page of links",
        "installs with a page of links",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        url = next((u for u in install.find_links if ROOT.match(u)), None)
        if url is None:
            continue
        step = image.steps[n]
        hosted = all(p.name is not None and is_on_pytorch_index(p.name) for p in install.packages)
        keyword = "index_url" if hosted else "extra_index_url"
        span = step.kwarg_spans.get("find_links")
        yield warning(
            f"{url} is an index, and find_links finds nothing there",
            f"write {keyword}= in place of find_links=",
            argument_where(recipe, step, "find_links") if span is not None else install.where,
            why="PyPI's torch is taken without a word, of another CUDA than was meant",
            fix=replace_span(recipe, step.where, span, "find_links", keyword, is_safe=True)
            if span is not None and keyword not in step.kwargs
            else None,
        )


CHECK = rule(
    id="IMG320",
    name="ver-pytorch-find-links",
    title="the PyTorch index is given as an index",
    find=find,
    applies=applies,
)
