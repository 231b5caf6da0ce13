"""The Python version is a string of two numbers.

Looks at   `python_version=3.11` (a number: TypeError; and 3.10 is 3.1), and `add_python="3.11.5"` (InvalidError).
Why        the client refuses the file, or asks for Python 3.1.
Before     modal.Image.debian_slim(python_version=3.11)
After      modal.Image.debian_slim(python_version="3.11")
Source     modal/_image.py 1.6.4, tried
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Edit,
    Finding,
    Fix,
    Image,
    Recipe,
    Span,
    Step,
    argument_where,
    base_of,
    counted,
    error,
    over_images,
    replace_span,
    rule,
    source_of,
)

MICRO = re.compile(r"(\d+\.\d+)\.\d+")


def applies(recipe: Recipe) -> str:
    return counted(
        sum(
            (b := base_of(i)) is not None and bool({"python_version", "add_python"} & b.step.kwargs.keys())
            for i in recipe.images
        ),
        "image that names its Python",
        "images that name their Python",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is None:
        return
    for keyword in ("python_version", "add_python"):
        given = base.step.kwargs.get(keyword)
        span = base.step.kwarg_spans.get(keyword)
        if isinstance(given, float | int) and not isinstance(given, bool):
            right = "3.10" if given == 3.1 else str(given)
            yield error(
                f"{keyword}={given} is a number; 3.10 would be 3.1",
                f'write {keyword}="{right}"',
                argument_where(recipe, base.step, keyword),
                why="the client refuses the file before anything is built",
                fix=_quoted(recipe, base.step, span, right),
            )
        elif keyword == "add_python" and isinstance(given, str) and (found := MICRO.fullmatch(given)):
            yield error(
                f'add_python="{given}" names a patch release; Modal takes two numbers',
                f'write add_python="{found[1]}"',
                argument_where(recipe, base.step, keyword),
                why="the client refuses the image",
                fix=replace_span(recipe, base.step.where, span, given, found[1], is_safe=True),
            )


def _quoted(recipe: Recipe, step: Step, span: Span | None, right: str) -> Fix | None:
    source = source_of(recipe, step.where)
    found = (
        re.search(r"[\d.]+$", source.text[span.start : span.end]) if source is not None and span is not None else None
    )
    if source is None or span is None or found is None:
        return None
    return Fix(edits=(Edit(source.path, span.start + found.start(), span.end, f'"{right}"'),), is_safe=True)


CHECK = rule(
    id="IMG370",
    name="ver-python-type",
    title="the Python version is a string of two numbers",
    find=find,
    applies=applies,
)
