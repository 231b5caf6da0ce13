"""`preflight probe` as it is typed: the document, the screen, the exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from preflight.probe import simulated
from preflight.probe.request import blocks_in

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads(files("preflight.report").joinpath("schemas/preflight.probe-1.json").read_text("utf-8"))
CALL = "import sys; from preflight.cli.probe import probe_command as p; sys.exit(p.main(standalone_mode=False))"


def typed(folder, *arguments, has_causal_conv1d=True, **environ):
    paths = (ROOT, *simulated.pythonpath(has_causal_conv1d=has_causal_conv1d))
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SEIZURE", "COLUMNS", "FORCE_COLOR"))}
    clean["PYTHONPATH"] = os.pathsep.join(map(str, paths))
    command = [sys.executable, "-c", CALL, *arguments]
    return subprocess.run(
        command, cwd=folder, env={**clean, **environ}, capture_output=True, text=True, timeout=60, encoding="utf-8"
    )


@pytest.mark.parametrize(
    ("options", "verdict", "exit_code"),
    [
        ({}, "kernels", 0),
        ({"has_causal_conv1d": False}, "partial", 1),
        ({"SEIZURE_MAMBA_FORCE_FALLBACK": "1"}, "conv1d-fallback", 1),
    ],
)
def test_the_document_holds_to_its_schema_and_the_exit_code_to_the_verdict(tmp_path, options, verdict, exit_code):
    done = typed(tmp_path, "--local", "--json", **options)
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert (document["verdict"], document["exit"], done.returncode) == (verdict, exit_code, exit_code)
    assert document["simulated"] is True
    assert document["own_model"] == {"run": False, "said": "your own model was not run", "candidates": []}
    assert "your own model was not run" in document["reason"] or verdict == "partial"
    assert document["reason"].startswith("simulated: ")
    assert done.stderr == ""


def test_the_schema_refuses_a_verdict_with_another_exit_code(tmp_path):
    document = json.loads(typed(tmp_path, "--local", "--json").stdout)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "exit": 1}, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "verdict": "ready"}, SCHEMA)


def test_the_screen_fits_80_columns_says_simulated_and_has_no_escape_codes_in_a_pipe(tmp_path):
    done = typed(tmp_path, "--local", has_causal_conv1d=False)
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in done.stdout
    assert "simulated: stand-in packages answered, no GPU was looked at" in lines
    assert any(line.startswith("PARTIAL   ") for line in lines)
    assert any(line.startswith("   fix install causal-conv1d") for line in lines)
    assert done.returncode == 1


def test_the_screen_survives_an_encoding_without_check_marks(tmp_path):
    done = typed(tmp_path, "--local", PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
    assert done.returncode == 0
    assert " + Mamba " in done.stdout


def test_a_python_that_is_not_there_could_not_run(tmp_path):
    done = typed(tmp_path, "--local", "--python", "/nowhere/python", "--json")
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
def test_a_wrong_command_line_is_a_usage_error(tmp_path, arguments, said):
    done = typed(tmp_path, *arguments)
    assert done.returncode != 0
    assert said in done.stderr


def test_a_project_is_probed_for_the_blocks_that_its_code_imports(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.preflight.probe]\n")
    (tmp_path / "net.py").write_text("from mamba_ssm import Mamba2\n")
    document = json.loads(typed(tmp_path, "--local", "--json").stdout)
    assert [b["block"] for b in document["blocks"]] == ["Mamba2"]


def test_the_configured_model_and_switch_are_used(tmp_path):
    (tmp_path / "pyproject.toml").write_text(
        '[tool.preflight.probe]\nmodel = "net:make"\nblocks = ["Mamba"]\nfallback-env = "MY_SWITCH"\n'
    )
    (tmp_path / "net.py").write_text(
        "import torch\nfrom mamba_ssm import Mamba\ndef make():\n    return Mamba(8), torch.randn(1, 2, 8)\n"
    )
    document = json.loads(typed(tmp_path, "--local", "--json", MY_SWITCH="1").stdout)
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
