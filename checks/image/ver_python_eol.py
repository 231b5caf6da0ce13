"""The image's Python is not at its end on Modal.

Looks at
    `python_version=` and `add_python=` of 3.10.
Why it matters
    Since 2026-11-04 the client warns about Python 3.10, client 1.7 will not deploy it, and builder 2026.10 has
    none.
Example
    before   modal.Image.debian_slim(python_version="3.10")
    after    modal.Image.debian_slim(python_version="3.11")
How to fix
    Use Python 3.11, and the wheels of that Python.
Source
    modal/_image.py 1.6.4; release notes of the Modal client
"""

from preflight.api import Context, Findings, Recipe, app, build, facts, rule, warning
from preflight.rules.subjects import NAMING_PYTHON, Started

END, NEXT = "3.10", "3.11"


@rule("IMG360", NAMING_PYTHON, asks_builder=True)
def find(recipe: Recipe, started: Started, context: Context) -> Findings:
    base = started.base
    row = facts.builder(context.builder) if context.builder else None
    if build.python_of(started.image) != END or base.python is None or (row is not None and END not in row.pythons):
        return  # what the builder does not have is the finding of ver-python-unsupported
    keyword, position = base.asks_python, 1 if base.adds_python else 0
    span = base.step.kwarg_spans.get(keyword)
    yield warning(
        f'{keyword}="{base.python}": Modal warns about Python {END} since 2026-11-04; client 1.7 will not deploy it',
        f'use {keyword}="{NEXT}", and the wheels of that Python',
        app.argument_where(recipe, base.step, keyword, position),
        why="the next client or builder refuses the image",
        fix=app.replace_span(recipe, base.step.where, span, base.python, NEXT, is_safe=False),
    )
