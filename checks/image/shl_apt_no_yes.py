"""apt is told to go ahead, and knows what there is.

Looks at
    `apt-get install` and `apt install` in shell strings: without `-y`; and without any `update` before them in the
    image's earlier steps on a registry base.
Why it matters
    Without `-y` apt asks, gets no answer and stops; without an update a fresh base has no package list.
Example
    before   image.run_commands("apt-get install git")
    after    image.apt_install("git")
Source
    apt-get(8); registry bases come with /var/lib/apt/lists empty.
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
    is_bare,
    program_of,
    replaced,
    rule,
    tag_of,
)

YES = re.compile(r"^(?:-[a-zA-Z]*y[a-zA-Z]*|--yes|--assume-yes|-qq|--force-yes)$")


def applies(recipe: Recipe) -> str:
    return counted(len(_installs(recipe)), "apt install in a shell string", "apt installs in shell strings")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for link, n, command in _installs(recipe):
        _, rest = program_of(command)
        if not any(YES.match(w) for w in rest) and not _answered(link, n):
            yield error(
                f"`{' '.join(command.text.split())[:60]}` has no -y: apt asks and gets no answer",
                "write apt-get install -y, or use .apt_install(…)",
                command.where,
                why="the image build stops at this step",
                fix=_fix(link, command),
            )
        elif tag_of(link.image) is not None and is_bare(link.image) and not _updated(link, n):
            yield error(
                f"`{' '.join(command.text.split())[:60]}` before any apt-get update: the base has no package list",
                "write `apt-get update && ` before it, or use .apt_install(…)",
                command.where,
                why="the image build stops with 'Unable to locate package'",
            )


def _installs(recipe: Recipe) -> list[tuple[Link, int, ShellCommand]]:
    found = []
    for link in image_links(recipe):
        for n, command in enumerate(link.step.shell):
            name, rest = program_of(command)
            if name in ("apt-get", "apt") and "install" in rest and "$" not in command.text:
                found.append((link, n, command))
    return found


def _answered(link: Link, n: int) -> bool:
    """Whether `yes |` or a setting answers apt's question."""
    commands = link.step.shell
    piped = n > 0 and commands[n - 1].operator == "|" and commands[n - 1].words[:1] in (("yes",), ("echo",))
    texts = " ".join(c.text for s in (*link.before, link.step) for c in s.shell)
    return piped or "APT::Get::Assume-Yes" in texts or "apt.conf" in texts


def _updated(link: Link, n: int) -> bool:
    if any(s.method == "apt_install" or not s.is_complete for s in link.before):
        return True  # apt_install updates first
    earlier = [c for s in link.before for c in s.shell] + list(link.step.shell[:n])
    return any("update" in c.words for c in earlier) or any(
        "apt" in " ".join(c.words) and "bash" in c.text for c in earlier
    )


def _fix(link: Link, command: ShellCommand) -> Fix | None:
    span, source = command.span, link.image.source
    if span is None or command.where.path != source.path:
        return None
    found = re.compile(r"\binstall\b").search(source.text, span.start, span.end)
    return replaced(source.path, Span(found.end(), found.end()), " -y", is_safe=True) if found else None


CHECK = rule(
    id="IMG890",
    name="shl-apt-no-yes",
    title="apt is told to go ahead, and knows what there is",
    find=find,
    applies=applies,
)
