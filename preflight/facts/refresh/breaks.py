"""breaks.toml from the newest modal wheel: what its deprecation warnings announce, with their dates."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from datetime import date

from packaging.version import Version

from preflight.facts.refresh.source import Index, newest_wheel
from preflight.facts.types import Break, How

SOURCES = r"modal/.*\.py"
CALLS = ("deprecation_warning", "with_deprecation_warning", "deprecation_error")
NAME = re.compile(r"`(?:modal\.)?(\w[\w.]*)(?:\(.*?\))?`|'(\w+)' parameter")
OLD_NAME = re.compile(r"instead of `(?:modal\.)?(\w[\w.]*)")
GONE_IN = re.compile(r"version (\d+\.\d+(?:\.\d+)?)|(\d+\.\d+(?:\.\d+)?) and later")
NOT_TEXT = "…"


def rows(index: Index, known: Iterable[Break], today: date) -> Iterator[Break]:
    """Those of Modal's client as its newest release has them, and the others as they are.  Raises NotRead."""
    wheel = newest_wheel(index, "modal")
    source = f"deprecation warnings of modal {wheel.version}"
    found: dict[str, Break] = {}
    for name, text in sorted(index.members(wheel, SOURCES).items()):
        for row in announced(text.decode("utf-8", "replace"), f"{source}, {name}", today):
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
    if isinstance(node, ast.JoinedStr):
        said = "".join(str(v.value) if isinstance(v, ast.Constant) else NOT_TEXT for v in node.values)
    else:
        said = str(node.value) if isinstance(node, ast.Constant) else ""
    return " ".join(said.split())
