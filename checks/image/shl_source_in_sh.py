"""`source` is not asked of a shell that lacks it.

Looks at
    `source` in `run_commands` and `RUN` on bases of Debian and Ubuntu, whose /bin/sh is dash.  A `.shell([...])`
    step before it, `bash -c` and other bases are left out.
Why it matters
    dash has no `source`: "source: not found", and the image build stops.
Example
    before   image.run_commands("source /opt/venv/bin/activate && pip install x")
    after    image.run_commands(". /opt/venv/bin/activate && pip install x")
How to fix
    Write `.` in place of `source`, or run the string with `bash -c`.
Source
    dash(1): the command is `.`; Modal runs each string with /bin/sh -c.
"""

import re

from preflight.api import Findings, Fix, Link, Recipe, app, build, error, rule
from preflight.rules.subjects import LINKS

SHELL = re.compile(r"\s*SHELL\b")


@rule("IMG870", LINKS.only(lambda link: link.step.shell, "shell step"))
def find(recipe: Recipe, link: Link) -> Findings:
    if not build.is_debian(link.image) or any(_sets_shell(s) for s in (*link.before, link.step)):
        return
    for command in link.step.shell:
        if command.words[:1] == ("source",):
            yield error(
                f"`{' '.join(command.text.split())[:60]}`: the image's /bin/sh is dash, which has no `source`",
                "write `.` in place of `source`, or run it with bash -c",
                command.where,
                why="the image build stops with 'source: not found'",
                fix=_fix(link, command),
            )


def _sets_shell(step: app.Step) -> bool:
    texts = [a for a in step.args if isinstance(a, str)] if step.method == "dockerfile_commands" else []
    return step.method == "shell" or any(SHELL.match(t) for t in texts)


def _fix(link: Link, command: app.ShellCommand) -> Fix | None:
    span, source = command.span, link.image.source
    if span is None or command.where.path != source.path or not source.text.startswith("source", span.start):
        return None
    return app.replaced(source.path, app.Span(span.start, span.start + len("source")), ".", is_safe=True)
