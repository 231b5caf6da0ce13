"""Checks of other distributions: entry points in the group ``preflight.checks``, each a Check.

A plugin that won't load is a check that ends in error: it shows in the report, not in a log line.
"""

from __future__ import annotations

import importlib
import site
import sys
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path

from preflight.app.lookups import RECIPE
from preflight.engine.select import Entry
from preflight.lookups import Looked
from preflight.model import Answer, Check, Stage
from preflight.wording import page_of


class PluginBroken(RuntimeError):
    """A plugin can't be used; the text says why."""


def checks(taken: Iterable[Entry], points: Iterable[EntryPoint]) -> tuple[Check, ...]:
    """Every plugin's check.  An id or name that ``taken`` has already makes the plugin a broken one."""
    ids = {c.id for c in taken} | {c.name for c in taken}
    loaded: list[Check] = []
    for number, point in enumerate(sorted(points, key=lambda p: p.name), start=1):
        check = _load(point, number)
        if {check.id, check.name} & ids:
            check = _broken(point, number, f"its id {check.id} or name {check.name} is taken")
        ids |= {check.id, check.name}
        loaded.append(check)
    return tuple(loaded)


def _load(point: EntryPoint, number: int) -> Check:
    if (place := _in_the_working_folder(point)) is not None:
        return _broken(point, number, f"it stands in the working folder ({place}), not in an installation")
    try:
        check = point.load()
    except KeyboardInterrupt:
        raise
    except BaseException as e:  # noqa: BLE001 - an import can raise anything, and must not hide the other answers
        return _broken(point, number, f"{type(e).__name__}: {e}")
    if not isinstance(check, Check):
        return _broken(point, number, f"{point.value} is a {type(check).__name__}, wanted a preflight.api.Check")
    module = sys.modules.get(point.module) or importlib.import_module(point.module)
    origin = point.dist.name if point.dist is not None else point.module.partition(".")[0]
    return replace(check, doc=check.doc or page_of(module.__doc__), origin=origin)


def _in_the_working_folder(point: EntryPoint) -> Path | None:
    """Metadata that PYTHONPATH=. brings along: whoever wrote the folder would speak in our report."""
    if point.dist is None:
        return None
    place = Path(str(point.dist.locate_file(""))).resolve()
    installed = {Path(p).resolve() for p in (*site.getsitepackages(), site.getusersitepackages())}
    return place if place in (Path.cwd(), *Path.cwd().parents) and place not in installed else None


def _broken(point: EntryPoint, number: int, why: str) -> Check:
    async def run(looked: Looked) -> Answer:
        raise PluginBroken(f"plugin {point.name} ({point.value}) does not load: {why}")

    return Check(
        id=f"PLG{number:03}",
        name=f"plugin-{number}",
        title=f"the plugin {point.name} loads",
        stage=Stage.STATIC,
        needs=(RECIPE,),  # so that `lint` shows it as well
        run=run,
        doc=f"Looks at\n    Whether the check that {point.value} offers can be loaded.",
    )
