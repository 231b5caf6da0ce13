"""The commands that the file shows are ones that `modal` has.

Looks at
    Docstrings and comments of the app: `modal run f.py … --detach`, `modal status`, and
    `modal secret create NAME --env K=V`.
Why it matters
    Each fails as it is written; the last one names a Modal environment and then lacks a key.
Example
    before   modal run app.py --action train --detach
    after    modal run --detach app.py --action train
Source
    The modal 1.6.4 command line, each tried.
"""

import io
import re
import tokenize
from collections.abc import Iterator

from preflight.api import Context, Finding, Recipe, Where, advice, counted, rule

HINTS = (
    (
        re.compile(r"\bmodal\s+run\s+(?!-)\S+\.py\b[^\n`\"']*\s--detach\b"),
        "--detach after the file is an option of the app, which has none",
        "write `modal run --detach FILE …`",
    ),
    (
        re.compile(r"(?<!the )\bmodal\s+status\b(?!\s+page)"),
        "`modal status` is no command",
        "write `modal token info`, or `modal billing summary` for what was spent",
    ),
    (
        re.compile(r"\bmodal\s+secret\s+create\s+\S+\s+(?:-e|--env)\s+[A-Za-z_]\w*="),
        "`modal secret create --env` names a Modal environment; K=V stands alone",
        "write `modal secret create NAME K=V …`",
    ),
)


def applies(recipe: Recipe) -> str:
    return counted(recipe.source.text.count("modal ") if recipe.is_modal_app else 0, "word on modal", "words on modal")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for line, column, text in _prose(recipe.source.text):
        for pattern, message, remedy in HINTS:
            for match in pattern.finditer(text):
                above = text.count("\n", 0, match.start())
                start = match.start() - (text.rfind("\n", 0, match.start()) + 1)
                where = Where(recipe.source.path, line + above, start + 1 + (0 if above else column))
                yield advice(f"{message}: {' '.join(match[0].split())[:80]}", remedy, where)


def _prose(text: str) -> Iterator[tuple[int, int, str]]:
    """Comments and strings that stand alone as statements, with line and column of their start."""
    if not any(word in text for word in ("modal run", "modal status", "modal secret")):
        return
    before = tokenize.NEWLINE
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            is_alone = before in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING)
            if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and is_alone):
                yield token.start[0], token.start[1], token.string
            if token.type not in (tokenize.NL, tokenize.COMMENT):
                before = token.type
    except (tokenize.TokenError, SyntaxError):
        return


CHECK = rule(
    id="PRJ960",
    name="app-cli-hint",
    title="the commands that the file shows are ones that modal has",
    find=find,
    applies=applies,
)
