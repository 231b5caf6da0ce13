"""What is announced to end and concerns an app: advice in time, an error when it is due."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date, timedelta

from packaging.version import Version

from preflight.app.model import Recipe
from preflight.build.surroundings import python_of
from preflight.facts.load import rows
from preflight.facts.modal_api import modal_api
from preflight.facts.types import BREAKS, Break
from preflight.model import Finding, Severity, Where

IN_TIME = timedelta(days=180)
INSTEAD = re.compile(r"\b(?:instead|use|please)\b", re.IGNORECASE)
QUOTED = re.compile(r"`(?:modal\.)?(\w[\w.]*)")


def concerns(
    recipe: Recipe, today: date, client: str | None = None, *, left_out: Collection[str] | None = None
) -> Iterator[Finding]:
    """``client`` is the release of modal that deploys the app; None: the newest that the tables know.

    ``left_out`` names what other rules speak of, Python's ends among it; None leaves nothing out.
    """
    version = Version(client or modal_api().version)
    for row in rows(BREAKS):
        if left_out is not None and (row.kind != "modal" or row.name in left_out):
            continue
        is_gone = bool(row.gone_in) and version >= Version(row.gone_in)
        is_due = is_gone or (row.due is not None and row.due <= today)
        if not is_due and row.due is not None and row.due - today > IN_TIME:
            continue
        for where in dict.fromkeys(_uses(recipe, row)):
            when = f"due {row.due}" if row.due else f"gone in modal {row.gone_in}" if row.gone_in else "no day is named"
            yield Finding(
                severity=Severity.ERROR if is_due else Severity.WARNING,
                message=f"{row.name} is announced to end ({row.announced}; {when})",
                remedy=_remedy(row),
                why="an app that runs today stops with that release of the client, or on that day",
                where=where,
                evidence=(row.text, row.source),
            )


def _remedy(row: Break) -> str:
    if INSTEAD.search(row.text):
        return "use what the announcement names in its place"
    return f"do without {row.name}" + (f", or pin modal<{row.gone_in} until you do" if row.gone_in else "")


def _uses(recipe: Recipe, row: Break) -> Iterator[Where]:
    """A keyword is concerned only in a call that the announcement's first sentence names."""
    if row.kind == "python":
        yield from (image.where for image in recipe.images if python_of(image) == row.name)
        return
    is_name = "." in row.name or row.name[:1].isupper()
    functions = {f"modal.{name}" for name in QUOTED.findall(row.text.partition(". ")[0])}
    for call in recipe.calls:
        if is_name:
            is_used = call.name == f"modal.{row.name}" or call.name.startswith(f"modal.{row.name}.")
        else:
            is_used = row.name in call.kwargs and call.name in functions
        if is_used:
            yield call.where
