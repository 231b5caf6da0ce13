"""The Image Builder has the Python that is asked for.

Looks at
    `python_version=` of debian_slim and micromamba, and `add_python=` of from_registry, against the builder's list;
    without a known builder, against the lists of all builders.
Why it matters
    The client accepts any version; the image build refuses it. 3.8 and 3.9 are on no builder, 3.10 is not on
    2026.10.
Example
    before   modal.Image.debian_slim(python_version="3.8")
    after    modal.Image.debian_slim(python_version="3.11")
How to fix
    Use a Python that the message lists.
Source
    modal/_image.py 1.6.4, SUPPORTED_PYTHON_SERIES
"""

import re

from preflight.api import Context, Findings, Recipe, app, error, facts, rule
from preflight.rules.subjects import NAMING_PYTHON, Started

SERIES = re.compile(r"(\d+\.\d+)(?:\.\d+)?t?")
SAFE = "3.11"  # on every builder from 2023.12 to 2026.10


@rule("IMG350", NAMING_PYTHON, asks_builder=True)
def find(recipe: Recipe, started: Started, context: Context) -> Findings:
    base = started.base
    found = SERIES.fullmatch(base.python or "")
    row = facts.builder(context.builder) if context.builder else None
    lists = [row] if row else list(facts.builders())
    if found is None or any(found[1] in b.pythons for b in lists):
        return
    answer = f"Image Builder {row.version} has no" if row else "no Image Builder has"
    keyword, position = base.asks_python, 1 if base.adds_python else 0
    span = base.step.kwarg_spans.get(keyword)
    yield error(
        f"{keyword}={base.python!r}: {answer} Python {found[1]}; it goes from {lists[0].pythons[0]} "
        f"to {lists[-1].pythons[-1]}",
        f'use {keyword}="{SAFE}"',
        app.argument_where(recipe, base.step, keyword, position),
        why="the image is refused before its first step",
        fix=app.replace_span(recipe, base.step.where, span, base.python or "", SAFE, is_safe=False),
    )
