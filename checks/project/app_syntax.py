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

from preflight.api import RECIPE, Answer, Check, Looked, Recipe, Stage, Unknown, error

NEWER = (  # the first Python that takes the line, and how such a line looks
    ((3, 12), re.compile(r"^\s*type\s+\w+\s*(?:\[.*\])?\s*=")),
    ((3, 12), re.compile(r"^\s*(?:async\s+)?(?:def|class)\s+\w+\s*\[")),
    ((3, 12), re.compile(r"\b[rR]?[fF][rR]?[\"'].*\{")),
    ((3, 14), re.compile(r"^\s*except\*?\s+[\w.]+\s*,\s*[\w.]+")),
    ((3, 14), re.compile(r"(?<![\w\"'])[rR]?t[rR]?[\"']")),
    ((3, 15), re.compile(r"^\s*lazy\s+(?:import|from)\b")),
)
ASKED = re.compile(r"(?:python_version|add_python)\s*=\s*[\"']3\.(\d+)")


async def run(looked: Looked) -> Answer | Unknown:
    recipe = looked[RECIPE]
    reason = _unknown(recipe)
    if reason:
        return Unknown(reason=reason)
    broken = error(
        f"{recipe.source.path} does not parse: {recipe.broken} (Python {platform.python_version()})",
        "correct the line; if it is newer Python than this, run preflight with that Python",
        recipe.broken_at,
        why="it can't be imported, and no other rule has looked at it",
    )
    lines = recipe.source.text.count("\n") + 1
    return Answer(summary=f"{lines} lines", findings=(broken,) if recipe.broken else ())


def _unknown(recipe: Recipe) -> str:
    """Why the file can't be judged; "" where it can."""
    path, place = recipe.source.path, recipe.broken_at
    if recipe.is_too_large:
        return f"{path}: {recipe.broken or 'it is too large to read: its end was not looked at'}"
    if not recipe.broken or place is None:
        return ""
    lines, ours = recipe.source.text.splitlines()[max(place.line - 1, 0) : place.line], sys.version_info[:2]
    wanted = [python for python, words in NEWER if python > ours and any(map(words.search, lines))]
    asked = [int(found) for found in ASKED.findall(recipe.source.text)]
    if not wanted or (asked and (3, min(asked)) < min(wanted)):
        return ""
    return (
        f"line {place.line} of {path} does not parse with Python {ours[0]}.{ours[1]} ({recipe.broken}), "
        f"and may be that of Python {wanted[0][0]}.{wanted[0][1]}: run preflight with the app's own Python"
    )


CHECK = Check(id="PRJ970", stage=Stage.STATIC, needs=(RECIPE,), run=run)
