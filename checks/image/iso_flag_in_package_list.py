"""pip's flags are given as extra_options.

Looks at
    Strings given to `pip_install` and `uv_pip_install` that are flags, or that hold one.
Why it matters
    Since client 1.0 such a string is refused (InvalidError) when the file is loaded.
Example
    before   .pip_install("flash-attn==2.6.3", "--no-build-isolation")
    after    .pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
How to fix
    Give the flag as `extra_options="…"`.
Source
    Modal client release notes 1.0.0; llm-finetuning 7baa0189
"""

import re
from collections.abc import Iterator

from preflight.api import Findings, Fix, Link, Recipe, app, error, rule
from preflight.rules.subjects import STEPS
from preflight.wording import is_or_are

FLAG = re.compile(r"^\s*-{1,2}[A-Za-z]|^[^\s@;]+\s+-{1,2}[A-Za-z]")
PIP_STEPS = STEPS.only(lambda k: k.step.method in ("pip_install", "uv_pip_install"), "pip step")


@rule("IMG450", PIP_STEPS)
def find(recipe: Recipe, link: Link) -> Findings:
    step = link.step
    flags = [s for s in _strings(step.args) if FLAG.match(s)]
    if flags:
        yield error(
            f"{', '.join(repr(f) for f in flags)} {is_or_are(flags)} among the packages of {step.method}",
            f'give flags as extra_options="{" ".join(f for f in flags if f.lstrip().startswith("-"))}"',
            app.word_where(recipe, step, flags[0]),
            why="the client refuses the file before anything is built",
            fix=_move(recipe, step, flags),
        )


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _strings(each)


def _move(recipe: Recipe, step: app.Step, flags: list[str]) -> Fix | None:
    source = app.source_of(recipe, step.where)
    if source is None or step.kwargs or len(flags) != 1 or not flags[0].startswith("--") or " " in flags[0]:
        return None
    span = next((s for s in step.arg_spans if source.text[s.start + 1 : s.end - 1] == flags[0]), None)
    if span is None or step.arg_spans[-1] != span:
        return None
    return app.replaced(source.path, span, f'extra_options="{flags[0]}"', is_safe=True)
