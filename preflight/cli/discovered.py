"""Shows what an app's file says."""

from __future__ import annotations

from preflight.recipe.model import Recipe


def show(recipe: Recipe, *, as_json: bool) -> None:
    """Every function, image and secret with its place."""
    print(recipe.source.path, as_json)  # noqa: T201
