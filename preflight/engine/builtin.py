"""Finds the built-in checks in the folder beside this package, never by searching sys.path.

``checks`` is a common name.  A user's own ``checks/`` on sys.path must not run in place of ours, so ours is
loaded by path under its own name, and a foreign one that is already imported is refused with both paths.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from preflight.engine import index
from preflight.engine.index import HOME
from preflight.model import Check, Stage


class NameTaken(RuntimeError):
    """Another package called ``checks`` stands where ours must."""


def package() -> ModuleType:
    """The ``checks`` package of this distribution.  Raises NameTaken."""
    found = sys.modules.get("checks")
    if found is not None:
        paths = [Path(p).resolve() for p in getattr(found, "__path__", [])]
        if HOME not in paths:
            raise NameTaken(f"'checks' is already imported from {getattr(found, '__file__', paths)}; ours is {HOME}")
        return found
    spec = importlib.util.spec_from_file_location(
        "checks", HOME / "__init__.py", submodule_search_locations=[str(HOME)]
    )
    if spec is None or spec.loader is None or not HOME.is_dir():
        raise NameTaken(f"the built-in checks are not at {HOME}")
    module = importlib.util.module_from_spec(spec)
    sys.modules["checks"] = module
    spec.loader.exec_module(module)
    return module


def checks(stages: Collection[Stage] = frozenset(Stage)) -> tuple[Check, ...]:
    """Every built-in check of these stages, each with its module's docstring as its page."""
    package()
    modules = dict.fromkeys(entry.module for entry in index.listed() if entry.stage in stages)
    return tuple(check for name in modules for check in _in(importlib.import_module(name)))


def _in(module: ModuleType) -> tuple[Check, ...]:
    """The module's one check, or those that are rows of a table."""
    if (rows := getattr(module, "CHECKS", None)) is not None:
        return tuple(rows)
    found = [value for value in vars(module).values() if isinstance(value, Check)]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} holds {len(found)} checks; wanted one")
    return (replace(found[0], doc=inspect.cleandoc(module.__doc__ or "")),)
