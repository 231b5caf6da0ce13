"""apt does not ask, and knows what there is.

Looks at
    `apt-get install` and `apt install` in shell strings: without `-y`; and without any `update` before them in the
    image's earlier steps on a registry base.
Why it matters
    Without `-y` apt asks, gets no answer and stops; without an update a fresh base has no package list.
Example
    before   image.run_commands("apt-get install git")
    after    image.apt_install("git")
How to fix
    Use `.apt_install(…)`, or write `apt-get update && apt-get install -y …`.
Source
    apt-get(8); registry bases come with /var/lib/apt/lists empty.
"""

import re

from preflight.api import Findings, Fix, Link, Recipe, app, build, error, rule
from preflight.rules.subjects import SHELL_COMMANDS, Shell

YES = re.compile(r"^(?:-[a-zA-Z]*y[a-zA-Z]*|--yes|--assume-yes|-qq|--force-yes)$")


def _is_install(shell: Shell) -> bool:
    name, rest = build.program_of(shell.command)
    return name in ("apt-get", "apt") and "install" in rest and "$" not in shell.command.text


@rule("IMG890", SHELL_COMMANDS.only(_is_install, "apt install in a shell string"))
def find(recipe: Recipe, shell: Shell) -> Findings:
    link, command = shell.link, shell.command
    written = f"`{' '.join(command.text.split())[:60]}`"
    if not any(YES.match(w) for w in build.program_of(command)[1]) and not _is_answered(shell):
        yield error(
            f"{written} has no -y: apt asks and gets no answer",
            "write apt-get install -y, or use .apt_install(…)",
            command.where,
            why="the image build stops at this step",
            fix=_fix(link, command),
        )
    elif build.tag_of(link.image) is not None and build.is_bare(link.image) and not _is_updated(shell):
        yield error(
            f"{written} before any apt-get update: the base has no package list",
            "write `apt-get update && ` before it, or use .apt_install(…)",
            command.where,
            why="the image build stops with 'Unable to locate package'",
        )


def _is_answered(shell: Shell) -> bool:
    """Whether `yes |` or a setting answers apt's question."""
    last = shell.before[-1] if shell.before else None
    piped = last is not None and last.operator == "|" and last.words[:1] in (("yes",), ("echo",))
    texts = " ".join(c.text for s in (*shell.link.before, shell.link.step) for c in s.shell)
    return piped or "APT::Get::Assume-Yes" in texts or "apt.conf" in texts


def _is_updated(shell: Shell) -> bool:
    if any(s.method == "apt_install" or not s.is_complete for s in shell.link.before):
        return True  # apt_install updates first
    earlier = [*(c for s in shell.link.before for c in s.shell), *shell.before]
    return any("update" in c.words or ("apt" in " ".join(c.words) and "bash" in c.text) for c in earlier)


def _fix(link: Link, command: app.ShellCommand) -> Fix | None:
    span, source = command.span, link.image.source
    if span is None or command.where.path != source.path:
        return None
    found = re.compile(r"\binstall\b").search(source.text, span.start, span.end)
    return app.replaced(source.path, app.Span(found.end(), found.end()), " -y", is_safe=True) if found else None
