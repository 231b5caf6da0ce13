"""One link of an image's chain: its arguments, and what it makes pip, apt and the shell do."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from preflight.app import pip_args, shell
from preflight.app.interpreter.values import Value, shown_value, strings_of, unresolved_in
from preflight.app.model import PipInstall, PipPackage, ShellCommand, Span, Step
from preflight.model import Where

if TYPE_CHECKING:
    from preflight.app.interpreter.module import Interpreter

PIP_METHODS = {"pip_install": "pip", "uv_pip_install": "uv", "pip_install_private_repos": "pip"}
FILE_METHODS = frozenset({"pip_install_from_requirements", "pip_install_from_pyproject"})
SYNC_METHODS = {"uv_sync": "uv-sync", "poetry_install_from_file": "poetry"}
SHELL_METHODS = frozenset({"run_commands", "dockerfile_commands"})
COST_OF_STRING = 100  # steps of reading that a shell string stands for: rules look at each with all before it
COST_OF_COMMAND = COST_OF_PACKAGE = 10
COPYING = frozenset({"add_local_file", "add_local_dir", "copy_local_file", "copy_local_dir"})


def read(
    scope: Interpreter,
    method: str,
    node: ast.Call,
    args: list[Value],
    keywords: dict[str, Value],
    before: Callable[[], Sequence[Step]] = tuple,
) -> Step:
    """The step of ``.method(…)``; pip, apt and shell parts filled in where the method has them.

    ``before`` are the steps of the image so far: they may have copied a file that this one reads.
    """
    spans, at = scope.offsets, scope.where(node)
    args = [shown_value(a, at) for a in args]
    keywords = {k: shown_value(v, at) for k, v in keywords.items()}
    link = _Link(scope, method, node, args, keywords, spans.method(node), spans.span(node))
    commands, pip = link.commands(before) if method in SHELL_METHODS else ((), link.pip())
    begin = spans.span(node.func.value) if isinstance(node.func, ast.Attribute) else None
    return Step(
        method=method,
        where=link.where,
        call=link.span,
        link=Span(begin.end, link.span.end) if begin is not None and link.span is not None else link.span,
        args=tuple(args),
        kwargs=keywords,
        arg_spans=tuple(s for a in node.args if (s := spans.span(a)) is not None),
        kwarg_spans=spans.keywords(node),
        pip=pip,
        shell=commands,
        apt=tuple(p for each in strings_of(args)[0] for p in each.split()) if method == "apt_install" else (),
        env=link.env(),
        is_complete="**" not in keywords and not any(map(unresolved_in, (*args, *keywords.values()))),
        node=node,
    )


@dataclass
class _Link:
    """One step while it is read: ``args`` and ``keywords`` as steps show them, the place of its method, its span."""

    scope: Interpreter
    method: str
    node: ast.Call
    args: list[Value]
    keywords: dict[str, Value]
    where: Where
    span: Span | None

    def env(self) -> dict[str, Value]:
        given = self.args[0] if self.args else self.keywords.get("vars")
        if self.method != "env" or not isinstance(given, dict):
            return {}
        return {k: v for k, v in given.items() if isinstance(k, str)}

    def pip(self) -> tuple[PipInstall, ...]:
        if self.method in SYNC_METHODS:
            tool, gathered = SYNC_METHODS[self.method], pip_args.Gathered(self.where, is_complete=False)
        elif self.method in PIP_METHODS:
            tool, gathered = PIP_METHODS[self.method], self._packages()
        elif self.method in FILE_METHODS:
            tool, gathered = "pip", self._from_file()
        else:
            return ()
        return (gathered.install(tool, {}, self.span),)

    def _packages(self) -> pip_args.Gathered:
        gathered = pip_args.Gathered(self.where, is_complete=strings_of(self.args)[1] and "**" not in self.keywords)
        for text, literal in self._literals():
            self.scope.tick(COST_OF_PACKAGE)
            gathered.packages.append(self._placed(text, literal))
        self._take_keywords(gathered)
        return gathered

    def _from_file(self) -> pip_args.Gathered:
        gathered = pip_args.Gathered(self.where)
        first = self.keywords.get("requirements_txt", self.keywords.get("pyproject_toml"))
        given = self.args[0] if self.args else first
        file = self._inside(given) if isinstance(given, str) else None
        if file is None:
            gathered.is_complete = False
        elif self.method == "pip_install_from_requirements":
            gathered.is_complete = gathered.take_requirements(file)
        else:
            second = self.args[1] if len(self.args) > 1 else None
            extras, _ = strings_of(self.keywords.get("optional_dependencies", second))
            gathered.is_complete = gathered.take_pyproject(file, extras=extras)
        if isinstance(given, str):
            gathered.requirement_files.append(given)
        self._take_keywords(gathered)
        return gathered

    def _take_keywords(self, gathered: pip_args.Gathered) -> None:
        options, index = self.keywords.get("extra_options"), self.keywords.get("index_url")
        if isinstance(options, str):
            try:
                words = shlex.split(options)
            except ValueError:
                words = options.split()
            gathered.take_words(words)
        elif options is not None:
            gathered.is_complete = False
        if isinstance(index, str):
            gathered.index_url = str(index)
        elif index is not None:
            gathered.is_complete = False
        for keyword, into in (("extra_index_url", gathered.extra_index_urls), ("find_links", gathered.find_links)):
            strings, is_all = strings_of(self.keywords.get(keyword))
            into += strings
            gathered.is_complete = gathered.is_complete and is_all
        gathered.is_pre = gathered.is_pre or self.keywords.get("pre") is True
        for file in strings_of(self.keywords.get("requirements"))[0]:
            gathered.take_option("-r", file, folder=self.scope.file.parent)

    def _literals(self) -> Iterator[tuple[str, ast.expr | None]]:
        """Each string of the arguments with the expression that gives it in the call; None past a ``*``."""
        args, nodes = self.args, self.node.args
        if any(isinstance(a, ast.Starred) for a in nodes[:-1]) or len(args) < len(nodes) - 1:
            yield from ((s, None) for s in strings_of(args)[0])
            return
        for n, arg in enumerate(nodes):
            given = args[n:] if isinstance(arg, ast.Starred) else args[n]
            if (
                isinstance(arg, ast.List | ast.Tuple)
                and isinstance(given, list | tuple)
                and len(given) == len(arg.elts)
            ):
                pairs: list[tuple[Value, ast.expr]] = list(zip(given, arg.elts, strict=True))
            else:
                pairs = [(given, arg)]
            yield from ((s, element) for value, element in pairs for s in strings_of(value)[0])

    def _placed(self, text: str, literal: ast.expr | None) -> PipPackage:
        if literal is None:
            return pip_args.package(text, where=self.where)
        span = self.scope.offsets.span(literal) if isinstance(literal, ast.Constant) else None
        return pip_args.package(text, where=self.scope.where(literal), span=span)

    def _inside(self, path: str) -> Path | None:
        """The file of that path below the project: beside the app, or where `modal run` would be started."""
        project = self.scope.shared.project.resolve()
        for base in (self.scope.file.parent, project):
            try:
                file = (base / path).resolve()
                if file.is_relative_to(project) and file.is_file():
                    return file
            except (OSError, ValueError):
                continue
        return None

    def commands(self, before: Callable[[], Sequence[Step]]) -> tuple[tuple[ShellCommand, ...], tuple[PipInstall, ...]]:
        commands: list[ShellCommand] = []
        installs: list[PipInstall] = []
        copied: dict[str, str] = {}  # path in the image → path here
        for step in before() if "-r" in str(self.args) else ():
            copied |= _copied(step)

        def find(path: str) -> Path | None:
            there = [here for to, here in copied.items() if to == path or to.endswith("/" + path.removeprefix("./"))]
            inside = [f"{here}/{path.removeprefix(to)}" for to, here in copied.items() if path.startswith(to + "/")]
            return next((self._inside(found) for found in (*there, *inside)), None)

        for text, literal in self._literals():
            self.scope.tick(COST_OF_STRING)
            if self.method == "dockerfile_commands":
                keyword, _, rest = text.strip().partition(" ")
                if keyword.upper() in ("COPY", "ADD") and len(files := rest.split()) == 2:
                    copied[_target(files[1], files[0])] = files[0]
                if keyword.upper() != "RUN":
                    continue
                text = rest
            found = shell.commands(text, self._locator(text, literal))
            self.scope.tick(COST_OF_COMMAND * len(found))
            commands += found
            for command in found:
                env = {**command.exported, **command.env}
                install = pip_args.of_command(command.words, env, where=command.where, span=command.span, find=find)
                if install is not None:
                    installs.append(install)
        return tuple(commands), tuple(installs)

    def _locator(self, text: str, literal: ast.expr | None) -> shell.Locate:
        """Places of offsets inside a literal; exact when the literal stands in the source as it reads."""
        offsets = self.scope.offsets
        at = self.where if literal is None else self.scope.where(literal)
        span = offsets.span(literal) if isinstance(literal, ast.Constant) else None
        written = self.scope.source.text[span.start : span.end] if span is not None else ""
        if span is None or written.count(text) != 1:
            return lambda start, end: (at, None)
        first = span.start + written.index(text)
        return lambda start, end: (offsets.where_at(first + start), Span(first + start, first + end))


def _copied(step: Step) -> dict[str, str]:
    """Path in the image → path here, of a step that adds a file or a folder."""
    if step.method not in COPYING:
        return {}
    given = [*step.args, *(step.kwargs[k] for k in ("local_path", "remote_path") if k in step.kwargs)]
    here = given[0] if given else None
    there = given[1] if len(given) > 1 else "./"
    if not isinstance(here, str) or not isinstance(there, str):
        return {}
    return {there.rstrip("/") if step.method.endswith("_dir") else _target(there, here): here}


def _target(there: str, here: str) -> str:
    return there + here.rsplit("/", 1)[-1] if there.endswith("/") else there
