"""Version bounds in shell strings are quoted.

Looks at
    `pip install` and `uv pip install` in shell strings, with the quoting that the shell sees.
Why it matters
    `pip install numpy>=1.26` writes pip's output to a file called `=1.26` and installs any numpy;
    `pip install numpy<2` reads from a file called `2` and fails.
Example
    before   image.run_commands("pip install mamba-ssm>=2.2.2")
    after    image.run_commands("pip install 'mamba-ssm>=2.2.2'")
Source
    POSIX shell, redirection; measured with the bash grammar that reads the strings.
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Edit,
    Finding,
    Fix,
    Recipe,
    ShellCommand,
    Source,
    counted,
    error,
    image_links,
    pip_of,
    rule,
)

BOUND = re.compile(r"^[<>]=?\d[\w.*]*|^>=?[\d.]+")
TOKEN = re.compile(r"(?<![\w'\"=/.-])[A-Za-z][\w.-]*(?:\[[\w,.-]*\])?(?:[<>]=?[\w.*]+)(?:,[<>=!~]+[\w.*]+)*(?![\w'\"])")


def applies(recipe: Recipe) -> str:
    return counted(len(_installs(recipe)), "pip command in a shell string", "pip commands in shell strings")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for command, source in _installs(recipe):
        lost = [r for r in command.redirects if BOUND.match(r)]
        if lost:
            yield error(
                f"`{' '.join(command.text.split())[:80]}`: the shell takes {', '.join(lost)} for a redirection",
                "put quotes around each requirement that has a bound",
                command.where,
                why="the bound is not given to pip; '>' leaves a file of that name, '<' fails for want of one",
                fix=_quoted(command, source),
            )


def _installs(recipe: Recipe) -> list[tuple[ShellCommand, Source]]:
    return [
        (command, link.image.source)
        for link in image_links(recipe)
        for command in link.step.shell
        if pip_of(command) is not None
    ]


def _quoted(command: ShellCommand, source: Source) -> Fix | None:
    """Quotes of the kind that the Python string around them does not use."""
    span = command.span
    if span is None or command.where.path != source.path:
        return None
    text = source.text
    line = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    around = line.lstrip().lstrip("frbFRB")[:1] or text[: span.start].rstrip()[-1:]
    opener = re.search(r"""["'](?=[^"']*$)""", line)
    around = opener[0] if opener else around
    quote = '"' if around == "'" else "'"
    if quote in text[span.start : span.end]:
        return None
    edits = []
    for token in TOKEN.finditer(text, span.start, span.end):
        edits += [
            Edit(source.path, token.start(), token.start(), quote),
            Edit(source.path, token.end(), token.end(), quote),
        ]
    return Fix(edits=tuple(edits), is_safe=True) if edits else None


CHECK = rule(
    id="IMG860",
    name="shl-unquoted-specifier",
    title="version bounds in shell strings are quoted",
    find=find,
    applies=applies,
)
