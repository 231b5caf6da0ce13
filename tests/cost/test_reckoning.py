"""The whole document of an estimate, with every key and word of it, for plans that end in different ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from preflight.app import reader
from preflight.app.lookups import PLANNED_FUNCTION, RECIPE, function_named
from preflight.cost.document import document
from preflight.cost.plan import Work
from preflight.cost.rates import CURRENT_RATES, Rates, listed
from preflight.cost.reckoning import Reckoning, reckon, work_of
from preflight.lookups import Looked, Lookup, LookupFailed, World
from preflight.remote.lookups import ENVIRONMENT, RATES, SPEND
from preflight.remote.modal_types import Environment, Spend
from preflight.settings import BudgetSettings, Settings
from preflight.testing import NOON
from tests.kept import assert_kept

MAIN = Environment(
    name="main",
    is_default=True,
    builder=None,
    budget_usd=Decimal(200),
    spend_limit_usd=None,
    spent_usd=Decimal("31.50"),
    is_spend_limit_reached=False,
)
POOR, FREE = replace(MAIN, budget_usd=Decimal(50)), replace(MAIN, budget_usd=None)
REACHED, UNCLEAR = replace(MAIN, is_spend_limit_reached=True), replace(MAIN, unclear="cycle_budget_dollars is nan")
DENIED, NO_RATES = LookupFailed(ENVIRONMENT, "may not list"), LookupFailed(CURRENT_RATES, "cpu_hour_cost is n/a")
NO_APP, NO_FUNCTION = LookupFailed(RECIPE, "no such file"), LookupFailed(PLANNED_FUNCTION, "app.py has no function x")
ODD_RATE = Rates({**listed().rows, "gpu_hour_cost_a100_80gb": "n/a"}, "live")
HEAD = "import modal\napp = modal.App('x')\nvol = modal.Volume.from_name('v')\n"
WHOLE = "gpu='A100-80GB', cpu=24, memory=98304, timeout=86400, volumes={'/v': vol}"
RESUMES = "def train(resume=True):\n    save_checkpoint(resume)\n"
OFF = "def train(resume=False):\n    save_checkpoint(resume)\n"
FORGETS = "def train():\n    torch.save(m, '/v/x.pt')\n"
OPEN = "def train():\n    import subprocess\n    subprocess.run(['torchrun', 'gone.py'])\n"
OPEN_GPU = WHOLE.replace("'A100-80GB'", "open('g').read()")
HOURS, EPOCHS = {"hours": Decimal(20)}, {"epochs": 100, "epoch_minutes": Decimal(15)}
LONG = {"hours": Decimal(60), "epochs": 100, "startup_minutes": Decimal("4.5")}
SPLIT = Rates(listed().rows, "live")


def reckoned(
    folder: Path,
    *,
    call: str = WHOLE,
    body: str = RESUMES,
    gpu: str | None = None,
    is_brief: bool = False,
    budget: Mapping[str, Any] = HOURS,
    **given: object,
) -> Reckoning:
    (folder / "app.py").write_text(f"{HEAD}@app.function({call})\n{body}", encoding="utf-8")
    recipe = reader.read(folder / "app.py", project=folder)
    stands: dict[str, tuple[Lookup[Any], object]] = {
        "environment": (ENVIRONMENT, MAIN),
        "spend": (SPEND, Spend(metered_usd=Decimal("40.25"))),
        "recipe": (RECIPE, recipe),
        "live": (RATES, dict(listed().rows)),
        "function": (PLANNED_FUNCTION, function_named(recipe, "train")),
        "rates": (CURRENT_RATES, SPLIT),
    }
    tried = {key: given.get(name, value) for name, (key, value) in stands.items()}
    settings = Settings(project=folder, app="app.py", budget=BudgetSettings(**budget))
    return reckon(Looked(World(NOON, settings), "a test", {}, tried), gpu=gpu, is_brief=is_brief)


PLANS: dict[str, dict[str, Any]] = {
    "it fits": {},
    "it fits, and is over soon": {"is_brief": True},
    "too long to be over soon": {"is_brief": True, "budget": {"hours": Decimal("21.7")}},
    "epochs": {"budget": EPOCHS},
    "epochs with a start-up of their own": {"budget": EPOCHS | {"startup_minutes": Decimal(30)}},
    "no start-up": {"budget": HOURS | {"startup_minutes": Decimal(0)}},
    "three sessions": {"call": WHOLE + ", retries=2", "budget": LONG},
    "three sessions of unknown checkpoints": {"call": WHOLE + ", retries=2", "budget": {"hours": Decimal(60)}},
    "more sessions than attempts": {"call": WHOLE + ", retries=1", "budget": LONG},
    "an epoch is longer than an attempt": {"budget": {"hours": Decimal(60), "epochs": 2}},
    "too close": {"budget": {"hours": Decimal(25)}},
    "it forgets": {"body": FORGETS, "budget": LONG},
    "it forgets in a short attempt": {"body": FORGETS, "budget": LONG, "call": WHOLE.replace("86400", "3600")},
    "it resumes only when told": {"body": OFF, "budget": LONG, "call": WHOLE + ", retries=3"},
    "whether it resumes is open": {"body": OPEN, "budget": LONG, "call": WHOLE + ", retries=3"},
    "the timeout is open": {"call": WHOLE.replace("86400", "int(open('t').read())")},
    "the timeout is too long": {"call": WHOLE.replace("86400", "108000")},
    "another GPU": {"gpu": "H100:2"},
    "a GPU that is nearly one": {"gpu": "H10O"},
    "a GPU that is none": {"gpu": "XYZ-9"},
    "what names no GPU": {"gpu": "?"},
    "the GPU is open": {"call": OPEN_GPU},
    "the GPU is open, and given": {"call": OPEN_GPU, "gpu": "T4"},
    "the cores are open": {"call": WHOLE.replace("24", "int(open('c').read())", 1)},
    "no length": {"budget": {}, "call": WHOLE + ", retries=1"},
    "no length, and a poor budget": {"budget": {}, "environment": POOR},
    "no epochs": {"budget": {"epochs": 0}},
    "an epoch of no time": {"budget": {"epochs": 1, "epoch_minutes": Decimal(0)}},
    "too many hours": {"budget": {"hours": Decimal(100_001)}},
    "an endless start-up": {"budget": HOURS | {"startup_minutes": Decimal(100_001)}},
    "no log of an epoch": {"budget": {"epochs": 3}},
    "over the budget": {"environment": POOR},
    "over the budget already": {"environment": replace(MAIN, spent_usd=Decimal(250))},
    "over what is allowed": {"budget": HOURS | {"usd": Decimal(20)}},
    "no budget": {"environment": FREE},
    "no budget, and no spend": {"environment": FREE, "spend": LookupFailed(SPEND, "refused")},
    "the limit is reached": {"environment": REACHED},
    "no sense": {"environment": UNCLEAR},
    "no environment": {"environment": DENIED},
    "no environment, and what is allowed": {"environment": DENIED, "budget": HOURS | {"usd": Decimal(100)}},
    "rates of the list": {"rates": listed()},
    "no rates": {"rates": NO_RATES},
    "an odd rate": {"rates": ODD_RATE},
    "no app": {"recipe": NO_APP},
    "no function": {"function": NO_FUNCTION},
}


def test_every_key_and_word_of_an_estimate_is_as_it_was_read_and_kept(tmp_path: Path) -> None:
    assert_kept(
        "estimates", {n: document(reckoned(tmp_path, **p), app="app.py", sandbox="s") for n, p in PLANS.items()}
    )


def test_without_a_length_every_attempt_is_taken_to_its_limit(tmp_path: Path) -> None:
    bound = reckoned(tmp_path, call=WHOLE + ", retries=1", budget={}).at_most
    assert bound is not None and (bound.hours, bound.usd) == (48, Decimal("211.35"))
    assert reckoned(tmp_path).at_most is None


def test_the_work_is_kept_with_its_epochs_and_start_up(tmp_path: Path) -> None:
    found = reckoned(tmp_path, budget=LONG).work
    assert found == Work(
        hours=Fraction(60),
        basis="60 h as given",
        epochs=100,
        epoch_hours=Fraction(3, 5),
        has_startup=True,
        startup_hours=Fraction(3, 40),
    )
    assert reckoned(tmp_path, budget=EPOCHS).work == Work(
        hours=Fraction(25),
        basis="100 epochs of 15 min as given",
        epochs=100,
        epoch_hours=Fraction(1, 4),
        startup_hours=Fraction(1, 20),
        assumptions=("every attempt takes 3 min before its first step",),
    )


@pytest.mark.parametrize(
    ("hours", "is_plan"),
    [("0.000001", True), ("0.0000009", False), ("100000", True), ("100000.1", False), ("0", False), ("-1", False)],
)
def test_the_least_and_the_most_hours(tmp_path: Path, hours: str, is_plan: bool) -> None:
    found = reckoned(tmp_path, budget={"hours": Decimal(hours), "startup_minutes": Decimal(0)})
    assert (found.work is not None) is is_plan
    if not is_plan:
        assert found.refused == f"{Decimal(hours)} hours; wanted more than 0, and 100,000 at most"


def test_a_day_of_timeout_is_modals_most_and_no_more(tmp_path: Path) -> None:
    assert reckoned(tmp_path).impossible == ""
    assert reckoned(tmp_path, call=WHOLE.replace("86400", "86401")).impossible.startswith("timeout= of train is 24")


def test_one_epoch_is_a_plan(tmp_path: Path) -> None:
    budget = BudgetSettings(epochs=1, epoch_minutes=Decimal(90))
    recipe = reader.read(tmp_path / "app.py", project=tmp_path, content=f"{HEAD}@app.function()\n{RESUMES}".encode())
    found = work_of(Settings(project=tmp_path, budget=budget), recipe.functions[0], recipe, None)
    assert isinstance(found, Work) and found.hours == Fraction(3, 2)
