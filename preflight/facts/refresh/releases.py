"""Releases of a package from the index: what the metadata asks for, and what setup.py of the sdist does.

Which wheels a release page holds is read from the page's list of assets; where that can't be asked, a release that
is known keeps its matrix and a new one has none.  What no source says (notes, known breakage) stays as it was.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import msgspec
from packaging.version import Version

from preflight.facts.refresh.source import Index, IndexFile, by_version, requires
from preflight.facts.types import How, Release
from preflight.facts.wheels import wheel_name
from preflight.toml_rows import typed

FILES = r"[^/]+/(?:setup\.py|pyproject\.toml|PKG-INFO)"
SOURCES = r".*\.(?:cpp|cu|cuh|c|cc)"
ARCH = re.compile(r"arch=compute_(\d+)\w?,code=sm_\d+")
LARGEST_SDIST = 32 << 20  # bytes; beyond, a wheel's metadata must do
BY_HAND = ("cuda_labels", "matrix_known", "wheels", "wheel_glibc", "no_wheels_from", "note", "how")
READ = "PyPI: metadata and setup.py of the sdist"


def rows(
    index: Index,
    package: str,
    known: Iterable[Release],
    today: date,
    *,
    oldest: str = "0",
    assets: Mapping[str, list[str]] | None = None,
    is_all: bool = False,
) -> Iterator[Release]:
    """A row a release of the index from ``oldest`` on, and those that are known and not on it.

    ``assets`` are the file names of a release page by tag.  A release that is known is not opened again, unless
    ``is_all``.  Raises NotRead.
    """
    of_known = {row.version: row for row in known}
    on_index = {
        str(v): files
        for v, files in by_version(index.files(package)).items()
        if not v.is_prerelease and v >= Version(oldest)
    }
    for version in sorted({*of_known, *on_index}, key=Version):
        before, files = of_known.get(version), on_index.get(version)
        if files and (before is None or is_all or not before.on_pypi):
            found = _read(index, package, version, files)
            if before:
                kept = {name: getattr(before, name) for name in BY_HAND}
                said = str(found["source"])
                found |= kept | {"source": before.source if said in before.source else f"{before.source}; {said}"}
        elif before:
            found = msgspec.structs.asdict(before)
        if assets is not None:
            found |= _matrix(version, assets.get(f"v{version}", []), before)
        yield typed(found | {"on_pypi": bool(files), "seen": today}, Release, f"{package} {version}")


def _read(index: Index, package: str, version: str, files: list[IndexFile]) -> dict[str, object]:
    wheels = [f for f in files if f.is_linux_wheel]
    sdists = [f for f in files if f.filename.endswith((".tar.gz", ".zip"))]
    sdist = next((f for f in sdists if f.size <= LARGEST_SDIST or not wheels), None)
    metadata = index.metadata(wheels[0] if wheels else files[0])
    held: dict[str, str] = {}
    if sdist is not None:
        members = index.members(sdist, FILES)
        held = {name.rsplit("/", 1)[-1]: data.decode("utf-8", "replace") for name, data in members.items()}
    setup = _parsed(held.get("setup.py", ""))
    asked = [str(r) for r in requires(metadata) if "extra" not in str(r.marker or "")]
    named = _sources(setup)
    has = {name.partition("/")[2] for name in index.members(sdist, SOURCES)} if sdist and named else set()
    return {
        "package": package,
        "version": version,
        "released": min((f.uploaded for f in files if f.uploaded), default=None),
        "python": files[0].requires_python,
        "requires": asked or _requires(setup),
        "build_system": _build_system(held.get("pyproject.toml", "")),
        "imports_at_build": _imports(setup),
        "archs": list(dict.fromkeys(_archs(setup))),
        "cuda_labels": {},
        "matrix_known": False,
        "sdist_has_sources": named <= has if named else None,
        "source": READ if sdist else "PyPI: metadata of the wheel",
        "how": How.READ,
    }


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError):
        return ast.Module([], [])


def _strings(tree: ast.AST) -> Iterator[str]:
    return (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def _build_system(text: str) -> list[str]:
    try:
        found = tomllib.loads(text).get("build-system", {}).get("requires", [])
    except tomllib.TOMLDecodeError:
        return []
    return [str(r) for r in found]


def _imports(setup: ast.Module) -> list[str]:
    """What setup.py imports, in its order, without the standard library and without what it can do without."""
    optional = {id(n) for t in ast.walk(setup) if isinstance(t, ast.Try) for s in t.body for n in ast.walk(s)}
    found: dict[str, int] = {}
    for node in ast.walk(setup):
        if not isinstance(node, ast.Import | ast.ImportFrom) or id(node) in optional:
            continue
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        if isinstance(node, ast.Import) or not node.level:
            found = {**{n.partition(".")[0]: node.lineno for n in names}, **found}
    return sorted((n for n in found if n not in sys.stdlib_module_names), key=found.__getitem__)


def _requires(setup: ast.Module) -> list[str]:
    """``install_requires`` where it is a list of strings: the metadata of old sdists leaves it out."""
    for node in ast.walk(setup):
        if isinstance(node, ast.keyword) and node.arg == "install_requires" and isinstance(node.value, ast.List):
            return [c.value for c in node.value.elts if isinstance(c, ast.Constant) and isinstance(c.value, str)]
    return []


def _sources(setup: ast.Module) -> set[str]:
    """The files that a call of CUDAExtension names in its own text."""
    calls = (n for n in ast.walk(setup) if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("CUDAExtension"))
    return {text for call in calls for text in _strings(call) if re.fullmatch(SOURCES, text)}


def _archs(tree: ast.AST, condition: str = "") -> Iterator[str]:
    """ "90 nvcc >= 11.8": an architecture, with what setup.py asks of nvcc before it names it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If):
            inner = _on_nvcc(node.test)
            yield from _archs(ast.Module(node.body, []), inner or condition)
            yield from _archs(ast.Module(node.orelse, []), condition)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (found := ARCH.search(node.value)):
            yield found[1] + condition
        else:
            yield from _archs(node, condition)


def _on_nvcc(test: ast.expr) -> str:
    found = re.search(r"bare_metal_version (>=|<=) Version\('([\d.]+)'\)", ast.unparse(test))
    return f" nvcc {found[1]} {found[2]}" if found else ""


def _matrix(version: str, names: Iterable[str], before: Release | None) -> dict[str, object]:
    """Wheel sets of the file names of a release page; the known breakage of a set stays with it."""
    labels: dict[str, str] = {}
    found: dict[tuple[str, str, str], set[str]] = {}  # (cuda, torch, abi) → Pythons
    for name in names:
        wheel = wheel_name(name)
        if wheel and wheel.torch and wheel.cuda and wheel.abi and wheel.python and wheel.version == version:
            labels[wheel.cuda] = re.search(r"[+.](cu\d+)", name)[1]  # type: ignore[index]
            found.setdefault((wheel.cuda, wheel.torch, wheel.abi), set()).add(wheel.python)
    return {"cuda_labels": labels, "matrix_known": True, "wheels": list(_sets(found, before))}


def _sets(found: Mapping[tuple[str, str, str], set[str]], before: Release | None) -> Iterator[dict[str, object]]:
    """Those that differ in torch alone are one set."""
    groups: dict[tuple[str, str, tuple[str, ...], str], list[str]] = {}
    for (cuda, torch, abi), held in found.items():
        sets = before.wheels if before else ()
        broken = next((w.broken for w in sets if w.cuda == cuda and torch in w.torch and abi in w.abi), "")
        groups.setdefault((cuda, abi, tuple(sorted(held, key=Version)), broken), []).append(torch)
    for (cuda, abi, pythons, broken), torches in sorted(groups.items()):
        row: dict[str, object] = {"cuda": cuda, "torch": sorted(torches, key=Version), "python": pythons, "abi": [abi]}
        yield {**row, "broken": broken} if broken else row
