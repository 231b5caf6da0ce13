"""pip's flags stand in extra_options, not among the packages.

Looks at   strings given to `pip_install` and `uv_pip_install` that are flags, or that hold one.
Why        since client 1.0 such a string is refused (InvalidError) when the file is loaded.
Before     .pip_install("flash-attn==2.6.3", "--no-build-isolation")
After      .pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
Source     Modal client release notes 1.0.0; llm-finetuning 7baa0189
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
    Step,
    counted,
    error,
    over_images,
    rule,
    source_of,
    word_where,
)

METHODS = frozenset({"pip_install", "uv_pip_install"})
FLAG = re.compile(r"^\s*-{1,2}[A-Za-z]|^[^\s@;]+\s+-{1,2}[A-Za-z]")


def applies(recipe: Recipe) -> str:
    return counted(sum(s.method in METHODS for i in recipe.images for s in i.steps), "pip step")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for step in image.steps:
        flags = [s for s in _strings(step.args) if FLAG.match(s)] if step.method in METHODS else []
        if flags:
            yield error(
                f"{', '.join(repr(f) for f in flags)} stands among the packages of {step.method}",
                f'give flags as extra_options="{" ".join(f for f in flags if f.lstrip().startswith("-"))}"',
                word_where(recipe, step, flags[0]),
                why="the client refuses the file before anything is built",
                fix=_move(recipe, step, flags),
            )


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _strings(each)


def _move(recipe: Recipe, step: Step, flags: list[str]) -> Fix | None:
    source = source_of(recipe, step.where)
    if source is None or step.call is None or "extra_options" in step.kwargs or "**" in step.kwargs:
        return None
    if len(flags) != 1 or not flags[0].startswith("--") or " " in flags[0]:
        return None
    span = next((s for s in step.arg_spans if source.text[s.start + 1 : s.end - 1] == flags[0]), None)
    if span is None:
        return None
    text = f'extra_options="{flags[0]}"'
    if step.arg_spans[-1] == span and not step.kwargs:
        return Fix(edits=(Edit(source.path, span.start, span.end, text),), is_safe=True)
    return None


CHECK = rule(
    id="IMG450",
    name="iso-flag-in-package-list",
    title="pip's flags are given as extra_options",
    find=find,
    applies=applies,
)
