"""What a plugin may import: the words of a check, the form of a rule, and what rules look at.

    from preflight.api import Finding, Recipe, rule, warning, PACKAGES
    from preflight.api import app, build, facts, cost

``app``, ``build``, ``facts`` and ``cost`` hold what else a check may ask, by room; ``account`` what Modal tells.  What
reads an app is imported when it is first named, so that a check of another kind does not pay for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from preflight.lookups import Looked, Lookup, LookupFailed
from preflight.model import (
    Answer,
    Check,
    Edit,
    Finding,
    Fix,
    NotApplicable,
    Price,
    Severity,
    Stage,
    Status,
    Unknown,
    Where,
    failed,
    passed,
    warned,
)
from preflight.problems import Kind, Problem
from preflight.settings import Settings

if TYPE_CHECKING:
    from preflight.app.lookups import BUILDER, RECIPE
    from preflight.app.model import Call, Function, Image, Recipe
    from preflight.build.ext_steps import ExtInstall
    from preflight.build.images import Link
    from preflight.rules.findings import advice, error, warning
    from preflight.rules.form import Context, Rule, Subject, rule
    from preflight.rules.subjects import (
        BASES,
        CALLS,
        EXT_INSTALLS,
        FUNCTIONS,
        IMAGES,
        PACKAGES,
        PIP_INSTALLS,
        SHELL_COMMANDS,
        SOURCE_BUILDS,
        STEPS,
        USES,
        WHEELS,
        Install,
        Package,
        Shell,
    )

LATER = {
    "preflight.app.lookups": ("BUILDER", "RECIPE"),
    "preflight.app.model": ("Call", "Function", "Image", "Recipe"),
    "preflight.build.ext_steps": ("ExtInstall",),
    "preflight.build.images": ("Link",),
    "preflight.rules.findings": ("advice", "error", "warning"),
    "preflight.rules.form": ("Context", "Rule", "Subject", "rule"),
    "preflight.rules.subjects": (
        *("BASES", "CALLS", "EXT_INSTALLS", "FUNCTIONS", "IMAGES", "PACKAGES", "PIP_INSTALLS", "SHELL_COMMANDS"),
        *("SOURCE_BUILDS", "STEPS", "USES", "WHEELS", "Install", "Package", "Shell"),
    ),
}
FACADES = ("account", "app", "build", "cost", "facts")

__all__ = [
    "BASES",
    "BUILDER",
    "CALLS",
    "EXT_INSTALLS",
    "FUNCTIONS",
    "IMAGES",
    "PACKAGES",
    "PIP_INSTALLS",
    "RECIPE",
    "SHELL_COMMANDS",
    "SOURCE_BUILDS",
    "STEPS",
    "USES",
    "WHEELS",
    "Answer",
    "Call",
    "Check",
    "Context",
    "Edit",
    "ExtInstall",
    "Finding",
    "Fix",
    "Function",
    "Image",
    "Install",
    "Kind",
    "Link",
    "Looked",
    "Lookup",
    "LookupFailed",
    "NotApplicable",
    "Package",
    "Price",
    "Problem",
    "Recipe",
    "Rule",
    "Settings",
    "Severity",
    "Shell",
    "Stage",
    "Status",
    "Subject",
    "Unknown",
    "Where",
    "advice",
    "error",
    "failed",
    "passed",
    "rule",
    "warned",
    "warning",
]


def __getattr__(name: str) -> Any:
    for module, names in LATER.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    if name in FACADES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
