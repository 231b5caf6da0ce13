"""Releases of a package from the index: what the metadata asks for, and what setup.py of the sdist does.

Which wheels its release page holds, notes and known breakage are written by hand: they stay as they were, and a new
release has none.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date

import msgspec
from packaging.version import Version

from preflight.facts.refresh.source import Index, IndexFile, final_releases, requires
from preflight.facts.types import How, Release
from preflight.toml_rows import typed

FILES = r"[^/]+/(?:setup\.py|pyproject\.toml|PKG-INFO)"
SOURCES = r".*\.(?:cpp|cu|cuh|c|cc)"
ARCH = re.compile(r"arch=compute_(\d+)\w?,code=sm_\d+")
LARGEST_SDIST = 32 << 20  # bytes; beyond, a wheel's metadata must do
BY_HAND = ("cuda_labels", "matrix_known", "wheels", "wheel_glibc", "no_wheels_from", "note", "how")
READ = "PyPI: metadata and setup.py of the sdist"


def rows(index: Index, package: str, known: Iterable[Release], today: date, *, oldest: str = "0") -> Iterator[Release]:
    """A row a release of the index from ``oldest`` on, and those that are known and not on it.

    A release that is known and on PyPI is not opened again.  Raises NotRead.
    """
    of_known = {row.version: row for row in known}
    on_index = {str(v): files for v, files in final_releases(index, package, oldest).items()}
    for version in sorted({*of_known, *on_index}, key=Version):
        before, files = of_known.get(version), on_index.get(version)
        if files and not (before and before.on_pypi):
            found = _read(index, package, version, files)
            if before:
                kept = {name: getattr(before, name) for name in BY_HAND}
                source = str(found["source"])
                found |= kept | {"source": before.source if source in before.source else f"{before.source}; {source}"}
        elif before:
            found = msgspec.structs.asdict(before)
        yield typed(found | {"on_pypi": bool(files), "seen": today}, Release, f"{package} {version}")


def _read(index: Index, package: str, version: str, files: list[IndexFile]) -> dict[str, object]:
    wheels = [f for f in files if f.is_linux_wheel]
    sdists = [f for f in files if f.filename.endswith((".tar.gz", ".zip"))]
    sdist = next((f for f in sdists if f.size <= LARGEST_SDIST or not wheels), None)
    metadata = index.metadata(wheels[0] if wheels else files[0])
    texts: dict[str, str] = {}
    if sdist is not None:
        members = index.members(sdist, FILES)
        texts = {name.rsplit("/", 1)[-1]: data.decode("utf-8", "replace") for name, data in members.items()}
    setup = _parsed(texts.get("setup.py", ""))
    required = [str(r) for r in requires(metadata) if "extra" not in str(r.marker or "")]
    named = _sources(setup)
    has = {name.partition("/")[2] for name in index.members(sdist, SOURCES)} if sdist and named else set()
    return {
        "package": package,
        "version": version,
        "released": min((f.uploaded for f in files if f.uploaded), default=None),
        "python": files[0].requires_python,
        "requires": required or _requires(setup),
        "build_system": _build_system(texts.get("pyproject.toml", "")),
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


def _strings(tree: ast.AST) -> list[str]:
    return [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


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
    keywords = (n for n in ast.walk(setup) if isinstance(n, ast.keyword) and n.arg == "install_requires")
    return next((_strings(k.value) for k in keywords if isinstance(k.value, ast.List)), [])


def _sources(setup: ast.Module) -> set[str]:
    """The files that a call of CUDAExtension names in its own text."""
    calls = (n for n in ast.walk(setup) if isinstance(n, ast.Call) and ast.unparse(n.func).endswith("CUDAExtension"))
    return {text for call in calls for text in _strings(call) if re.fullmatch(SOURCES, text)}


def _archs(tree: ast.AST, condition: str = "") -> Iterator[str]:
    """ "90 nvcc >= 11.8": an architecture, with what setup.py asks of nvcc before it names it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If):
            nvcc = re.search(r"bare_metal_version (>=|<=) Version\('([\d.]+)'\)", ast.unparse(node.test))
            inner = f" nvcc {nvcc[1]} {nvcc[2]}" if nvcc else condition
            yield from _archs(ast.Module(node.body, []), inner)
            yield from _archs(ast.Module(node.orelse, []), condition)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and (found := ARCH.search(node.value)):
            yield found[1] + condition
        else:
            yield from _archs(node, condition)
