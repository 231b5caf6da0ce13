"""What an app's text takes from this machine besides its own project: paths, and environment variables."""

from __future__ import annotations

import ast
import importlib.machinery
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from preflight.app.model import Call, Recipe, Unresolved
from preflight.state.sources import Watched, placed

PATHS = {  # method → the keywords that hold local paths; the first is also its first positional argument
    "add_local_dir": ("local_path",),
    "add_local_file": ("local_path",),
    "copy_local_dir": ("local_path",),
    "copy_local_file": ("local_path",),
    "pip_install_from_requirements": ("requirements_txt",),
    "pip_install_from_pyproject": ("pyproject_toml",),
    "poetry_install_from_file": ("poetry_pyproject_toml", "poetry_lockfile"),
    "uv_sync": ("uv_project_dir",),
    "from_dockerfile": ("path", "context_dir"),
    "from_dotenv": ("path",),
    "from_local_dir": ("local_path",),
    "from_local_file": ("local_path",),
}
INCLUDE = re.compile(r"\s*(?:-r|-c|--requirement|--constraint)[\s=]*([^\s#]+)")
ONLY_BY_KEYWORD = {
    "dockerfile_commands": ("context_dir", "context_files"),
    "uv_pip_install": ("requirements",),
    "micromamba_install": ("spec_file",),
}
UPLOADS = frozenset({"put_file", "put_directory"})  # of a Volume's batch
MODULES = frozenset({"add_local_python_source", "from_local_python_packages"})
_TAKERS = frozenset({*PATHS, *MODULES})
LONGEST_NAME, OF_THE_SYSTEM = 300, ("/proc/", "/sys/", "/dev/")
_PARTS = ("add_local_", "copy_local_", "from_local_")


def watched(recipe: Recipe, *, project: Path, app: Path, cwd: Path, environ: Mapping[str, str]) -> Watched:
    """Of an app that is started in ``cwd``: Modal's client takes a relative path from there.

    A path that a variable of ``environ`` decides is unseen; the default beside it is the text's only without it.
    """
    here = [cwd.resolve(), project.resolve()]
    paths: dict[str, None] = {str(placed(app)): None}
    variables = {r.key for r in recipe.environ_reads}
    unseen = []
    for call in (*recipe.calls, *_in_helpers(recipe)):
        method = call.name.rsplit(".", 1)[-1]
        beside = (project / call.where.path).resolve().parent  # what stands below its __file__
        starts = tuple(dict.fromkeys((*here, beside)))
        chosen = _variables_in(call, recipe) & environ.keys() if method in PATHS else set()
        for name in sorted(chosen):
            unseen.append(f"{call.where} {method}: the variable {name} decides its path")
        for value in _values(call, method):
            if not isinstance(value, str):
                unseen.append(f"{call.where} {method}: its path is not in the text")
            elif method in MODULES:
                paths |= dict.fromkeys(_module(value, starts))
            else:
                paths |= dict.fromkeys(_places(value, starts))
        keywords = call.node.keywords if isinstance(call.node, ast.Call) else []
        if any(k.arg is None for k in keywords) and method in _TAKERS:
            unseen.append(f"{call.where} {method}: its arguments are not in the text")
        elif method in PATHS and call.args and not isinstance(call.args[0], str | list | tuple | dict | Unresolved):
            unseen.append(f"{call.where} {method}: its path is not its first argument")
        if method == "from_dotenv" and not call.args and not call.kwargs:
            paths |= dict.fromkeys(_places(".env", tuple(p for s in starts for p in (s, *s.parents))))
        if method == "from_local_environ" and call.args:
            variables |= {v for v in _flat(call.args[0]) if isinstance(v, str)}
    paths |= dict.fromkeys(_named_whole(recipe, here))
    for path in _included([Path(p) for p in paths]):
        paths |= dict.fromkeys([str(placed(path))])
    unseen += _uncalled(recipe)
    return Watched(paths=tuple(paths), variables=tuple(sorted(variables)), unseen=tuple(dict.fromkeys(unseen)))


def _named_whole(recipe: Recipe, here: list[Path]) -> Iterator[str]:
    """Files outside the project whose names stand in the text: `open("../rates.csv")` reads one at the top level."""
    for source in (recipe.source, *recipe.siblings):
        for node in ast.walk(source.tree) if source.tree else ():
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if text.startswith(("../", "/", "~/")) and len(text) < LONGEST_NAME and not text.startswith(OF_THE_SYSTEM):
                for place in (placed(start / Path(text).expanduser()) for start in here):
                    if os.path.isfile(place):  # noqa: PTH113 - False, not an error, for a name that no system takes
                        yield str(place)


def _in_helpers(recipe: Recipe) -> Iterator[Call]:
    """What a function of the app does to an image that it is given: a step that is no call of a name's own kind."""
    known = {id(c.node) for c in recipe.calls}
    for step in (s for image in recipe.images for s in image.steps if s.node is not None and id(s.node) not in known):
        yield Call(name=step.method, where=step.where, span=None, args=step.args, kwargs=step.kwargs, node=step.node)


def _uncalled(recipe: Recipe) -> Iterator[str]:
    """Words that take local paths, where they stand in no call that could be read: bound, passed on, by getattr."""
    read = {id(c.node.func) for c in (*recipe.calls, *_in_helpers(recipe)) if isinstance(c.node, ast.Call)}
    for source in (recipe.source, *recipe.siblings):
        for node in ast.walk(source.tree) if source.tree else ():
            word = ""
            if isinstance(node, ast.Attribute) and (
                node.attr in UPLOADS or (node.attr in _TAKERS and id(node) not in read)
            ):
                word = node.attr
            elif isinstance(node, ast.Constant | ast.BinOp):
                text = _joined(node)
                word = next((t for t in _PARTS if text.startswith(t) and len(text) < 40), "")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("exec", "eval"):
                word = node.func.id
            if word:
                yield f"{source.path}:{getattr(node, 'lineno', 0)} {word}: what it takes is not in the text"


def _joined(node: ast.AST) -> str:
    """A string, or strings with `+` between them; "" of anything else."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left = _joined(node.left)
        return left and left + _joined(node.right)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _included(files: list[Path]) -> Iterator[Path]:
    """The requirement and constraint files that these include, and theirs; the lock files beside a pyproject."""
    seen: set[Path] = set()
    while files:
        file = files.pop()
        if file in seen or file.suffix not in (".txt", ".in", ".toml") or not file.is_file():
            continue
        seen.add(file)
        if file.name == "pyproject.toml":
            yield from (file.with_name(name) for name in ("poetry.lock", "uv.lock") if file.with_name(name).exists())
            continue
        for line in file.read_text("utf-8", "replace").splitlines():
            named = INCLUDE.match(line)
            if named is not None:
                other = file.parent / named[1].strip()
                yield other
                files.append(other)


def _values(call: Call, method: str) -> Iterator[Any]:
    """Each local path or module of the call: a string, or Unresolved."""
    if method in MODULES:
        for each in call.args:
            yield from _flat(each)
        return
    keywords = PATHS.get(method, ONLY_BY_KEYWORD.get(method, ()))
    if method in PATHS and call.args:
        yield from _flat(call.args[0])
    for keyword in keywords:
        yield from _flat(call.kwargs.get(keyword))


def _variables_in(call: Call, recipe: Recipe) -> set[str]:
    """Environment variables that the call's local paths, or the module constants they name, read."""
    if not isinstance(call.node, ast.Call) or (call.source or recipe.source) is not recipe.source:
        return set()
    keywords = PATHS[call.name.rsplit(".", 1)[-1]]
    pending: list[ast.AST] = [*call.node.args[:1], *(k.value for k in call.node.keywords if k.arg in keywords)]
    lines: set[int] = set()
    names: set[str] = set()
    while pending:
        for node in ast.walk(pending.pop()):
            if isinstance(node, ast.Name) and node.id not in names:
                names.add(node.id)
                pending += _assigned(recipe, node.id)
            elif isinstance(node, ast.Call | ast.Subscript):
                lines.add(node.lineno)
    return {r.key for r in recipe.environ_reads if r.where.line in lines}


def _assigned(recipe: Recipe, name: str) -> list[ast.AST]:
    body = recipe.source.tree.body if recipe.source.tree else []
    return [
        node.value
        for node in body
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
    ]


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _flat(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _flat(each)
    elif isinstance(value, str | Unresolved):
        yield value


def _places(written: str, starts: tuple[Path, ...]) -> list[str]:
    """Every place the path could mean that is there; where none is, the first, so that its coming is seen."""
    places = [str(placed(start / Path(written).expanduser())) for start in starts]
    there = [p for p in places if os.path.lexists(p)]
    return there or places[:1]


def _module(name: str, starts: tuple[Path, ...]) -> list[str]:
    """The folder or file of a local module, as Python would find it.  None of what is installed is imported."""
    search = [str(p) for start in starts for p in (start, start / "src")] + sys.path
    spec = importlib.machinery.PathFinder.find_spec(name.split(".")[0], search)
    if spec is None:
        return []
    return list(spec.submodule_search_locations or ([spec.origin] if spec.origin else []))
