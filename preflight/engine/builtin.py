"""Finds the built-in checks in the folder beside this package, never by searching sys.path.

``checks`` is a common name.  A user's own ``checks/`` on sys.path, or installed into the same folder, must not run in
place of ours or beside it: ours is loaded by path, and no file of it but those of its own folders.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Collection
from types import ModuleType

from preflight.engine import index
from preflight.engine.index import HOME
from preflight.engine.select import UnknownCheck, find
from preflight.model import Check, Stage


def package() -> ModuleType:
    """The ``checks`` package of this distribution; a foreign one that was imported before is set aside."""
    found = sys.modules.get("checks")
    if found is not None and list(getattr(found, "__path__", [])) == [str(HOME)]:
        return found
    for name in [n for n in sys.modules if n == "checks" or n.startswith("checks.")]:
        del sys.modules[name]
    module = ModuleType("checks")
    module.__path__ = [str(HOME)]
    sys.modules["checks"] = module
    return module


def checks(stages: Collection[Stage] = frozenset(Stage), named: Collection[str] = ()) -> tuple[Check, ...]:
    """Every built-in check of these stages.

    With ``named`` only what those names mean is imported; all of them where one is not ours.
    """
    package()
    entries = [entry for entry in index.listed() if entry.stage in stages]
    with contextlib.suppress(UnknownCheck):
        meant = {entry.id for name in named for entry in find(entries, name)}
        entries = [entry for entry in entries if entry.id in meant] if named else entries
    modules = dict.fromkeys(entry.module for entry in entries)
    return tuple(check for name in modules for check in _in(importlib.import_module(name)))


def _in(module: ModuleType) -> tuple[Check, ...]:
    """The module's checks, then those that are rows of a table."""
    own = (value for value in vars(module).values() if isinstance(value, Check))
    return (*own, *getattr(module, "CHECKS", ()))
