"""Reads an app file into a Recipe.  It never imports or runs anything of the user's, and opens only what it reads:
the file, modules of the same project that its images come from, and requirement files that it names.
"""

from __future__ import annotations

import ast
import errno
import gc
import io
import os
import re
import tokenize
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from preflight.app import calls, environ
from preflight.app.find import LONGEST_BYTES, content_of
from preflight.app.interpreter import functions
from preflight.app.interpreter.flow import images_of, values_of
from preflight.app.interpreter.module import Interpreter
from preflight.app.interpreter.scope import Shared
from preflight.app.interpreter.values import AppValue, Decorated, ImageValue
from preflight.app.model import Image, Recipe, SecretRef, Source, VolumeRef
from preflight.model import Where

T = TypeVar("T")
TOO_LARGE = "it is too large to read"
MOST_MARKS = 100_000  # of Python's punctuation, some 20,000 lines: 100 MB of memory and half a second
MARKS = str.maketrans("", "", "(),.=:[]{}\n")
MOST_SIBLINGS = 40
NOT_CODE = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})
IGNORE = re.compile(r"#\s*preflight:\s*ignore\[([A-Za-z0-9_*,\s-]+)\]")


def read(file: Path, *, project: Path, content: bytes | None = None) -> Recipe:
    """The recipe of ``file``, or of what it would hold.  Raises OSError when it can't be read; a file that does not
    parse has ``broken``."""
    try:
        file.resolve()
    except RuntimeError as e:  # links that go round, up to Python 3.12
        raise OSError(errno.ELOOP, "links that go round", str(file)) from e
    with _no_collector():
        return _read(file, project, content)


@contextmanager
def _no_collector() -> Iterator[None]:
    """A syntax tree is a hundred thousand objects and no cycle: the collector walks all of it again and again, and
    the time of a file grows with the square of its lines."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read(file: Path, project: Path, content: bytes | None) -> Recipe:
    source, broken, at = _source(file, project, content)
    if source.tree is None:
        is_too_large = broken.startswith(TOO_LARGE)
        return Recipe(
            source=source, broken=broken, broken_at=at, is_too_large=is_too_large, ignores=ignores(source.text)
        )
    loader = _Siblings(project.resolve())
    shared = Shared(project=project, load=loader.load, search=loader.search)
    main = Interpreter(source, file.resolve(), shared)
    loader.loaded[file.resolve()] = main
    try:
        return _recipe(main, loader)
    finally:
        loader.close()


def _recipe(main: Interpreter, loader: _Siblings) -> Recipe:
    source, shared = main.source, main.shared
    main.run_module()
    functions.read_uncalled(main)
    mine = _deployed(main)
    every = calls.every_call(main)
    images = _Images(shared, mine)
    found = functions.build(mine, images.of_value)
    values = list(main.names.values())
    return Recipe(
        source=source,
        apps=tuple(a for a in shared.apps if a.where.path == source.path or any(d.app.call is a.call for d in mine)),
        functions=found,
        images=images.maximal(),
        calls=every,
        volumes=_all_of(VolumeRef, values, [v for f in found for v in f.volumes.values()]),
        secrets=_all_of(SecretRef, values, [s for f in found for s in f.secrets]),
        environ_reads=environ.reads(source),
        unresolved=tuple(shared.unresolved),
        is_too_large=shared.is_cut,
        siblings=tuple(i.source for path, i in loader.loaded.items() if i is not None and i is not main),
        ignores=ignores(source.text),
    )


def _deployed(main: Interpreter) -> list[Decorated]:
    """What goes to Modal with this file: its own functions, and those of a sibling whose App it uses or includes."""
    apps = {id(v.call) for value in main.names.values() for v in values_of(value) if isinstance(v, AppValue)}
    apps |= {id(a.call) for a in main.shared.included}
    return [d for d in main.shared.decorated if d.call.where.path == main.source.path or id(d.app.call) in apps]


def _source(file: Path, project: Path, content: bytes | None = None) -> tuple[Source, str, Where | None]:
    """The text as Python decodes it, with its tree; or without one, and why."""
    shown = _shown(file, project)
    if content is None:
        content = content_of(file, LONGEST_BYTES)
    if len(content) > LONGEST_BYTES:
        return Source(shown, ""), f"{TOO_LARGE}: it is larger than {LONGEST_BYTES // 10**6} MB", Where(shown, 1)
    try:
        coding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        text = content.decode(coding)
    except (SyntaxError, ValueError, LookupError) as e:  # ValueError: UnicodeError of codecs like idna
        return Source(shown, content.decode("utf-8", "replace")), f"it can't be decoded: {e}", Where(shown, 1)
    text = text.removeprefix("\ufeff")
    if len(text) > MOST_MARKS and len(text) - len(text.translate(MARKS)) > MOST_MARKS:
        return Source(shown, ""), f"{TOO_LARGE}: it has more code than anybody writes in one file", Where(shown, 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a SyntaxWarning of the user's file is not ours to print
            tree = ast.parse(text)
    except SyntaxError as e:
        return Source(shown, text), f"{e.msg}", Where(shown, e.lineno or 0, e.offset or 0)
    except (RecursionError, MemoryError) as e:
        return Source(shown, text), f"{TOO_LARGE}: it is nested too deeply ({type(e).__name__})", Where(shown, 1)
    except ValueError as e:
        return Source(shown, text), f"it can't be parsed: {str(e) or type(e).__name__}", Where(shown, 1)
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
        self.search: list[Path] = []  # folders that the app puts on sys.path
        self.loaded: dict[Path, Interpreter | None] = {}
        self.above: dict[Path, list[str]] = {}  # by the importer's folder: where else its imports may start

    def close(self) -> None:
        """Scopes hold each other: taken apart, they are freed without the collector."""
        for scope in self.loaded.values():
            if scope is not None:
                vars(scope).clear()
        self.loaded.clear()

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
        for base in self._bases(importer, parts, level):
            stem = os.path.join(base, *parts)  # noqa: PTH118  # strings: a hundred names are asked for in one app
            for candidate in (f"{stem}.py" if parts else "", f"{stem}/__init__.py"):
                try:
                    if not os.path.isfile(candidate):  # noqa: PTH113
                        continue
                    found = Path(candidate).resolve()
                except (OSError, ValueError):
                    continue
                if found.is_relative_to(self.project):
                    return found
        return None

    def _bases(self, importer: Path, parts: list[str], level: int) -> list[str]:
        """Folders that an import may start from: the importer's, those above it in the project, and of sys.path."""
        if level:
            return [str(importer.parents[min(level, len(importer.parents)) - 1])]
        key = importer.parent
        if key not in self.above:
            inside = [f for f in importer.parents[1:] if f.is_relative_to(self.project)]
            self.above[key] = [str(f) for f in (self.project, self.project / "src", *inside)]
        package = [str(self.project.parent)] if parts[:1] == [self.project.name] else []
        return list(dict.fromkeys([str(key), *map(str, self.search), *self.above[key], *package]))


class _Images:
    """The chains of one reading as the model holds them; each is made once, when somebody asks for it."""

    def __init__(self, shared: Shared, mine: list[Decorated]) -> None:
        self.made: dict[int, tuple[ImageValue, Image]] = {}
        self.used: set[int] = set()
        self.variables: dict[int, str] = {}
        values = [v for each in mine for v in (each.call.kwargs.get("image"), each.app.defaults.get("image"))]
        noted = [*shared.images, *(("", image) for value in values for image in images_of(value))]
        self.noted = {id(image): image for _, image in noted}
        for variable, image in noted:
            self.variables[id(image)] = self.variables.get(id(image)) or variable

    def of_value(self, value: ImageValue) -> Image:
        self.used.add(id(value))
        return self._image(value)

    def _image(self, value: ImageValue) -> Image:
        if id(value) not in self.made:
            image = Image(
                steps=value.steps,
                variable=self.variables.get(id(value), ""),
                source=value.source,
                where=value.last.where,
                is_complete=value.is_complete,
                unresolved=value.unresolved,
            )
            self.made[id(value)] = (value, image)
        return self.made[id(value)][1]

    def maximal(self) -> tuple[Image, ...]:
        """The images without those that are only the beginning of another one, unless a function uses them."""
        inner: set[int] = set()  # ids of steps that another step follows
        for value in self.noted.values():
            links = value.chain()
            next(links)
            for link in links:
                if id(link.last) in inner:
                    break  # what is before it was noted with it
                inner.add(id(link.last))
        ends: dict[int, ImageValue] = {}
        for value in self.noted.values():
            if id(value) in self.used or id(value.last) not in inner:
                ends.setdefault(id(value.last), value)
        made = [self._image(value) for value in ends.values()]
        return tuple(sorted(made, key=lambda i: (i.where.path, i.where.line, i.where.column)))


def _all_of(kind: type[T], *groups: Sequence[object]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(each for group in groups for each in group if isinstance(each, kind)))


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
