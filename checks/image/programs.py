"""The programs that a build step calls."""

import re
from collections.abc import Iterator

from preflight.api import Findings, Fix, Link, Recipe, Where, app, build, error, rule
from preflight.rules.edits import newline_of
from preflight.rules.subjects import LINKS

BRINGS = {  # packages that depend on the tool
    "git": re.compile(r"^(?:git|git-.*|gh|npm|golang.*|devscripts|ubuntu-dev-tools|cvs2svn)(?:=.*)?$"),
    "curl": re.compile(r"^(?:curl|devscripts)(?:=.*)?$"),
    "wget": re.compile(r"^(?:wget|devscripts)(?:=.*)?$"),
    "unzip": re.compile(r"^(?:unzip|zip|devscripts)(?:=.*)?$"),
}
JUDGED = LINKS.only(
    lambda k: k.n > 0 and (k.step.pip or k.step.shell) and build.is_bare(k.image), "build step on a known base"
)


@rule("IMG900", JUDGED.by(lambda link: id(link.image.base)))
def app_missing_git(recipe: Recipe, links: list[Link]) -> Findings:
    """Every program that a build step calls is in the image.

    Looks at
        `git+…` requirements, and `git`, `curl`, `wget` and `unzip` in shell strings, on bases that are known to
        have none of them (debian_slim, nvidia/cuda, ubuntu, python:*-slim), without an earlier step that installs
        it.
    Why it matters
        pip clones with git: "Cannot find command 'git'", and the image build stops.
    Example
        before   modal.Image.debian_slim().pip_install("git+https://github.com/org/repo@v1")
        after    modal.Image.debian_slim().apt_install("git").pip_install("git+https://github.com/org/repo@v1")
    How to fix
        Add `.apt_install("git")` (or the tool that the message names) before the step.
    Source
        debian_slim's package list, 2026-11-23: no git, curl, wget; brain-go-brr f06dc41.
    """
    told: set[str] = set()  # of each base and tool, the first step that lacks it
    for link in links:
        for tool, where, n in _needed(link):
            if tool not in told and not _is_there(link, tool, n):
                told.add(tool)
                yield error(
                    f"{tool} is called here, and neither the base nor an earlier step has it",
                    f'add .apt_install("{tool}") before it',
                    where,
                    why="the image build stops at this step",
                    fix=_fix(link, tool),
                )


def _needed(link: Link) -> Iterator[tuple[str, Where, int]]:
    """Each tool that the step calls, where, and before which of its shell commands."""
    if link.step.method != "pip_install_private_repos":  # which installs git by itself
        for install in link.step.pip:
            asking = [p for p in install.packages if "git+" in (p.url or "") or p.written.startswith("git+")]
            commands = link.step.shell if asking else ()
            at = next((n for n, c in enumerate(commands) if c.where == install.where), len(commands))
            for package in asking:
                yield "git", package.where or install.where, at
    for n, command in enumerate(link.step.shell):
        name, _ = build.program_of(command)
        if name in BRINGS:
            yield name, command.where, n


def _is_there(link: Link, tool: str, n: int) -> bool:
    for step in link.before:
        if any(BRINGS[tool].match(p) for p in step.apt) or step.is_repeated:
            return True
        if step.method in ("pip_install_private_repos", "micromamba_install"):
            return True
        if not step.is_complete and step.method in ("apt_install", "run_commands", "dockerfile_commands"):
            return True  # what it installs is not in the text
    earlier = [c for step in link.before for c in step.shell] + list(link.step.shell[:n])
    return any(_installs(c, tool) for c in earlier)


def _installs(command: app.ShellCommand, tool: str) -> bool:
    words = " ".join((*command.words, command.text))
    if re.search(r"\binstall\b", words) and any(BRINGS[tool].match(w) for w in command.words):
        return True
    program = build.program_of(command)[0]
    if program in ("bash", "sh", "zsh"):
        return tool in words  # a script or -c string that may install it
    return program in ("which", "command", "type") and tool in command.words


def _fix(link: Link, tool: str) -> Fix | None:
    """A step of its own before this one, written as its neighbours are."""
    step, source = link.step, link.image.source
    if step.link is None or step.where.path != source.path:
        return None
    text = source.text
    gap = re.compile(r"\s*").match(text, step.link.start)
    dot = gap.end() if gap else step.link.start
    if text[dot : dot + 1] != ".":
        return None
    before = text[text.rfind("\n", 0, dot) + 1 : dot]
    tail = f"{newline_of(text)}{before}" if not before.strip() else ""
    return app.replaced(source.path, app.Span(dot, dot), f'.apt_install("{tool}"){tail}', is_safe=True)
