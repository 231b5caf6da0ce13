"""Reads an app file into a Recipe.  It never imports or runs anything of the user's, and opens only what it reads:
the file, modules of the same project that its images come from, and requirement files that it names.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from pathlib import Path
from typing import Any, TypeVar

from preflight.model import Where
from preflight.recipe import calls, environ, functions
from preflight.recipe.interpreter import Interpreter, Shared, images_of
from preflight.recipe.model import Function, Image, Recipe, SecretRef, Source, VolumeRef
from preflight.recipe.values import AppValue, ImageValue

T = TypeVar("T")
LONGEST_BYTES = 5_000_000
MOST_SIBLINGS = 20
NOT_CODE = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})
IGNORE = re.compile(r"#\s*preflight:\s*ignore\[([A-Za-z0-9_*,\s-]+)\]")


def read(file: Path, *, project: Path, content: bytes | None = None) -> Recipe:
    """The recipe of ``file``, or of what it would hold.  Raises OSError when it can't be read; a file that does not
    parse has ``broken``."""
    source, broken, at = _source(file, project, content)
    if source.tree is None:
        return Recipe(source=source, broken=broken, broken_at=at, ignores=ignores(source.text))
    loader = _Siblings(project.resolve())
    shared = Shared(project=project, load=loader.load)
    main = Interpreter(source, file.resolve(), shared)
    loader.loaded[file.resolve()] = main
    main.run_module()
    _decorated_inside(main)
    every = calls.every_call(main)
    images = _images(shared)
    found = functions.build(shared, images)
    values = list(main.names.values())
    return Recipe(
        source=source,
        apps=tuple(shared.apps),
        functions=found,
        images=_maximal(images, found),
        calls=every,
        volumes=_all_of(VolumeRef, values, [v for f in found for v in f.volumes.values()]),
        secrets=_all_of(SecretRef, values, [s for f in found for s in f.secrets]),
        environ_reads=environ.reads(main.offsets),
        unresolved=tuple(shared.unresolved),
        siblings=tuple(i.source for path, i in loader.loaded.items() if i is not None and i is not main),
        ignores=ignores(source.text),
    )


def _source(file: Path, project: Path, content: bytes | None = None) -> tuple[Source, str, Where | None]:
    """The text as Python decodes it, with its tree; or without one, and why."""
    shown = _shown(file, project)
    if content is None:
        with file.open("rb") as opened:
            content = opened.read(LONGEST_BYTES + 1)
    if len(content) > LONGEST_BYTES:
        return Source(shown, ""), f"it is larger than {LONGEST_BYTES // 10**6} MB", Where(shown)
    try:
        coding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(coding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as e:
        return Source(shown, content.decode("utf-8", "replace")), f"it can't be decoded: {e}", Where(shown, 1)
    text = text.removeprefix("\ufeff")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a SyntaxWarning of the user's file is not ours to print
            tree = ast.parse(text)
    except SyntaxError as e:
        return Source(shown, text), f"{e.msg}", Where(shown, e.lineno or 0, e.offset or 0)
    except (ValueError, RecursionError, MemoryError) as e:
        return Source(shown, text), f"it can't be parsed: {e or type(e).__name__}", Where(shown, 1)
    return Source(shown, text, tree), "", None


def _shown(file: Path, project: Path) -> str:
    try:
        return str(file.resolve().relative_to(project.resolve()))
    except ValueError:
        return str(file)


class _Siblings:
    """Modules of the same project, found beside the importing file or from the project's folder; never searched for
    elsewhere."""

    def __init__(self, project: Path) -> None:
        self.project = project
        self.loaded: dict[Path, Interpreter | None] = {}

    def load(self, importer: Interpreter, module: str, level: int) -> Interpreter | None:
        file = self._file(importer.file, module, level)
        if file is None:
            return None
        if file not in self.loaded:
            self.loaded[file] = None  # an import that comes back here finds nothing, instead of going round
            if len(self.loaded) > MOST_SIBLINGS:
                return None
            try:
                source, _, _ = _source(file, self.project)
            except OSError:
                return None
            inner = Interpreter(source, file, importer.shared)
            inner.run_module()
            self.loaded[file] = inner
        return self.loaded[file]

    def _file(self, importer: Path, module: str, level: int) -> Path | None:
        parts = [p for p in module.split(".") if p]
        if level:
            base = importer.parent
            for _ in range(level - 1):
                base = base.parent
            bases = [base]
        else:
            bases = [importer.parent, self.project, self.project / "src"]
        for base in bases:
            stem = base.joinpath(*parts)
            for candidate in (stem.with_suffix(".py") if parts else None, stem / "__init__.py"):
                if candidate is None:
                    continue
                try:
                    found = candidate.resolve()
                    if found.is_relative_to(self.project) and found.is_file():
                        return found
                except (OSError, ValueError):
                    continue
        return None


def _decorated_inside(main: Interpreter) -> None:
    """Functions handed to Modal inside other functions: read with the module's names, where they are enough."""
    seen = {id(node) for node, *_ in main.shared.decorated}
    assert main.source.tree is not None
    for node in ast.walk(main.source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or id(node) in seen:
            continue
        if any(_app_named(main, d) for d in node.decorator_list):
            main.decorate(node)


def _app_named(main: Interpreter, decorator: ast.expr) -> bool:
    func = decorator.func if isinstance(decorator, ast.Call) else decorator
    if not (isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name)):
        return False
    return isinstance(main.names.get(func.value.id), AppValue)


def _images(shared: Shared) -> dict[int, Image]:
    """Every chain that was bound to a name, used by a function, or left in an expression, by id of its value."""
    made: dict[int, Image] = {}
    named: list[tuple[str, ImageValue]] = list(shared.images)
    for _, call, app, _ in shared.decorated:
        for value in (call.kwargs.get("image"), dict(app.defaults).get("image")):
            named += [("", v) for v in images_of(value)]
    for variable, value in named:
        if id(value) in made and (made[id(value)].variable or not variable):
            continue
        made[id(value)] = Image(
            steps=value.steps,
            variable=variable,
            source=value.source,
            where=value.steps[-1].where if value.steps else Where(value.source.path),
            is_complete=value.is_complete,
            unresolved=value.unresolved,
        )
    return made


def _maximal(images: dict[int, Image], used: tuple[Function, ...]) -> tuple[Image, ...]:
    """The images without those that are only the beginning of another one, unless a function uses them."""
    in_use = {id(i) for f in used if isinstance(f.images, tuple) for i in f.images}
    chains = {tuple(id(s) for s in i.steps) for i in images.values()}
    beginnings = {chain[:n] for chain in chains for n in range(1, len(chain))}
    kept: dict[tuple[int, ...], Image] = {}
    for image in images.values():
        chain = tuple(id(s) for s in image.steps)
        if id(image) in in_use or chain not in beginnings:
            kept.setdefault(chain, image)
    return tuple(sorted(kept.values(), key=lambda i: (i.where.path, i.where.line)))


def _all_of(kind: type[T], *groups: list[Any]) -> tuple[T, ...]:
    found: dict[T, None] = {}
    for group in groups:
        for each in group:
            if isinstance(each, kind):
                found[each] = None
    return tuple(found)


def ignores(text: str) -> dict[int, tuple[str, ...]]:
    """Line → rules that ``# preflight: ignore[RULE, …] reason`` takes back there.

    A comment on a line of its own speaks of the next line that holds code.
    """
    if "preflight:" not in text:
        return {}
    found: dict[int, tuple[str, ...]] = {}
    waiting: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and (match := IGNORE.search(token.string)):
                rules = [r.strip() for r in match[1].split(",") if r.strip()]
                if token.line[: token.start[1]].strip():
                    found[token.start[0]] = (*found.get(token.start[0], ()), *rules)
                else:
                    waiting += rules
            elif waiting and token.type not in NOT_CODE:
                found[token.start[0]] = (*found.get(token.start[0], ()), *waiting)
                waiting = []
    except (tokenize.TokenError, SyntaxError, IndentationError):
        return found
    return found
