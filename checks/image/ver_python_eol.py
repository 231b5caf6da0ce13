"""The image's Python has a future on Modal.

Looks at   `python_version=` and `add_python=` of 3.10.
Why        since 2026-11-04 the client warns about Python 3.10, client 1.7 will not deploy it, and builder 2026.10
           has none.
Before     modal.Image.debian_slim(python_version="3.10")
After      modal.Image.debian_slim(python_version="3.11")
Source     modal/_image.py 1.6.4; release notes of the Modal client
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Recipe,
    argument_where,
    base_of,
    builder,
    counted,
    over_images,
    python_of,
    replace_span,
    rule,
    warning,
)


def applies(recipe: Recipe) -> str:
    return counted(
        sum(python_of(i) is not None for i in recipe.images),
        "image that names its Python",
        "images that name their Python",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is None or not base.asks_python or python_of(image) != "3.10" or base.python is None:
        return
    row = builder(context.builder) if context.builder else None
    if row is not None and "3.10" not in row.pythons:
        return  # ver-python-unsupported says it
    keyword = base.asks_python
    yield warning(
        f'{keyword}="{base.python}": Modal warns about Python 3.10 since 2026-11-04, and client 1.7 will not deploy it',
        f'use {keyword}="3.11", and the wheels of that Python',
        argument_where(recipe, base.step, keyword, 1 if base.adds_python else 0),
        why="the next client or builder refuses the image",
        fix=replace_span(
            recipe, base.step.where, base.step.kwarg_spans.get(keyword), base.python, "3.11", is_safe=False
        ),
    )


CHECK = rule(
    id="IMG360",
    name="ver-python-eol",
    title="the image's Python is not at its end on Modal",
    find=find,
    applies=applies,
    asks_builder=True,
)
