"""Every program that a build step calls is in the image.

Looks at
    `git+…` requirements, and `git`, `curl`, `wget` and `unzip` in shell strings, on bases that are known to have none
    of them (debian_slim, nvidia/cuda, ubuntu, python:*-slim), without an earlier step that installs it.
Why it matters
    pip clones with git: "Cannot find command 'git'", and the image build stops.
Example
    before   modal.Image.debian_slim().pip_install("git+https://github.com/org/repo@v1")
    after    modal.Image.debian_slim().apt_install("git").pip_install("git+https://github.com/org/repo@v1")
Source
    debian_slim's package list, 2026-11-23: no git, curl, wget; brain-go-brr f06dc41.
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Fix,
    Link,
    Recipe,
    ShellCommand,
    Span,
    Where,
    counted,
    error,
    image_links,
    is_bare,
    program_of,
    replaced,
    rule,
)

TOOLS = ("git", "curl", "wget", "unzip")
BRINGS = {  # packages that depend on the tool
    "git": re.compile(r"^(?:git|git-.*|gh|npm|golang.*|devscripts|ubuntu-dev-tools|cvs2svn)(?:=.*)?$"),
    "curl": re.compile(r"^(?:curl|devscripts)(?:=.*)?$"),
    "wget": re.compile(r"^(?:wget|devscripts)(?:=.*)?$"),
    "unzip": re.compile(r"^(?:unzip|zip|devscripts)(?:=.*)?$"),
}


def applies(recipe: Recipe) -> str:
    return counted(len(_judged(recipe)), "build step on a known base", "build steps on known bases")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    told: set[tuple[int, str]] = set()
    for link in _judged(recipe):
        for tool, where, n in _needed(link):
            key = (id(link.image.base), tool)
            if key in told or _is_there(link, tool, n):
                continue
            told.add(key)
            yield error(
                f"{tool} is called here, and neither the base nor an earlier step has it",
                f'add .apt_install("{tool}") before it',
                where,
                why="the image build stops at this step",
                fix=_fix(link, tool),
            )


def _judged(recipe: Recipe) -> list[Link]:
    return [k for k in image_links(recipe) if k.n > 0 and (k.step.pip or k.step.shell) and is_bare(k.image)]


def _needed(link: Link) -> Iterator[tuple[str, Where, int]]:
    """Each tool that the step calls, where, and before which of its shell commands."""
    if link.step.method != "pip_install_private_repos":  # which installs git by itself
        for install in link.step.pip:
            for package in install.packages:
                if "git+" in (package.url or "") or package.written.startswith("git+"):
                    yield "git", package.where or install.where, _position(link, install.where)
    for n, command in enumerate(link.step.shell):
        name, _ = program_of(command)
        if name in TOOLS:
            yield name, command.where, n


def _position(link: Link, where: Where) -> int:
    return next((n for n, c in enumerate(link.step.shell) if c.where == where), len(link.step.shell))


def _is_there(link: Link, tool: str, n: int) -> bool:
    brings = BRINGS[tool]
    for step in link.before:
        if any(brings.match(p) for p in step.apt) or step.method in ("pip_install_private_repos", "micromamba_install"):
            return True
        if not step.is_complete and step.method in ("apt_install", "run_commands", "dockerfile_commands"):
            return True  # what it installs is not in the text
        if step.is_repeated:
            return True
    earlier = [c for step in link.before for c in step.shell] + list(link.step.shell[:n])
    return any(_installs(c, tool) for c in earlier)


def _installs(command: ShellCommand, tool: str) -> bool:
    words = " ".join((*command.words, command.text))
    if re.search(r"\binstall\b", words) and any(BRINGS[tool].match(w) for w in command.words):
        return True
    if program_of(command)[0] in ("bash", "sh", "zsh"):
        return tool in words  # a script or -c string that may install it
    return program_of(command)[0] in ("which", "command", "type") and tool in command.words


def _fix(link: Link, tool: str) -> Fix | None:
    """A step of its own before this one, written as its neighbours are."""
    step, source = link.step, link.image.source
    if step.link is None or step.where.path != source.path:
        return None
    start, text = step.link.start, source.text
    gap = re.match(r"\s*", text[start:])
    dot = start + (gap.end() if gap else 0)
    if text[dot : dot + 1] != ".":
        return None
    before = text[text.rfind("\n", 0, dot) + 1 : dot]
    newline = "\r\n" if "\r\n" in text else "\n"
    tail = f"{newline}{before}" if not before.strip() else ""
    return replaced(source.path, Span(dot, dot), f'.apt_install("{tool}"){tail}', is_safe=True)


CHECK = rule(
    id="IMG900",
    name="app-missing-git",
    title="every program that a build step calls is in the image",
    find=find,
    applies=applies,
)
