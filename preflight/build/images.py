"""The steps of an app's images, each once, and what a base is known to hold."""

from __future__ import annotations

import ast
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from preflight.app import pip_args
from preflight.app.model import Image, PipInstall, Recipe, ShellCommand, Step
from preflight.app.shell import program
from preflight.app.syntax import Syntax

DEBIAN = re.compile(
    r"^(?:docker\.io/)?(?:library/)?(?:nvidia/cuda:[\w.-]*ubuntu|ubuntu\b|debian\b|python:[\w.-]*(?:slim|bookworm|bullseye"
    r"|trixie)|pytorch/pytorch:)"
)
BARE = re.compile(
    r"^(?:docker\.io/)?(?:library/)?(?:nvidia/cuda:[\w.-]*ubuntu|ubuntu(?::|$)|debian(?::[\w.]*slim|:[\w.]+$|$)|python:[\w.-]*slim)"
)


@dataclass(frozen=True)
class Link:
    """Step number ``n`` of ``image``."""

    image: Image
    n: int
    step: Step

    @property
    def before(self) -> tuple[Step, ...]:
        return self.image.steps[: self.n]

    @property
    def after(self) -> tuple[Step, ...]:
        return self.image.steps[self.n + 1 :]

    @property
    def shell_before(self) -> tuple[ShellCommand, ...]:
        """Of the steps before."""
        return tuple(c for step in self.before for c in step.shell)

    def shell_after(self, command: ShellCommand) -> tuple[ShellCommand, ...]:
        """What runs after a command of the step, in it and in the steps after it."""
        every = [c for step in (self.step, *self.after) for c in step.shell]
        return tuple(every[every.index(command) + 1 :])


def image_links(recipe: Recipe) -> tuple[Link, ...]:
    """Every step of every image once, though several images may begin with it."""
    found: dict[int, Link] = {}
    for image in recipe.images:
        for n, step in enumerate(image.steps):
            found.setdefault(id(step), Link(image, n, step))
    return tuple(sorted(found.values(), key=lambda link: link.step.where))


def shell_strings(step: Step) -> Iterator[tuple[ShellCommand, ...]]:
    """The commands of each shell string of a step: a shell of its own each."""
    commands: list[ShellCommand] = []
    for command in step.shell:
        commands.append(command)
        if command.operator == "":
            yield tuple(commands)
            commands = []
    if commands:
        yield tuple(commands)


def tag_of(image: Image) -> str | None:
    """The registry tag of the base; None when it has none, or the text does not say."""
    base = image.base
    if base is None or base.method != "from_registry":
        return None
    tag = base.args[0] if base.args else base.kwargs.get("tag")
    return tag if isinstance(tag, str) else None


def is_debian(image: Image) -> bool:
    """Whether the base is known to have Debian's or Ubuntu's /bin/sh, which is dash."""
    return _is_slim_or(image, DEBIAN)


def is_bare(image: Image) -> bool:
    """Whether the base is known to have neither git, curl, wget nor unzip."""
    return _is_slim_or(image, BARE)


def _is_slim_or(image: Image, tags: re.Pattern[str]) -> bool:
    if image.base is not None and image.base.method == "debian_slim":
        return True
    tag = tag_of(image)
    return tag is not None and tags.match(tag) is not None


def program_of(command: ShellCommand) -> tuple[str, tuple[str, ...]]:
    """The program's bare name and its arguments, past sudo, env and the like."""
    return program(command.words)


def pip_of(command: ShellCommand) -> PipInstall | None:
    """What a shell command makes pip install; None when it is no ``pip install``."""
    env = {**command.exported, **command.env}
    return pip_args.of_command(command.words, env, where=command.where, span=command.span)


def sources_of(syntax: Syntax, node: ast.AST, depth: int = 3) -> Iterator[ast.AST]:
    """The nodes of an expression and of the module constants that it names, a few names deep."""
    pending, known = deque([(node, depth)]), set[str]()
    while pending:
        each, deep = pending.popleft()
        for inner in ast.walk(each):
            yield inner
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load) and deep > 0 and inner.id not in known:
                known.add(inner.id)
                pending += [(value, deep - 1) for value in syntax.values.get(inner.id, ())]
