"""What the arithmetic gives for whole decorators, against figures that were reckoned by hand."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from preflight.app import reader
from preflight.cost.estimate import Estimate, estimate
from preflight.cost.rates import CPU, MEMORY, Rates, listed
from preflight.cost.reckoning import work_of
from preflight.cost.resources import resources_of
from preflight.settings import BudgetSettings, Settings

DATA = Path(__file__).parents[1] / "data" / "estimates" / "configurations.toml"
CONFIGURATIONS: list[dict[str, Any]] = tomllib.loads(DATA.read_text("utf-8"))["configuration"]
RATES = {
    "today": listed(),
    "seed": Rates({CPU: "0", MEMORY: "0", "gpu_hour_cost_a100_80gb": "5.59"}, "live"),
    "round": Rates({CPU: "0.075", MEMORY: "0.075", "gpu_hour_cost_t4": "0.60"}, "live"),
}


def priced(case: dict[str, Any], folder: Path) -> Estimate:
    above = "\n" + case["above"] if "above" in case else ""
    text = f"import modal\napp = modal.App('x')\n@app.function({case['decorator']}){above}\ndef train():\n    pass\n"
    file = folder / "app.py"
    file.write_text(text, encoding="utf-8")
    recipe = reader.read(file, project=folder)
    function = recipe.functions[0]
    if "epochs" in case:
        budget = BudgetSettings(epochs=case["epochs"], epoch_minutes=Decimal(case["epoch_minutes"]))
    else:
        budget = BudgetSettings(hours=Decimal(case["hours"]))
    work = work_of(replace(Settings(), project=folder, budget=budget), function, recipe, None)
    assert not isinstance(work, str), work
    return estimate(resources_of(function, recipe=recipe), RATES[case["rates"]], work.hours)


@pytest.mark.parametrize("case", CONFIGURATIONS, ids=lambda c: c["name"])
def test_a_configuration_costs_what_was_reckoned_by_hand_to_the_cent(case: dict[str, Any], tmp_path: Path) -> None:
    found = priced(case, tmp_path)
    assert (str(found.usd), str(found.upper_bound_usd)) == (case["usd"], case["upper_bound_usd"])


def test_there_are_at_least_25_configurations_and_no_two_are_the_same() -> None:
    assert len({(c["decorator"], c.get("above"), c["hours"], c["rates"]) for c in CONFIGURATIONS}) >= 25


@pytest.mark.skipif(shutil.which("bc") is None, reason="bc is not installed")
def test_the_figures_are_those_of_their_calculations_in_bc() -> None:
    """bc knows nothing of this program; a nudge of 1e-16 makes up for the digits it cuts off thirds."""
    for case in CONFIGURATIONS:
        for expression, figure in (
            (f"({case['hours']})*({case['hourly']})", case["usd"]),
            (case["most"], case["upper_bound_usd"]),
        ):
            script = f"scale=30\nx=({expression})\nscale=0\n(x*100+0.5000000000000001)/1\n"
            ran = subprocess.run(["bc"], input=script, text=True, capture_output=True, timeout=10)
            assert Fraction(ran.stdout.strip()) / 100 == Fraction(figure), case["name"]


def test_the_seeds_run_is_about_140_dollars_at_its_rates_and_110_at_todays(tmp_path: Path) -> None:
    by_name = {c["name"]: priced(c, tmp_path).usd for c in CONFIGURATIONS}
    assert by_name["the seed's function at the seed's rates, which were the GPU's alone"] == Decimal("139.75")
    assert by_name["the seed's smoke test at the seed's rates"] == Decimal("1.40")
    assert by_name["the seed's function at today's rates"] == Decimal("110.08")


def test_the_upper_bound_does_not_depend_on_the_plan(tmp_path: Path) -> None:
    case = CONFIGURATIONS[0]
    assert priced(case, tmp_path).upper_bound_usd == priced({**case, "hours": "1"}, tmp_path).upper_bound_usd
