"""The table of the Modal client's names is what its generator makes of the installed client."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import modal
import pytest

from preflight.facts.in_force import FOLDER

GENERATOR = Path(__file__).parents[2] / ".ci" / "modal_api.py"


def test_the_table_comes_out_again_and_is_written_as_it_is_read() -> None:
    spec = importlib.util.spec_from_file_location("modal_api_generator", GENERATOR)
    assert spec is not None and spec.loader is not None
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    shipped = tomllib.loads((FOLDER / "modal_api.toml").read_text("utf-8"))
    if modal.__version__ != shipped["version"]:
        pytest.skip(f"the table is of modal {shipped['version']}, and {modal.__version__} is installed")
    found = generator.table(shipped, shipped["seen"])
    assert found == shipped
    assert tomllib.loads(generator.text(found)) == shipped
