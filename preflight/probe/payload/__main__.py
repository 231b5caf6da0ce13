"""Runs the folder this file stands in, with no other part of preflight installed and nothing left on sys.path."""

import importlib
import importlib.util
import os
import sys
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
NAME = "preflight_payload"


def _load() -> Any:
    spec = importlib.util.spec_from_file_location(
        NAME, os.path.join(HERE, "__init__.py"), submodule_search_locations=[HERE]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules[NAME] = package
    spec.loader.exec_module(package)
    return importlib.import_module(NAME + ".supervise")


if __name__ == "__main__":
    # Python put this folder first on the path: no place to import the user's modules from
    sys.path[:] = [p for p in sys.path if os.path.abspath(p or os.curdir) != HERE]
    sys.exit(_load().main(sys.argv[1:]))
