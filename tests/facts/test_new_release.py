"""What only an overlay knows passes through lint, forecast, recipe, link and diagnosis without an edit of code."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import msgspec
import pytest

from preflight.app import reader
from preflight.binary.link import Target, Verdict, link
from preflight.build.forecast import forecasts_of
from preflight.build.known_good import Wanted, best
from preflight.build.outcome import Outcome
from preflight.diagnosis import diagnose
from preflight.facts.in_force import FOLDER, SYMBOLS
from preflight.facts.load import shipped_rows
from preflight.facts.refresh.renew import table_text
from preflight.facts.refresh.symbols import of_table
from preflight.facts.symbols import read_table, span_of_table
from preflight.facts.torch import newest_torch
from preflight.facts.types import CAUSAL_CONV1D, MAMBA_SSM, TORCH, WheelSet
from preflight.facts.wheels import newest
from tests.facts.conftest import Lay

TORCH_ROW, MAMBA, CAUSAL = "9.1", "9.2.0", "9.3.0"  # nobody has seen them
PYTHON = "3.12"
NEW = Path(__file__).parent.parent / "data" / "binaries" / "op-torch-2.13.0.so"
EXCHANGE = "_ZN3c104cuda14ExchangeDeviceEa"
APP = f"""
import modal
image = (
    modal.Image.from_registry("nvidia/cuda:13.0.1-devel-ubuntu22.04", add_python="{PYTHON}")
    .env({{"CC": "gcc", "CXX": "g++"}})
    .pip_install("torch=={TORCH_ROW}.0", "packaging", "wheel", "setuptools", "ninja", "numpy<3")
    .pip_install("causal-conv1d=={CAUSAL}", "mamba-ssm=={MAMBA}", extra_options="--no-build-isolation")
)
app = modal.App("x", image=image)
@app.function(gpu="A100-80GB", timeout=3600)
def f():
    import mamba_ssm
"""


@cache
def files() -> dict[str, str | bytes]:
    """What a refresh would have written."""
    row = msgspec.structs.replace(
        shipped_rows(TORCH)[-1],
        minor=TORCH_ROW,
        patches=(f"{TORCH_ROW}.0",),
        pypi_cuda="13.0",
        builds=("cu130",),
        cxx11_abi_builds=("cu130",),
        builds_known=True,
        seen=date(2027, 1, 1),
    )
    symbols = of_table(read_table(FOLDER / SYMBOLS))
    newest_bit = 1 << symbols.columns.index(symbols.columns[-1])
    symbols.columns.append(TORCH_ROW)
    symbols.rows = {k: (m | newest_bit << 1, h | (h & newest_bit) << 1) for k, (m, h) in symbols.rows.items()}
    wheels = (WheelSet(cuda="13", torch=(TORCH_ROW,), python=(PYTHON,), abi=("TRUE",)),)
    made: dict[str, str | bytes] = {
        TORCH.file: table_text(TORCH, [row]),
        SYMBOLS: symbols.written(date(2027, 1, 1)),
    }
    for of, version in ((MAMBA_SSM, MAMBA), (CAUSAL_CONV1D, CAUSAL)):
        found = msgspec.structs.replace(
            shipped_rows(of)[-1],
            version=version,
            matrix_known=True,
            wheels=wheels,
            cuda_labels={"13": "cu13"},
            no_wheels_from="",
        )
        made[of.file] = table_text(of, [found])
    return made


@pytest.fixture(autouse=True)
def refreshed(overlay: Lay) -> None:
    overlay(files())


def test_it_is_the_newest_of_its_kind() -> None:
    assert newest_torch().minor == TORCH_ROW
    assert newest("mamba-ssm").version == MAMBA  # type: ignore[union-attr]
    assert span_of_table().endswith(f"to {TORCH_ROW}")


def test_the_forecast_finds_its_wheels() -> None:
    recipe = reader.read(Path("app.py"), project=Path(), content=APP.encode())
    assert [(f.outcome, f.version) for f in forecasts_of(recipe, "2025.06")] == [
        (Outcome.WHEEL, CAUSAL),
        (Outcome.WHEEL, MAMBA),
    ]


def test_lint_has_nothing_against_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from preflight.cli.lint import lint_command

    (tmp_path / "app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(lint_command, ["app.py", "-o", "json=-"], standalone_mode=False)
    assert "not in our table" not in done.output
    assert done.return_value in (0, None), done.output


def test_a_recipe_with_it_is_found() -> None:
    good = best(Wanted(torch=TORCH_ROW))
    assert good is not None
    assert (good.mamba, good.causal, good.wheels) == (MAMBA, CAUSAL, 2)


def test_link_judges_against_it() -> None:
    (one,) = link(NEW, Target(f"{TORCH_ROW}.0+cpu"))
    assert one.verdict is Verdict.LOADS
    assert one.torch_versions[-1] == TORCH_ROW


def test_a_diagnosis_speaks_of_it() -> None:
    cause = diagnose(f"ImportError: /x/selective_scan_cuda.so: undefined symbol: {EXCHANGE}\n").causes[0]
    assert f"2.3 to {TORCH_ROW}" in cause.why


def test_without_the_overlay_it_is_unknown_and_not_wrong(overlay: Lay) -> None:
    from preflight.facts.in_force import put_in_force

    put_in_force(None)
    (one,) = link(NEW, Target(f"{TORCH_ROW}.0+cpu"))
    assert one.verdict is Verdict.UNKNOWN
    assert best(Wanted(torch=TORCH_ROW)) is None
