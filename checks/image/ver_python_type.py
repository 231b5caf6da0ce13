"""The Python version is a string of two numbers.

Looks at
    `python_version=3.11` (a number: TypeError; and 3.10 is 3.1), and `add_python="3.11.5"` (InvalidError).
Why it matters
    The client refuses the file, or asks for Python 3.1.
Example
    before   modal.Image.debian_slim(python_version=3.11)
    after    modal.Image.debian_slim(python_version="3.11")
How to fix
    Write two numbers in quotes: `python_version="3.11"`.
Source
    modal/_image.py 1.6.4, tried
"""

import re

from preflight.api import Findings, Fix, Recipe, app, error, rule
from preflight.rules.subjects import BASES, Started

KEYWORDS = ("python_version", "add_python")
MICRO = re.compile(r"(\d+\.\d+)\.\d+")


@rule("IMG370", BASES.only(lambda i: {*KEYWORDS} & i.base.step.kwargs.keys(), "image with a named Python"))
def find(recipe: Recipe, started: Started) -> Findings:
    step = started.base.step
    for keyword in KEYWORDS:
        given, span = step.kwargs.get(keyword), step.kwarg_spans.get(keyword)
        if isinstance(given, float | int) and not isinstance(given, bool):
            right = "3.10" if given == 3.1 else str(given)
            yield error(
                f"{keyword}={given} is a number; 3.10 would be 3.1",
                f'write {keyword}="{right}"',
                app.argument_where(recipe, step, keyword),
                why="the client refuses the file before anything is built",
                fix=_quoted(recipe, step, span, right),
            )
        elif keyword == "add_python" and isinstance(given, str) and (found := MICRO.fullmatch(given)):
            yield error(
                f'add_python="{given}" names a patch release; Modal takes two numbers',
                f'write add_python="{found[1]}"',
                app.argument_where(recipe, step, keyword),
                why="the client refuses the image",
                fix=app.replace_span(recipe, step.where, span, given, found[1], is_safe=True),
            )


def _quoted(recipe: Recipe, step: app.Step, span: app.Span | None, right: str) -> Fix | None:
    source = app.source_of(recipe, step.where)
    if source is None or span is None:
        return None
    written = re.search(r"[\d.]+$", source.text[span.start : span.end])
    return (
        app.replaced(source.path, app.Span(span.start + written.start(), span.end), f'"{right}"', is_safe=True)
        if written
        else None
    )
