"""Code from git is pinned to a commit or a tag.

Looks at
    `git+…` requirements and `git clone` in the build: an `@ref`, `-b tag`, or a later checkout or reset.
Why it matters
    A branch moves. Modal keeps the layer until its text changes, so two people with the same file run two different
    programs, and neither can tell which.
Example
    before   .pip_install("git+https://github.com/owner/project")
    after    .pip_install("git+https://github.com/owner/project@4f10e96c")
How to fix
    Pin the commit: `git+https://…@<sha>`, or `git checkout <sha>` after the clone.
Source
    modal.com/docs/guide/images on caching; llm-finetuning 8ebb8bc6
"""

import re

from preflight.api import Findings, Link, Recipe, Where, app, rule, warning
from preflight.rules.subjects import STEPS

MOVING = frozenset({"main", "master", "dev", "develop", "nightly", "trunk", "HEAD", "latest"})
REF = re.compile(r"^git\+[^@]*(?:@[^/@]+[:/][^@]*)?@([^#/][^#]*)")
SETTLED = frozenset({"checkout", "reset", "switch", "fetch"})


def _uses_git(link: Link) -> bool:
    urls = [p.url or "" for i in link.step.pip for p in i.packages]
    return any(u.startswith("git+") for u in urls) or any(_is_clone(c) for c in link.step.shell)


@rule("IMG400", STEPS.only(_uses_git, "step that takes code from git"))
def find(recipe: Recipe, link: Link) -> Findings:
    step, later = link.step, [c for s in (link.step, *link.after) for c in s.shell]
    places: dict[Where, list[str]] = {}
    for install in step.pip:
        for package in filter(_is_moving, install.packages):
            places.setdefault(app.package_where(step, install, package), []).append(package.url or package.written)
    for command in step.shell:
        if _clones_a_branch(command) and not _is_settled(command, later):
            repository = next((w for w in command.words if "://" in w or "@" in w), "git clone")
            places.setdefault(command.where, []).append(repository)
    for where, moving in places.items():
        each = list(dict.fromkeys(moving))
        yield warning(
            f"{', '.join(each)} {'follows' if len(each) == 1 else 'follow'} a branch",
            "pin the commit: git+https://…@<sha>, or git checkout <sha> after the clone",
            where,
            why="the image can't be built again as it was, and Modal's cache hides when the code has moved",
        )


def _is_moving(package: app.PipPackage) -> bool:
    url = package.url or ""
    if not url.startswith("git+") or "{" in url or "$" in url.split("@")[-1]:
        return False
    found = REF.match(url.replace("git+ssh://git@", "git+ssh://"))
    return found is None or found[1].strip() in MOVING


def _is_clone(command: app.ShellCommand) -> bool:
    words = [w for w in command.words if not w.startswith("-")]
    return len(words) > 1 and words[0].rsplit("/", 1)[-1] == "git" and "clone" in words[:4]


def _clones_a_branch(command: app.ShellCommand) -> bool:
    words = list(command.words)
    for n, word in enumerate(words):
        if word in ("-b", "--branch", "--revision") and n + 1 < len(words):
            return _is_clone(command) and words[n + 1] in MOVING
        if word.startswith(("--branch=", "--revision=")):
            return _is_clone(command) and word.split("=", 1)[1] in MOVING
    return _is_clone(command)


def _is_settled(clone: app.ShellCommand, later: list[app.ShellCommand]) -> bool:
    after = later[later.index(clone) + 1 :] if clone in later else later
    return any(
        c.words and c.words[0].rsplit("/", 1)[-1] == "git" and SETTLED & {*c.words} and c.words[-1] not in MOVING
        for c in after
    )
