"""The Python of the image."""

import re

from preflight.api import Context, Findings, Recipe, advice, app, build, error, facts, rule, warning
from preflight.rules.subjects import BASES, NAMING_PYTHON, WHEELS, Started

END, NEXT = "3.10", "3.11"


@rule("IMG360", NAMING_PYTHON, asks_builder=True)
def ver_python_eol(recipe: Recipe, started: Started, context: Context) -> Findings:
    """The image's Python is not at its end on Modal.

    Looks at: `python_version=` and `add_python=` of 3.10.
    Why it matters: Since 2026-11-04 the client warns about Python 3.10, client 1.7 will not deploy it, and builder
        2026.10 has none.
    Example:
        before   modal.Image.debian_slim(python_version="3.10")
        after    modal.Image.debian_slim(python_version="3.11")
    How to fix: Use Python 3.11, and the wheels of that Python.
    Source: modal/_image.py 1.6.4; release notes of the Modal client
    """
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


KEYWORDS = ("python_version", "add_python")
NUMBER = re.compile(r"(?<![\w.])[\d.]+$")
MICRO = re.compile(r"(\d+\.\d+)\.\d+")


@rule("IMG370", BASES.only(lambda i: {*KEYWORDS} & i.base.step.kwargs.keys(), "image with a named Python"))
def ver_python_type(recipe: Recipe, started: Started) -> Findings:
    """The Python version is a string of two numbers.

    Looks at: `python_version=3.11` (a number: TypeError; and 3.10 is 3.1), and `add_python="3.11.5"` (InvalidError).
    Why it matters: The client refuses the file, or asks for Python 3.1.
    Example:
        before   modal.Image.debian_slim(python_version=3.11)
        after    modal.Image.debian_slim(python_version="3.11")
    How to fix: Write two numbers in quotes: `python_version="3.11"`.
    Source: modal/_image.py 1.6.4, tried
    """
    step = started.base.step
    for keyword in KEYWORDS:
        given, span = step.kwargs.get(keyword), step.kwarg_spans.get(keyword)
        where = app.argument_where(recipe, step, keyword)
        if isinstance(given, float | int) and not isinstance(given, bool):
            right, source = "3.10" if given == 3.1 else str(given), app.source_of(recipe, step.where)
            written = NUMBER.search(source.text, span.start, span.end) if source and span else None
            number = written and app.Span(written.start(), written.end())
            yield error(
                f"{keyword}={given} is a number; 3.10 would be 3.1",
                f'write {keyword}="{right}"',
                where,
                why="the client refuses the file before anything is built",
                fix=app.replaced(step.where.path, number, f'"{right}"', is_safe=True),
            )
        elif keyword == "add_python" and isinstance(given, str) and (found := MICRO.fullmatch(given)):
            yield error(
                f'add_python="{given}" names a patch release; Modal takes two numbers',
                f'write add_python="{found[1]}"',
                where,
                why="the client refuses the image",
                fix=app.replace_span(recipe, step.where, span, given, found[1], is_safe=True),
            )


@rule("IMG380", BASES.only(lambda i: i.base.is_slim, "debian_slim image"))
def ver_python_unset(recipe: Recipe, started: Started) -> Findings:
    """The image names its Python.

    Looks at: `debian_slim()` without `python_version`, and wheels of one Python (cp311) in the same image.
    Why it matters: Modal then takes the Python of the machine that runs `modal deploy`: another laptop, another image.
    Example:
        before   modal.Image.debian_slim().pip_install("https://…-cp311-cp311-linux_x86_64.whl")
        after    modal.Image.debian_slim(python_version="3.11").pip_install("https://…-cp311-cp311-linux_x86_64.whl")
    How to fix: Write `debian_slim(python_version="3.11")`, with the Python of your wheels.
    Source: modal/_image.py 1.6.4
    """
    step = started.base.step
    if step.args or {"python_version", "**"} & step.kwargs.keys():
        return
    wheel = next((w for p in WHEELS.of(recipe) if p.image is started.image and (w := p.wheel) and w.python), None)
    right = wheel.python if wheel is not None else "3.11"
    say = warning if wheel else advice
    yield say(
        "debian_slim takes the Python of whoever deploys"
        + (f", and the wheel of {wheel.name} is for Python {wheel.python}" if wheel else ""),
        f'write debian_slim(python_version="{right}")',
        step.where,
        why="another machine builds another image, and wheels of one Python do not install",
        fix=app.add_argument(recipe, step, f'python_version="{right}"', is_safe=False) if wheel else None,
    )


SERIES = re.compile(r"(\d+\.\d+)(?:\.\d+)?t?")
SAFE = "3.11"  # on every builder from 2023.12 to 2026.10


@rule("IMG350", NAMING_PYTHON, asks_builder=True)
def ver_python_unsupported(recipe: Recipe, started: Started, context: Context) -> Findings:
    """The Image Builder has the Python that is asked for.

    Looks at: `python_version=` of debian_slim and micromamba, and `add_python=` of from_registry, against the builder's
        list; without a known builder, against the lists of all builders.
    Why it matters: The client accepts any version; the image build refuses it. 3.8 and 3.9 are on no builder, 3.10 is
        not on 2026.10.
    Example:
        before   modal.Image.debian_slim(python_version="3.8")
        after    modal.Image.debian_slim(python_version="3.11")
    How to fix: Use a Python that the message lists.
    Source: modal/_image.py 1.6.4, SUPPORTED_PYTHON_SERIES
    """
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
