"""`source` is not asked of a shell that lacks it.

Looks at
    `source` in `run_commands` and `RUN` on bases of Debian and Ubuntu, whose /bin/sh is dash.  A `.shell([...])`
    step before it, `bash -c` and other bases are left out.
Why it matters
    dash has no `source`: "source: not found", and the image build stops.
Example
    before   image.run_commands("source /opt/venv/bin/activate && pip install x")
    after    image.run_commands(". /opt/venv/bin/activate && pip install x")
Source
    dash(1): the command is `.`; Modal runs each string with /bin/sh -c.
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Fix,
    Link,
    Recipe,
    ShellCommand,
    Span,
    counted,
    error,
    image_links,
    is_debian,
    replaced,
    rule,
)


def applies(recipe: Recipe) -> str:
    return counted(len(_strings(recipe)), "shell step")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for link in _strings(recipe):
        if not is_debian(link.image) or _has_shell(link):
            continue
        for command in link.step.shell:
            if command.words[:1] == ("source",):
                yield error(
                    f"`{' '.join(command.text.split())[:60]}`: the image's /bin/sh is dash, which has no `source`",
                    "write `.` in place of `source`, or run it with bash -c",
                    command.where,
                    why="the image build stops with 'source: not found'",
                    fix=_fix(link, command),
                )


def _strings(recipe: Recipe) -> list[Link]:
    return [link for link in image_links(recipe) if link.step.shell]


def _has_shell(link: Link) -> bool:
    """Whether a step before has set another shell."""
    for step in (*link.before, link.step):
        if step.method == "shell":
            return True
        texts = [a for a in step.args if isinstance(a, str)] if step.method == "dockerfile_commands" else []
        if any(re.match(r"\s*SHELL\b", t) for t in texts):
            return True
    return False


def _fix(link: Link, command: ShellCommand) -> Fix | None:
    span, source = command.span, link.image.source
    if span is None or command.where.path != source.path:
        return None
    if not source.text.startswith("source", span.start):
        return None
    return replaced(source.path, Span(span.start, span.start + len("source")), ".", is_safe=True)


CHECK = rule(
    id="IMG870",
    name="shl-source-in-sh",
    title="source is not asked of a shell that lacks it",
    find=find,
    applies=applies,
)
