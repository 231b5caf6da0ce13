"""Every built-in check as its file says it, read without importing the file: what `list` and `explain` need.

There is no second copy: the files themselves are read.  A test holds the index against the imported checks.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import entry_points
from pathlib import Path

from preflight.engine.select import UnknownCheck, find, in_order
from preflight.facts.removed import removed
from preflight.model import Check, Stage
from preflight.wording import page_of, title_of

HOME = Path(__file__).resolve().parent.parent.parent / "checks"
FOLDERS = ("account", "gpu", "image", "project", "resources", "storage")
GROUP = "preflight.checks"  # of entry points
PAGE = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""')
RULE = re.compile(r'^@rule\(\s*"([A-Z]{2,5}\d{3})".*?^def (\w+)\(.*?^    (""".*?""")', re.MULTILINE | re.DOTALL)
ROWS = re.compile(r"^CHECKS = removals\.rules\(\)", re.MULTILINE)
CHECK = re.compile(r"^CHECK = (Check\(.*\))$", re.MULTILINE | re.DOTALL)  # the last statement of its file


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A check as `list` shows it.  ``module`` is the one to import for it, "" for a plugin's."""

    id: str
    name: str
    stage: Stage
    step: int | None = None
    has_own_line: bool = False
    module: str = ""
    page: str = field(default="", repr=False)  # or the docstring that holds it, as it is written
    own_title: str = ""  # "" where it is the page's headline

    @cached_property
    def doc(self) -> str:
        return page_of(ast.literal_eval(self.page)) if self.page.startswith('"""') else self.page

    @property
    def title(self) -> str:
        return self.own_title or title_of(self.doc)

    @classmethod
    def of(cls, check: Check) -> Listed:
        return cls(
            id=check.id,
            name=check.name,
            own_title=check.title,
            stage=check.stage,
            step=check.step,
            has_own_line=check.has_own_line,
            page=check.doc,
        )


@cache
def listed() -> tuple[Listed, ...]:
    """Every built-in check, in the order of their files.  Raises ValueError for a file that holds none."""
    return tuple(
        entry
        for file in sorted(f for folder in FOLDERS for f in (HOME / folder).glob("*.py"))
        if file.name != "__init__.py"
        for entry in _in_file(file.read_text("utf-8"), f"checks.{file.parent.name}.{file.stem}")
    )


def everything() -> tuple[Listed, ...]:
    """Built-in and plugin checks, in checklist order; a plugin's is imported, since only it can tell."""
    ours = listed()
    points = entry_points(group=GROUP)
    if not points:
        return in_order(ours)
    from preflight.engine import plugins

    return in_order((*ours, *map(Listed.of, plugins.checks(ours, points))))


def found(wanted: str) -> tuple[Listed, ...]:
    """The checks that ``wanted`` means.  Plugins are asked when no check of ours is meant.  Raises UnknownCheck."""
    try:
        return find(in_order(listed()), wanted)
    except UnknownCheck:
        return find(everything(), wanted)


def _in_file(text: str, module: str) -> Iterator[Listed]:
    rules = [(key, name.replace("_", "-"), page) for key, name, page in RULE.findall(text)]
    if ROWS.search(text):
        rules += [(row.id, row.name, row.page) for row in removed()]
    for key, name, page in rules:
        yield Listed(id=key, name=name, stage=Stage.STATIC, page=page, module=module)
    if (check := CHECK.search(text)) is not None:
        call = ast.parse(check[1], mode="eval").body
        given = {k.arg: ast.unparse(k.value) for k in call.keywords} if isinstance(call, ast.Call) else {}
        name = module.rpartition(".")[2].replace("_", "-")
        yield Listed(
            id=ast.literal_eval(given["id"]),
            name=ast.literal_eval(given.get("name", repr(name))),
            stage=Stage[given["stage"].rpartition(".")[2]],
            step=ast.literal_eval(given.get("step", "None")),
            has_own_line=given.get("has_own_line") == "True",
            page=PAGE.findall(text)[0],
            module=module,
        )
    elif not rules:
        raise ValueError(f"{module} holds neither a rule nor CHECK = Check(…)")
