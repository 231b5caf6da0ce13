"""The app's file is Python that can be read.

Looks at: Whether the file decodes and parses with the Python that runs preflight. Where the line may be that of a newer
    Python (`type X = …`, `def f[T]()`, `except A, B:`, an f-string with the same quotes inside), and no image of the
    file has a Python that this one covers, the answer is unknown: preflight can't read it, the app's Python may.
Why it matters: A file that does not parse can't be imported: nothing of the app runs, and no other rule can look at it.
Example:
    before   @app.function(gpu="A100"
    after    @app.function(gpu="A100")
How to fix: Correct the line, or run preflight with the Python that runs the app.
Source: Python's own parser; the line and the words are its. "What's new" of Python 3.12 and 3.14 for the newer words.
"""

import platform
import re
import sys

from preflight.api import RECIPE, Answer, Check, Context, Findings, Looked, NotApplicable, Recipe, Stage, Unknown, error

NEWER = (  # the first Python that takes the line, and how such a line looks
    ((3, 12), re.compile(r"^\s*type\s+\w+\s*(?:\[.*\])?\s*=")),
    ((3, 12), re.compile(r"^\s*(?:async\s+)?(?:def|class)\s+\w+\s*\[")),
    ((3, 12), re.compile(r"\b[rR]?[fF][rR]?[\"'].*\{")),
    ((3, 14), re.compile(r"^\s*except\*?\s+[\w.]+\s*,\s*[\w.]+")),
    ((3, 14), re.compile(r"(?<![\w\"'])[rR]?t[rR]?[\"']")),
    ((3, 15), re.compile(r"^\s*lazy\s+(?:import|from)\b")),
)
ASKED = re.compile(r"(?:python_version|add_python)\s*=\s*[\"']3\.(\d+)")


async def run(looked: Looked) -> Answer | NotApplicable | Unknown:
    recipe = looked[RECIPE]
    reason = _unknown(recipe)
    if reason:
        return Unknown(reason=reason)
    return Answer(summary=f"{recipe.source.text.count(chr(10)) + 1} lines", findings=tuple(find(recipe, None)))


def find(recipe: Recipe, context: Context | None) -> Findings:
    if recipe.broken and not _unknown(recipe):
        yield error(
            f"{recipe.source.path} does not parse: {recipe.broken} (Python {platform.python_version()})",
            "correct the line; if it is newer Python than this, run preflight with that Python",
            recipe.broken_at,
            why="it can't be imported, and no other rule has looked at it",
        )


def _unknown(recipe: Recipe) -> str:
    """Why the file can't be judged; "" where it can."""
    if recipe.is_too_large:
        return f"{recipe.source.path}: {recipe.broken or 'it is too large to read: its end was not looked at'}"
    if not recipe.broken or recipe.broken_at is None:
        return ""
    lines = recipe.source.text.splitlines()[max(recipe.broken_at.line - 1, 0) : recipe.broken_at.line]
    wanted = [python for python, words in NEWER if python > sys.version_info[:2] and any(map(words.search, lines))]
    asked = [int(found) for found in ASKED.findall(recipe.source.text)]
    if not wanted or (asked and (3, min(asked)) < min(wanted)):
        return ""
    newer = f"{wanted[0][0]}.{wanted[0][1]}"
    return (
        f"line {recipe.broken_at.line} of {recipe.source.path} does not parse with Python {_ours()} ({recipe.broken}), "
        f"and may be that of Python {newer}: run preflight with the app's own Python"
    )


def _ours() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


CHECK = Check(id="PRJ970", stage=Stage.STATIC, needs=(RECIPE,), run=run)
