"""One link of an image's chain: its arguments, and what it makes pip, apt and the shell do."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from preflight.app import pip_args, shell
from preflight.app.interpreter.values import PathValue, Value, shown_value, strings_of, unresolved_in
from preflight.app.model import PipInstall, PipPackage, ShellCommand, Span, Step
from preflight.model import Where

if TYPE_CHECKING:
    from preflight.app.interpreter.module import Interpreter

PIP_METHODS = {"pip_install": "pip", "uv_pip_install": "uv", "pip_install_private_repos": "pip"}
FILE_METHODS = {"pip_install_from_requirements": "pip", "pip_install_from_pyproject": "pip"}
SYNC_METHODS = {"uv_sync": "uv-sync", "poetry_install_from_file": "poetry"}
SHELL_METHODS = frozenset({"run_commands", "dockerfile_commands"})
COST_OF_STRING = 100  # steps of reading that a shell string stands for: rules look at each with all before it
COST_OF_COMMAND = COST_OF_PACKAGE = 10
COPYING = frozenset({"add_local_file", "add_local_dir", "copy_local_file", "copy_local_dir"})
Literal = tuple[str, ast.expr | None]


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
    spans = scope.offsets
    args = [shown_value(a, scope.where(node)) for a in args]
    keywords = {k: shown_value(v, scope.where(node)) for k, v in keywords.items()}
    where, call = spans.method(node), spans.span(node)
    link = call
    if call is not None and isinstance(node.func, ast.Attribute) and node.func.value.end_lineno is not None:
        receiver = spans.span(node.func.value)
        link = Span(receiver.end, call.end) if receiver is not None else call
    pip: tuple[PipInstall, ...] = ()
    commands: tuple[ShellCommand, ...] = ()
    apt: tuple[str, ...] = ()
    if method in PIP_METHODS:
        pip = (_pip(scope, PIP_METHODS[method], node, args, keywords, where, call),)
    elif method in FILE_METHODS:
        pip = (_from_file(scope, method, args, keywords, where, call),)
    elif method in SYNC_METHODS:
        gathered = pip_args.Gathered(is_complete=False)
        pip = (gathered.install(tool=SYNC_METHODS[method], env={}, where=where, span=call),)
    elif method in SHELL_METHODS:
        commands, pip = _shell(scope, method, node, args, where, call, before)
    elif method == "apt_install":
        apt = tuple(p for each in strings_of(args)[0] for p in each.split())
    known_args = not any(unresolved_in(a) for a in args) and "**" not in keywords
    known_keywords = not any(unresolved_in(v) for v in keywords.values())
    return Step(
        method=method,
        where=where,
        call=call,
        link=link,
        args=tuple(args),
        kwargs=keywords,
        arg_spans=tuple(s for a in node.args if (s := spans.span(a)) is not None),
        kwarg_spans={k.arg: s for k in node.keywords if k.arg and (s := spans.span(k)) is not None},
        pip=pip,
        shell=commands,
        apt=apt,
        env=_env(method, args, keywords),
        is_complete=known_args and known_keywords,
        node=node,
    )


def _env(method: str, args: list[Value], keywords: dict[str, Value]) -> dict[str, Value]:
    if method != "env":
        return {}
    given = args[0] if args else keywords.get("vars")
    if not isinstance(given, dict):
        return {}
    return {k: str(v) if isinstance(v, PathValue) else v for k, v in given.items() if isinstance(k, str)}


def _pip(
    scope: Interpreter,
    tool: str,
    node: ast.Call,
    args: list[Value],
    keywords: dict[str, Value],
    where: Where,
    span: Span | None,
) -> PipInstall:
    gathered = pip_args.Gathered()
    for text, literal in _literals(node, args):
        scope.tick(COST_OF_PACKAGE)
        gathered.packages.append(_placed(scope, text, literal, where))
    _, is_all = strings_of(args)
    gathered.is_complete = is_all and "**" not in keywords
    options = keywords.get("extra_options")
    if isinstance(options, str):
        try:
            words = shlex.split(options)
        except ValueError:
            words = options.split()
        pip_args.take_words(gathered, words, where=where, folder=None)
    elif options is not None:
        gathered.is_complete = False
    _take_keywords(gathered, keywords, scope.file.parent, where)
    return gathered.install(tool=tool, env={}, where=where, span=span)


def _take_keywords(gathered: pip_args.Gathered, keywords: dict[str, Value], folder: Path, where: Where) -> None:
    index = keywords.get("index_url")
    if isinstance(index, str):
        gathered.index_url = str(index)
    elif index is not None:
        gathered.is_complete = False
    for keyword, into in (("extra_index_url", gathered.extra_index_urls), ("find_links", gathered.find_links)):
        strings, is_all = strings_of(keywords.get(keyword))
        into += strings
        gathered.is_complete = gathered.is_complete and is_all
    if keywords.get("pre") is True:
        gathered.is_pre = True
    for file in strings_of(keywords.get("requirements"))[0]:
        pip_args.take_option(gathered, "-r", file, where=where, folder=folder)


def _literals(node: ast.Call, args: list[Value]) -> list[Literal]:
    """Each string of the arguments with the expression that gives it in the call; None past a ``*``."""
    if any(isinstance(a, ast.Starred) for a in node.args[:-1]) or len(args) < len(node.args) - 1:
        return [(s, None) for s in strings_of(args)[0]]
    found: list[Literal] = []
    for n, arg in enumerate(node.args):
        given = args[n:] if isinstance(arg, ast.Starred) else args[n]
        if isinstance(arg, ast.List | ast.Tuple) and isinstance(given, list | tuple) and len(given) == len(arg.elts):
            for value, element in zip(given, arg.elts, strict=True):
                found += [(s, element) for s in strings_of(value)[0]]
        else:
            found += [(s, arg) for s in strings_of(given)[0]]
    return found


def _placed(scope: Interpreter, text: str, literal: ast.expr | None, where: Where) -> PipPackage:
    if literal is None:
        return pip_args.package(text, where=where)
    span = scope.offsets.span(literal) if isinstance(literal, ast.Constant) else None
    return pip_args.package(text, where=scope.where(literal), span=span)


def _from_file(
    scope: Interpreter, method: str, args: list[Value], keywords: dict[str, Value], where: Where, span: Span | None
) -> PipInstall:
    gathered = pip_args.Gathered()
    given = args[0] if args else keywords.get("requirements_txt", keywords.get("pyproject_toml"))
    path = str(given) if isinstance(given, str | PathValue) else None
    file = _inside(scope, path)
    if file is None:
        gathered.is_complete = False
    elif method == "pip_install_from_requirements":
        gathered.is_complete = pip_args.take_requirements(gathered, file, where=where)
    else:
        extras, _ = strings_of(keywords.get("optional_dependencies", args[1] if len(args) > 1 else None))
        gathered.is_complete = pip_args.take_pyproject(gathered, file, extras=extras)
    if path is not None:
        gathered.requirement_files.append(path)
    options = keywords.get("extra_options")
    if isinstance(options, str):
        pip_args.take_words(gathered, options.split(), where=where, folder=None)
    _take_keywords(gathered, keywords, scope.file.parent, where)
    return gathered.install(tool="pip", env={}, where=where, span=span)


def _inside(scope: Interpreter, path: str | None) -> Path | None:
    """The file of that path below the project: beside the app, or where `modal run` would be started."""
    if path is None:
        return None
    project = scope.shared.project.resolve()
    for base in (scope.file.parent, project):
        try:
            file = (base / path).resolve()
            if file.is_relative_to(project) and file.is_file():
                return file
        except (OSError, ValueError):
            continue
    return None


def _shell(
    scope: Interpreter,
    method: str,
    node: ast.Call,
    args: list[Value],
    where: Where,
    call: Span | None,
    before: Callable[[], Sequence[Step]],
) -> tuple[tuple[ShellCommand, ...], tuple[PipInstall, ...]]:
    commands: list[ShellCommand] = []
    installs: list[PipInstall] = []
    copied: dict[str, str] = {}  # path in the image → path here
    for step in before() if "-r" in str(args) else ():
        copied |= _copied(step)

    def find(path: str) -> Path | None:
        there = [here for to, here in copied.items() if to == path or to.endswith("/" + path.removeprefix("./"))]
        inside = [f"{here}/{path.removeprefix(to)}" for to, here in copied.items() if path.startswith(to + "/")]
        return _inside(scope, next(iter((*there, *inside)), None))

    for text, literal in _literals(node, args):
        scope.tick(COST_OF_STRING)
        if method == "dockerfile_commands":
            keyword, _, rest = text.strip().partition(" ")
            if keyword.upper() in ("COPY", "ADD") and len(files := rest.split()) == 2:
                copied[_target(files[1], files[0])] = files[0]
            if keyword.upper() != "RUN":
                continue
            text = rest
        at = scope.where(literal) if literal is not None else where
        found = shell.commands(text, _locator(scope, text, literal, at))
        scope.tick(COST_OF_COMMAND * len(found))
        commands += found
        for command in found:
            env = {**command.exported, **command.env}
            install = pip_args.of_command(command.words, env, where=command.where, span=command.span, find=find)
            if install is not None:
                installs.append(install)
    return tuple(commands), tuple(installs)


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


def _locator(scope: Interpreter, text: str, literal: ast.expr | None, at: Where) -> shell.Locate:
    """Places of offsets inside a literal; exact when the literal stands in the source as it reads."""
    span = scope.offsets.span(literal) if isinstance(literal, ast.Constant) else None
    if span is None:
        return lambda start, end: (at, None)
    written = scope.source.text[span.start : span.end]
    inner = written.find(text) if written.count(text) == 1 else -1
    if inner < 0:
        return lambda start, end: (at, None)
    first = span.start + inner

    def locate(start: int, end: int) -> tuple[Where, Span | None]:
        return scope.offsets.where_at(first + start), Span(first + start, first + end)

    return locate
