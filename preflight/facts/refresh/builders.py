"""builders.toml from the newest modal wheel: which Pythons, Debian and packages an Image Builder version has."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator
from datetime import date

from preflight.facts.refresh.source import Index, NotRead, newest_wheel
from preflight.facts.types import Builder, How

FILES = r"modal/(?:_image\.py|builder/base-images\.json)"
PREVIEW = "PREVIEW"  # no version that an app can name for long


def rows(index: Index, known: Iterable[Builder], today: date) -> Iterator[Builder]:
    """What images with their own Python hold (``registry``) no file says: a new version has what the last one has.

    Raises NotRead.
    """
    wheel = newest_wheel(index, "modal")
    held = index.members(wheel, FILES)
    try:
        images = json.loads(held["modal/builder/base-images.json"])
        pythons = _constant(held["modal/_image.py"].decode(), "SUPPORTED_PYTHON_SERIES")
        versions = sorted(set(pythons) - {PREVIEW})
        of_known = {row.version: row for row in known}
        last: Builder | None = None
        for version in versions:
            before = of_known.get(version, last)
            last = Builder(
                version=version,
                pythons=tuple(p for p in pythons[version] if not p.endswith("t")),
                debian=images["debian"][version],
                slim=tuple(images["package_tools"][version].split()),
                registry=before.registry if before else (),
                source=f"modal/_image.py and builder/base-images.json of client {wheel.version}",
                seen=today,
                how=How.READ if version in of_known else How.INFERRED,
            )
            yield last
    except (KeyError, ValueError, TypeError) as e:
        raise NotRead(f"{wheel.filename} does not say what its builders hold: {e!r}") from e


def _constant(source: str, name: str) -> dict[str, list[str]]:
    """A module's constant that is written out.  Raises KeyError, ValueError."""
    for node in ast.parse(source).body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(target, ast.Name) and target.id == name and isinstance(node, ast.AnnAssign) and node.value:
            return dict(ast.literal_eval(node.value))
    raise KeyError(name)
