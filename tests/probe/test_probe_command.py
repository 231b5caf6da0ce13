"""`preflight probe` as it is typed: the document, the screen, the exit code."""

from __future__ import annotations

import io
import json
import os
import re
from importlib.resources import files
from typing import NamedTuple

import click
import jsonschema
import pytest
from msgspec.structs import replace
from rich.console import Console

from preflight.cli.probe import probe_command
from preflight.probe.on_modal import judged
from preflight.probe.request import blocks_in
from preflight.report.screens.probe import show
from tests.probe.conftest import pythonpath

SCHEMA = json.loads(files("preflight.report").joinpath("schemas/preflight.probe-1.json").read_text("utf-8"))


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def typed(tmp_path, monkeypatch, capsys):
    """Runs the command in a folder, in this process; only what it starts is outside."""

    def run(*arguments, has_causal_conv1d=True, **environ):
        for name in [n for n in os.environ if n.startswith(("SEIZURE", "COLUMNS", "FORCE_COLOR"))]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, pythonpath(has_causal_conv1d))))
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        code = probe_command.main([*arguments], standalone_mode=False)
        return Done(code, *capsys.readouterr())

    return run


@pytest.mark.parametrize(
    ("options", "verdict", "exit_code"),
    [
        ({}, "kernels", 0),
        ({"has_causal_conv1d": False}, "partial", 1),
        ({"SEIZURE_MAMBA_FORCE_FALLBACK": "1"}, "conv1d-fallback", 1),
    ],
)
def test_the_document_holds_to_its_schema_and_the_exit_code_to_the_verdict(typed, options, verdict, exit_code):
    done = typed("--local", "--json", **options)
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert (document["verdict"], document["exit"], done.returncode) == (verdict, exit_code, exit_code)
    assert document["simulated"] is True
    assert document["own_model"] == {"run": False, "said": "your own model was not run", "candidates": []}
    assert "your own model was not run" in document["reason"] or verdict == "partial"
    assert document["reason"].startswith("simulated: ")
    assert done.stderr == ""


def test_the_schema_refuses_a_verdict_with_another_exit_code(reading):
    document = judged(reading).as_json()
    jsonschema.validate(document, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "exit": 1}, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "verdict": "ready"}, SCHEMA)


def test_the_screen_fits_80_columns_says_simulated_and_has_no_escape_codes_in_a_pipe(typed):
    done = typed("--local", has_causal_conv1d=False)
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.stdout
    assert "simulated: stand-in packages answered, no GPU was looked at" in lines
    assert any(line.startswith("PARTIAL   ") for line in lines)
    assert any(line.startswith("   fix install causal-conv1d") for line in lines)
    assert done.returncode == 1


def test_the_screen_survives_an_encoding_without_check_marks(reading):
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    show(Console(file=out, width=80), judged(reading), where="this machine")
    out.flush()
    text = out.buffer.getvalue().decode("ascii")
    assert " + Mamba " in text
    assert "? model     your own model was not run" in text


def test_what_a_model_says_can_not_write_over_the_screen(reading):
    document = judged(reading)
    blocks = (replace(document.blocks[0], block="Mamba\x1b[31m\n"), *document.blocks[1:])
    document = replace(document, reason="one\x1b[2Jtwo\nKERNELS   three", blocks=blocks)
    out = io.StringIO()
    show(Console(file=out, width=80), document, where="here")
    assert "\x1b" not in out.getvalue()
    assert sum(line.startswith("KERNELS") for line in out.getvalue().splitlines()) == 1


def test_a_python_that_is_not_there_could_not_run(typed):
    done = typed("--local", "--python", "/nowhere/python", "--json")
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert (document["verdict"], done.returncode) == ("could-not-run", 3)
    assert "there is no interpreter /nowhere/python" in document["reason"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--python", "/usr/bin/python3"), "--python is for --local"),
        (("--local", "--gpu", "A100"), "--gpu and --sandbox are for Modal"),
        (("--local", "--model", "net"), "wanted MODULE:CALLABLE"),
        ((), "no Modal app is in"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(typed, arguments, said):
    with pytest.raises(click.UsageError, match=re.escape(said)):
        typed(*arguments)


def test_a_project_is_probed_for_the_blocks_that_its_code_imports(typed, tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.preflight.probe]\n")
    (tmp_path / "net.py").write_text("from mamba_ssm import Mamba2\n")
    document = json.loads(typed("--local", "--json").stdout)
    assert [b["block"] for b in document["blocks"]] == ["Mamba2"]


def test_the_configured_model_and_switch_are_used(typed, tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.preflight.probe]\nmodel = "net:make"\nblocks = ["Mamba"]\nfallback-env = "MY_SWITCH"\n'
    )
    (tmp_path / "net.py").write_text(
        "import torch\nfrom mamba_ssm import Mamba\ndef make():\n    return Mamba(8), torch.randn(1, 2, 8)\n"
    )
    document = json.loads(typed("--local", "--json", MY_SWITCH="1").stdout)
    assert document["model"]["verdict"] == "kernels"
    assert document["own_model"] == {"run": True, "said": "", "candidates": []}
    assert document["model"]["modules"] == {"mamba_ssm.modules.mamba_simple.Mamba": 1}
    assert (document["verdict"], document["forced"]) == ("kernels", {"MY_SWITCH": "1"})
    assert "whatever MY_SWITCH=1 says" in document["reason"]


def test_blocks_are_found_by_import_and_by_attribute_and_in_no_other_package(tmp_path):
    (tmp_path / "a.py").write_text("import mamba_ssm\nx = mamba_ssm.modules.mamba3.Mamba3\n")
    (tmp_path / "b.py").write_text("try:\n    from mamba_ssm.modules.mamba_simple import Mamba as M\nexcept: pass\n")
    (tmp_path / "c.py").write_text("# mamba_ssm\nfrom other import Mamba2\nimport other\nother.Mamba2\n")
    (tmp_path / "broken.py").write_text("import mamba_ssm (\n")
    (tmp_path / "venv").mkdir()
    (tmp_path / "venv" / "d.py").write_text("from mamba_ssm import Mamba2\n")
    assert blocks_in(tmp_path) == ("Mamba", "Mamba3")
