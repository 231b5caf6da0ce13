"""The Image Builder has the Python that the image asks for.

Looks at   `python_version=` of debian_slim and micromamba, and `add_python=` of from_registry, against the builder's
           list; without a known builder, against the lists of all builders.
Why        the client takes any version; the image build refuses it.  3.8 and 3.9 are on no builder, 3.10 is not on
           2026.10.
Before     modal.Image.debian_slim(python_version="3.8")
After      modal.Image.debian_slim(python_version="3.11")
Source     modal/_image.py 1.6.4, SUPPORTED_PYTHON_SERIES
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    argument_where,
    base_of,
    builder,
    builders,
    counted,
    error,
    over_images,
    replace_span,
    rule,
)

SERIES = re.compile(r"(\d+\.\d+)(?:\.\d+)?t?")
SAFE = "3.11"  # on every builder from 2023.12 to 2026.10


def applies(recipe: Recipe) -> str:
    n = sum((b := base_of(i)) is not None and b.python is not None for i in recipe.images)
    return counted(n, "image that names its Python", "images that name their Python")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is None or base.python is None or not base.asks_python:
        return
    found = SERIES.fullmatch(base.python)
    row = builder(context.builder) if context.builder else None
    lists = [row] if row else list(builders())
    if found is None or any(found[1] in b.pythons for b in lists):
        return
    whom = f"Image Builder {row.version}" if row else "no Image Builder"
    has = f"has no Python {found[1]}" if row else f"has Python {found[1]}"
    keyword = base.asks_python
    span = base.step.kwarg_spans.get(keyword)
    yield error(
        f"{keyword}={base.python!r}: {whom} {has}; it goes from {lists[0].pythons[0]} to {lists[-1].pythons[-1]}",
        f'use {keyword}="{SAFE}"',
        argument_where(recipe, base.step, keyword, 1 if base.adds_python else 0),
        why="the image is refused before its first step",
        fix=replace_span(recipe, base.step.where, span, base.python, SAFE, is_safe=False),
    )


CHECK = rule(
    id="IMG350",
    name="ver-python-unsupported",
    title="the Image Builder has the Python that is asked for",
    find=find,
    applies=applies,
    asks_builder=True,
)
