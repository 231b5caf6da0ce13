"""The commands that the file shows."""

import io
import re
import tokenize
from collections.abc import Iterator

from preflight.api import Findings, Recipe, Subject, Where, advice, rule

HINTS = (
    (
        re.compile(r"\bmodal\s+run\s+(?!-)\S+\.py\b[^\n`\"']*\s--detach\b"),
        "--detach after the file is an option of the app, which has none",
        "write `modal run --detach FILE …`",
    ),
    (
        re.compile(r"(?<!the )\bmodal\s+status\b(?!\s+page)"),
        "`modal status` is not a command",
        "write `modal token info`, or `modal billing summary` for what was spent",
    ),
    (
        re.compile(r"\bmodal\s+secret\s+create\s+\S+\s+(?:-e|--env)\s+[A-Za-z_]\w*="),
        "`modal secret create --env` names a Modal environment; K=V stands alone",
        "write `modal secret create NAME K=V …`",
    ),
)


def _words(recipe: Recipe) -> Iterator[tuple[int, int, str]]:
    """Comments and strings that stand alone as statements, with line and column of their start."""
    text, before = recipe.source.text, tokenize.NEWLINE
    if not recipe.is_modal_app or not any(word in text for word in ("modal run", "modal status", "modal secret")):
        return
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            is_alone = before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
            if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and is_alone):
                yield token.start[0], token.start[1], token.string
            if token.type not in (tokenize.NL, tokenize.COMMENT):
                before = token.type
    except (tokenize.TokenError, SyntaxError):
        return


@rule("PRJ960", Subject(_words, "text that shows modal's commands"))
def app_cli_hint(recipe: Recipe, words: tuple[int, int, str]) -> Findings:
    """The commands that the file shows are ones that modal has.

    Looks at: Docstrings and comments of the app: `modal run f.py … --detach`, `modal status`, and
        `modal secret create NAME --env K=V`.
    Why it matters: Each fails as it is written; the last one names a Modal environment and then lacks a key.
    Example:
        before   modal run app.py --action train --detach
        after    modal run --detach app.py --action train
    How to fix: Correct the command in the comment or docstring.
    Source: The modal 1.6.4 command line, each tried.
    """
    line, column, text = words
    for pattern, message, remedy in HINTS:
        for match in pattern.finditer(text):
            above = text.count("\n", 0, match.start())
            start = match.start() - (text.rfind("\n", 0, match.start()) + 1)
            where = Where(recipe.source.path, line + above, start + 1 + (0 if above else column))
            yield advice(f"{message}: {' '.join(match[0].split())[:80]}", remedy, where)
