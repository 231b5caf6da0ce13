"""Version bounds in shell strings are quoted.

Looks at
    `pip install` and `uv pip install` in shell strings, with the quoting that the shell sees.
Why it matters
    `pip install numpy>=1.26` writes pip's output to a file called `=1.26` and installs any numpy;
    `pip install numpy<2` reads from a file called `2` and fails.
Example
    before   image.run_commands("pip install mamba-ssm>=2.2.2")
    after    image.run_commands("pip install 'mamba-ssm>=2.2.2'")
How to fix
    Put quotes around each requirement that has a bound.
Source
    POSIX shell, redirection; measured with the bash grammar that reads the strings.
"""

import re

from preflight.api import Findings, Fix, Recipe, app, build, error, rule
from preflight.rules.subjects import SHELL_COMMANDS, Shell

BOUND = re.compile(r"^[<>]=?\d[\w.*]*|^>=?[\d.]+")
TOKEN = re.compile(r"(?<![\w'\"=/.-])[A-Za-z][\w.-]*(?:\[[\w,.-]*\])?(?:[<>]=?[\w.*]+)(?:,[<>=!~]+[\w.*]+)*(?![\w'\"])")


@rule("IMG860", SHELL_COMMANDS.only(lambda s: build.pip_of(s.command) is not None, "pip command in a shell string"))
def find(recipe: Recipe, shell: Shell) -> Findings:
    command = shell.command
    lost = [r for r in command.redirects if BOUND.match(r)]
    if lost:
        yield error(
            f"`{' '.join(command.text.split())[:80]}`: the shell takes {', '.join(lost)} for a redirection",
            "put quotes around each requirement that has a bound",
            command.where,
            why="the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none",
            fix=_quoted(command, shell.link.image.source),
        )


def _quoted(command: app.ShellCommand, source: app.Source) -> Fix | None:
    """Quotes of the kind that the Python string around them does not use."""
    span = command.span
    if span is None or command.where.path != source.path:
        return None
    text = source.text
    line = text[text.rfind("\n", 0, span.start) + 1 : span.start]
    opener = re.search(r"""["'](?=[^"']*$)""", line)
    around = opener[0] if opener else line.lstrip().lstrip("frbFRB")[:1] or text[: span.start].rstrip()[-1:]
    quote = '"' if around == "'" else "'"
    if quote in text[span.start : span.end]:
        return None
    places = [at for token in TOKEN.finditer(text, span.start, span.end) for at in token.span()]
    return app.together(
        (app.replaced(source.path, app.Span(at, at), quote, is_safe=True) for at in places), is_safe=True
    )
