"""Code from git is pinned to a commit or a tag.

Looks at   `git+…` requirements and `git clone` in the build: an `@ref`, `-b tag`, or a later checkout or reset.
Why        a branch moves.  Modal keeps the layer until its text changes, so two people with the same file run two
           different programs, and neither can tell which.
Before     .pip_install("git+https://github.com/owner/project")
After      .pip_install("git+https://github.com/owner/project@4f10e96c")
Source     modal.com/docs/guide/images on caching; llm-finetuning 8ebb8bc6
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    PipPackage,
    Recipe,
    ShellCommand,
    Step,
    Where,
    counted,
    over_images,
    package_where,
    rule,
    warning,
)

MOVING = frozenset({"main", "master", "dev", "develop", "nightly", "trunk", "HEAD", "latest"})
REF = re.compile(r"^git\+[^@]*(?:@[^/@]+[:/][^@]*)?@([^#/][^#]*)")
SETTLED = frozenset({"checkout", "reset", "switch", "fetch"})


def applies(recipe: Recipe) -> str:
    n = sum(_uses_git(s) for i in recipe.images for s in i.steps)
    return counted(n, "step that takes code from git", "steps that take code from git")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, step in enumerate(image.steps):
        later = [c for s in image.steps[n:] for c in s.shell]
        places: dict[Where, list[str]] = {}
        for install in step.pip:
            for package in install.packages:
                if _is_moving(package):
                    where = package_where(step, install, package)
                    places.setdefault(where, []).append(package.url or package.written)
        for command in step.shell:
            if _clones_a_branch(command) and not _is_settled(command, later):
                places.setdefault(command.where, []).append(_repository(command))
        for where, moving in places.items():
            yield warning(
                f"{', '.join(dict.fromkeys(moving))} follows a branch",
                "pin the commit: git+https://…@<sha>, or git checkout <sha> after the clone",
                where,
                why="the image can't be built again as it was, and Modal's cache hides when the code has moved",
            )


def _is_moving(package: PipPackage) -> bool:
    url = package.url or ""
    if not url.startswith("git+") or "{" in url or "$" in url.split("@")[-1]:
        return False
    found = REF.match(url.replace("git+ssh://git@", "git+ssh://"))
    return found is None or found[1].strip() in MOVING


def _uses_git(step: Step) -> bool:
    return any((p.url or "").startswith("git+") for i in step.pip for p in i.packages) or any(
        _is_clone(c) for c in step.shell
    )


def _is_clone(command: ShellCommand) -> bool:
    words = [w for w in command.words if not w.startswith("-")]
    return len(words) > 1 and words[0].rsplit("/", 1)[-1] == "git" and "clone" in words[:4]


def _clones_a_branch(command: ShellCommand) -> bool:
    if not _is_clone(command):
        return False
    words = list(command.words)
    for n, word in enumerate(words):
        if word in ("-b", "--branch", "--revision") and n + 1 < len(words):
            return words[n + 1] in MOVING
        if word.startswith(("--branch=", "--revision=")):
            return word.split("=", 1)[1] in MOVING
    return True


def _is_settled(clone: ShellCommand, later: list[ShellCommand]) -> bool:
    after = later[later.index(clone) + 1 :] if clone in later else later
    for command in after:
        words = command.words
        if words and words[0].rsplit("/", 1)[-1] == "git" and SETTLED & {*words} and words[-1] not in MOVING:
            return True
    return False


def _repository(command: ShellCommand) -> str:
    return next((w for w in command.words if "://" in w or "@" in w), "git clone")


CHECK = rule(
    id="IMG400",
    name="ver-git-unpinned",
    title="code from git is pinned to a commit or a tag",
    find=find,
    applies=applies,
)
