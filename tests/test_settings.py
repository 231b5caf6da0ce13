"""Settings: what is misspelt or can't be is refused with file, key and what was wanted; their schema is shipped."""

from __future__ import annotations

import dataclasses
import json
import os
import types
import typing
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from preflight.settings import ABOVE_ZERO, CHOICES, GIVEN_BY_US, Settings, SettingsError, load

SCHEMA = files("preflight.report").joinpath("schemas/preflight.settings-1.json")


def read(folder: Path, text: str, name: str = "pyproject.toml") -> Settings:
    (folder / name).write_text(text)
    return load(folder, environ={})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.prefight]\napp = 'a.py'", "did you mean [tool.preflight]?"),
        ("[preflight]\napp = 'a.py'", "wanted [tool.preflight]"),
        ("[tool.preflight]\nskp = []", "no key 'skp'; did you mean skip?"),
        ("[tool.preflight.budget]\nhour = 2", "did you mean hours?"),
        ("[tool.preflight.budget]\nhours = -3", "budget.hours is -3; wanted more than 0"),
        ("[tool.preflight]\nspend-max = -1", "tool.preflight.spend-max is -1; wanted dollars, 0 or more"),
        ("[tool.preflight.budget]\nusd = -1", "budget.usd is -1; wanted 0 or more"),
        ("[tool.preflight.budget]\nepoch-minutes = 0", "budget.epoch-minutes is 0; wanted more than 0"),
        ("[tool.preflight.s3]\nsample = 0", "s3.sample is 0; wanted more than 0"),
        ("[tool.preflight]\nfail-on = 'error'", "fail-on is 'error'; wanted warn or fail"),
        ("[tool.preflight]\nstage = 'all'", "stage is 'all'; wanted static or remote or paid"),
        ("[tool.preflight]\nspend_max = nan", "spend-max is NaN; wanted a number"),
        ("[tool.preflight]\nwatch = ['a', 3]", "watch.1: wanted a string, found 3"),
        ("[tool.preflight]\nfail-on = true", "fail-on: wanted a string, found true"),
        ("[tool.preflight.budget]\nhours = 2026-01-01", "budget.hours: wanted a number, found 2026-01-01"),
        ("[tool.preflight.budget]\nepochs = 1.5", "budget.epochs: wanted a whole number, found 1.5"),
        ("[tool.preflight]\nstate = '/tmp'", "no key 'state'; did you mean stage?"),
        ("[tool.preflight]\nbuilder = 'new'", "builder is 'new'; wanted like '2025.06'"),
    ],
)
def test_what_can_not_be_is_refused_with_what_was_wanted(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as e:
        read(tmp_path, text)
    assert says in str(e.value) and "pyproject.toml" in str(e.value)


def test_other_tools_tables_are_left_alone(tmp_path: Path) -> None:
    assert read(tmp_path, "[tool.prettier]\nx = 1\n[tool.pre-commit]\ny = 2\n").app is None


def test_a_preflight_toml_holds_the_keys_at_its_top(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    settings = read(tmp_path, "app = 'app.py'\nfail-on = 'warn'\n\n[budget]\nhours = 25\n", "preflight.toml")
    assert (settings.app, settings.fail_on, settings.budget.hours) == ("app.py", "warn", Decimal(25))
    assert settings.read_from == tmp_path / "preflight.toml"


def test_settings_in_two_files_are_refused_with_both_names(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.preflight]\napp = 'a.py'\n")
    with pytest.raises(SettingsError, match=r"preflight\.toml and in \[tool\.preflight\] of pyproject\.toml"):
        read(tmp_path, "app = 'b.py'\n", "preflight.toml")


def test_a_preflight_toml_alone_makes_its_folder_the_project(tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text("app = 'app.py'\n")
    (tmp_path / "deep").mkdir()
    assert load(tmp_path / "deep", environ={}).project == tmp_path


# --- the schema -------------------------------------------------------------------------------------------------------


def schema_of(kind: type, at: str = "") -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    fields = [f for f in dataclasses.fields(kind) if at or f.name not in GIVEN_BY_US]
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {f.name.replace("_", "-"): _value(hints[f.name], f"{at}{f.name}", f) for f in fields},
    }


def _value(hint: Any, at: str, field: dataclasses.Field[Any]) -> dict[str, Any]:
    if isinstance(hint, types.UnionType):
        hint = next(a for a in typing.get_args(hint) if a is not type(None))
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return schema_of(hint, f"{at}.")
    if typing.get_origin(hint) is tuple:
        return {"type": "array", "items": {"type": "string"}}
    one: dict[str, Any] = {"type": {str: "string", bool: "boolean", int: "integer"}.get(hint, "number")}
    if at in CHOICES:
        one["enum"] = list(CHOICES[at])
    if at in ABOVE_ZERO:
        one["exclusiveMinimum"] = 0
    if field.default not in (dataclasses.MISSING, None):
        one["default"] = float(field.default) if isinstance(field.default, Decimal) else field.default
    return one


def test_the_shipped_schema_is_that_of_the_settings() -> None:
    """PREFLIGHT_KEEP_SNAPSHOTS=1 writes it anew."""
    wanted = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "[tool.preflight] of pyproject.toml, or preflight.toml",
        **schema_of(Settings),
    }
    text = json.dumps(wanted, indent=1) + "\n"
    if os.environ.get("PREFLIGHT_KEEP_SNAPSHOTS"):
        Path(str(SCHEMA)).write_text(text)
    assert SCHEMA.read_text("utf-8") == text


def test_the_schema_takes_the_example_of_the_readme_and_refuses_a_misspelt_key() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.validate({"app": "a.py", "spend-max": 2, "budget": {"hours": 25}, "lint": {"command": "make q"}}, schema)
    for wrong in ({"skp": []}, {"budget": {"hours": -3}}, {"fail-on": "error"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)
