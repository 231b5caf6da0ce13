"""What a check may import, a plugin's as well as ours: the words of a check and of a rule, and what rules look at.

    from preflight.api import PACKAGES, Findings, Package, Recipe, app, build, facts, rule, warning

``app``, ``build``, ``facts`` and ``cost`` hold what else a check may ask, by room; ``account`` what Modal tells.  What
reads an app is imported when it is first named, so that a check of another kind does not pay for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from preflight.changes import Group as Group
from preflight.lookups import Looked as Looked
from preflight.lookups import Lookup as Lookup
from preflight.lookups import LookupFailed as LookupFailed
from preflight.model import Answer as Answer
from preflight.model import Check as Check
from preflight.model import Edit as Edit
from preflight.model import Finding as Finding
from preflight.model import Fix as Fix
from preflight.model import Json
from preflight.model import NotApplicable as NotApplicable
from preflight.model import Price as Price
from preflight.model import Severity as Severity
from preflight.model import Stage as Stage
from preflight.model import Status as Status
from preflight.model import Unknown as Unknown
from preflight.model import Where as Where
from preflight.problems import Kind as Kind
from preflight.problems import Problem as Problem
from preflight.settings import Settings as Settings

if TYPE_CHECKING:
    from preflight.app.lookups import BUILDER as BUILDER
    from preflight.app.lookups import RECIPE as RECIPE
    from preflight.app.model import Call as Call
    from preflight.app.model import Function as Function
    from preflight.app.model import Image as Image
    from preflight.app.model import Recipe as Recipe
    from preflight.build.ext_steps import ExtInstall as ExtInstall
    from preflight.build.images import Link as Link
    from preflight.rules.findings import Findings as Findings
    from preflight.rules.findings import advice as advice
    from preflight.rules.findings import error as error
    from preflight.rules.findings import warning as warning
    from preflight.rules.form import Context as Context
    from preflight.rules.form import Rule as Rule
    from preflight.rules.form import Subject as Subject
    from preflight.rules.form import rule as rule
    from preflight.rules.subjects import BASES as BASES
    from preflight.rules.subjects import CALLS as CALLS
    from preflight.rules.subjects import EXT_INSTALLS as EXT_INSTALLS
    from preflight.rules.subjects import FUNCTIONS as FUNCTIONS
    from preflight.rules.subjects import IMAGES as IMAGES
    from preflight.rules.subjects import PACKAGES as PACKAGES
    from preflight.rules.subjects import PIP_INSTALLS as PIP_INSTALLS
    from preflight.rules.subjects import SHELL_COMMANDS as SHELL_COMMANDS
    from preflight.rules.subjects import SOURCE_BUILDS as SOURCE_BUILDS
    from preflight.rules.subjects import STEPS as STEPS
    from preflight.rules.subjects import USES as USES
    from preflight.rules.subjects import WHEELS as WHEELS
    from preflight.rules.subjects import Install as Install
    from preflight.rules.subjects import Package as Package
    from preflight.rules.subjects import Shell as Shell

FACADES = ("account", "app", "build", "cost", "facts")
LATER = (  # where the other names are, those that cost least first
    *("rules.findings", "app.lookups", "app.model"),
    *("build.images", "build.ext_steps", "rules.form", "rules.subjects"),
)


def passed(summary: str, **seen: Json) -> Answer:
    return Answer(summary=summary, seen=seen)


def failed(message: str, *, remedy: str, why: str = "", summary: str = "", **seen: Json) -> Answer:
    finding = Finding(severity=Severity.ERROR, message=message, remedy=remedy, why=why)
    return Answer(summary=summary or message, seen=seen, findings=(finding,))


def warned(message: str, *, remedy: str, why: str = "", summary: str = "", **seen: Json) -> Answer:
    finding = Finding(severity=Severity.WARNING, message=message, remedy=remedy, why=why)
    return Answer(summary=summary or message, seen=seen, findings=(finding,))


def __getattr__(name: str) -> Any:
    if name in FACADES:
        return importlib.import_module(f"{__name__}.{name}")
    for module in LATER if not name.startswith("_") else ():
        found = importlib.import_module(f"preflight.{module}")
        if hasattr(found, name):
            return globals().setdefault(name, getattr(found, name))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
