"""Makes preflight/facts/modal_api.toml from the modal that is installed: its public names and parameters.

Run: python .ci/modal_api.py
Which classes are told apart by member is decided by hand: those of the table stay, and new public classes join them.
"""

from __future__ import annotations

import inspect
import json
import sys
import textwrap
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import modal
import modal.experimental

FILE = Path(__file__).parent.parent / "preflight" / "facts" / "modal_api.toml"
GUARD = "_warn_parentheses_missing"  # of decorators, and nobody's to give
HEAD = """\
# Public names and parameters of the Modal client, one table a class.  "*x" and "**x" take any number;
# a parameter list of ["-"] marks an attribute that is not called.
"""


def table(old: dict[str, Any], seen: date) -> dict[str, Any]:
    names = sorted(modal.__all__)
    new = [n for n in names if n not in old["modal"]]
    classes = [*old["classes"], *(n for n in new if inspect.isclass(getattr(modal, n)))]
    functions = [*old["functions"], *(n for n in new if inspect.isfunction(getattr(modal, n)))]
    (folder,) = modal.__path__
    return {
        "source": f"the modal {modal.__version__} package: inspect.signature over its public objects",
        "seen": seen,
        "how": "read",
        "version": modal.__version__,
        "modal": names,
        "submodules": sorted(p.name.removesuffix(".py") for p in Path(folder).iterdir() if is_module(p)),
        "experimental": sorted(n for n in dir(modal.experimental) if not n.startswith("_")),
        "functions": {n: parameters(getattr(modal, n)) for n in functions if hasattr(modal, n)},
        "classes": {n: dict(members(getattr(modal, n))) for n in classes if hasattr(modal, n)},
    }


def is_module(path: Path) -> bool:
    return not path.name.startswith("_") and (path.suffix == ".py" or path.is_dir())


def members(kind: type) -> Iterator[tuple[str, list[str]]]:
    for name in (*sorted(n for n in dir(kind) if not n.startswith("_")), "__init__"):
        value = getattr(kind, name)
        is_called = callable(value) and not isinstance(inspect.getattr_static(kind, name), property)
        yield name, parameters(value) if is_called else ["-"]


def parameters(function: Any) -> list[str]:
    marks = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    given = inspect.signature(function).parameters.values()
    return [marks.get(p.kind, "") + p.name for p in given if p.name not in ("self", GUARD)]


def text(found: dict[str, Any]) -> str:
    plain = {k: v for k, v in found.items() if k not in ("functions", "classes")}
    blocks = [
        HEAD + "\n".join(map(line, plain.items())),
        "[functions]\n" + "\n".join(map(line, found["functions"].items())),
    ]
    blocks += [f"[classes.{n}]\n" + "\n".join(map(line, of.items())) for n, of in found["classes"].items()]
    return "\n\n".join(blocks) + "\n"


def line(item: tuple[str, Any]) -> str:
    name, value = item
    if isinstance(value, date):
        return f"{name} = {value}"
    whole = f"{name} = {json.dumps(value)}"
    if len(whole) <= 120 or not isinstance(value, list):
        return whole
    words = textwrap.fill(", ".join(map(json.dumps, value)), 108, break_long_words=False)
    return f"{name} = [\n{textwrap.indent(words, '  ')},\n]"


def main() -> None:
    old = tomllib.loads(FILE.read_text("utf-8"))
    found = table(old, datetime.now(UTC).date())
    if {k: v for k, v in found.items() if k != "seen"} != {k: v for k, v in old.items() if k != "seen"}:
        FILE.write_text(text(found), "utf-8")
        sys.stdout.write(f"\n### modal_api\n\n- modal {old['version']} to {found['version']}\n")


if __name__ == "__main__":
    main()
