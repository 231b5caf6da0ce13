"""The newest wheel of the Modal client: what its deprecation warnings announce, and what its image builders hold."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from datetime import date

from packaging.version import Version

from preflight.facts.refresh.source import NotRead, Sources, newest_wheel
from preflight.facts.types import Break, Builder, How

SOURCES = r"modal/.*\.py"
CALLS = ("deprecation_warning", "with_deprecation_warning", "deprecation_error")
NAME = re.compile(r"`(?:modal\.)?(\w[\w.]*)(?:\(.*?\))?`|'(\w+)' parameter")
OLD_NAME = re.compile(r"instead of `(?:modal\.)?(\w[\w.]*)")
GONE_IN = re.compile(r"version (\d+\.\d+(?:\.\d+)?)|(\d+\.\d+(?:\.\d+)?) and later")
NOT_TEXT = "…"
FILES = r"modal/(?:_image\.py|builder/base-images\.json)"
PREVIEW = "PREVIEW"  # no version that an app can name for long


def breaks(sources: Sources, known: Iterable[Break]) -> Iterator[Break]:
    """Those of Modal's client as its newest release has them, and the others as they are.  Raises NotRead."""
    wheel = newest_wheel(sources.index, "modal")
    source = f"deprecation warnings of modal {wheel.version}"
    found: dict[str, Break] = {}
    for name, text in sorted(sources.index.members(wheel, SOURCES).items()):
        for row in announced(text.decode("utf-8", "replace"), f"{source}, {name}", sources.today):
            found.setdefault(row.name, row)
    yield from found.values()
    yield from (row for row in known if row.kind != "modal")


def announced(source: str, where: str, today: date) -> Iterator[Break]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or len(node.args) < 2 or ast.unparse(node.func) not in CALLS:
            continue
        try:
            day = date(*ast.literal_eval(node.args[0]))
        except (ValueError, TypeError):
            continue  # the definition of the helper itself, which is given its date
        text = _text(node.args[1])
        named = OLD_NAME.search(text) or NAME.search(text)
        if named is None or "`." in text[: named.start() + 2]:  # "`.url` on …" names no owner
            continue
        gone = GONE_IN.search(text)
        yield Break(
            kind="modal",
            name=named[1] or named[named.re.groups],
            announced=day,
            text=text,
            gone_in=str(Version(gone[1] or gone[2])) if gone else "",
            source=where,
            seen=today,
            how=How.READ,
        )


def _text(node: ast.expr) -> str:
    parts = node.values if isinstance(node, ast.JoinedStr) else [node] if isinstance(node, ast.Constant) else []
    return " ".join("".join(str(p.value) if isinstance(p, ast.Constant) else NOT_TEXT for p in parts).split())


def builders(sources: Sources, known: Iterable[Builder]) -> Iterator[Builder]:
    """What images with their own Python hold (``registry``) no file says: a new version has what the last one has.

    Raises NotRead.
    """
    wheel = newest_wheel(sources.index, "modal")
    members = sources.index.members(wheel, FILES)
    try:
        images = json.loads(members["modal/builder/base-images.json"])
        pythons = _constant(members["modal/_image.py"].decode(), "SUPPORTED_PYTHON_SERIES")
        of_known = {row.version: row for row in known}
        last: Builder | None = None
        for version in sorted(set(pythons) - {PREVIEW}):
            before = of_known.get(version, last)
            last = Builder(
                version=version,
                pythons=tuple(p for p in pythons[version] if not p.endswith("t")),
                debian=images["debian"][version],
                slim=tuple(images["package_tools"][version].split()),
                registry=before.registry if before else (),
                source=f"modal/_image.py and builder/base-images.json of client {wheel.version}",
                seen=sources.today,
                how=How.READ if version in of_known else How.INFERRED,
            )
            yield last
    except (KeyError, ValueError, TypeError) as e:
        raise NotRead(f"{wheel.filename} does not say what its builders hold: {e!r}") from e


def _constant(source: str, name: str) -> dict[str, list[str]]:
    """A module's constant that is written out.  Raises KeyError, ValueError."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name and node.value:
            return dict(ast.literal_eval(node.value))
    raise KeyError(name)
