"""Finds the built-in checks in the folder beside this package, never by searching sys.path.

``checks`` is a common name.  A user's own ``checks/`` on sys.path must not run in place of ours, so ours is
loaded by path under its own name, and a foreign one that is already imported is refused with both paths.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from preflight.model import Check

HOME = Path(__file__).resolve().parent.parent.parent / "checks"


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


def checks() -> tuple[Check, ...]:
    """Every built-in check, each with its module's docstring as its page."""
    return tuple(_of(module) for module in _modules())


def _modules() -> Iterator[ModuleType]:
    top = package()
    for found in pkgutil.walk_packages(top.__path__, "checks."):
        if not found.ispkg:
            yield importlib.import_module(found.name)


def _of(module: ModuleType) -> Check:
    found = [value for value in vars(module).values() if isinstance(value, Check)]
    if len(found) != 1:
        raise TypeError(f"{module.__name__} holds {len(found)} checks; wanted one")
    return replace(found[0], doc=inspect.cleandoc(module.__doc__ or ""))
