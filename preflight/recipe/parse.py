"""Reads an app file into a Recipe.  It never imports or runs anything of the user's."""

from __future__ import annotations

import ast
from pathlib import Path

from preflight.recipe.model import Recipe, Source


def read(file: Path, *, project: Path) -> Recipe:
    """The recipe of ``file``.  Raises OSError when it can't be read; a file that does not parse has ``broken``."""
    text = file.read_text("utf-8")
    return Recipe(source=Source(str(file.relative_to(project)), text, ast.parse(text)))
