"""Every block that `preflight init --recipe` can print is read by our own reader, and does what it says."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from preflight.app import reader
from preflight.app.model import Recipe
from preflight.build.block import block
from preflight.build.forecast import forecasts_of
from preflight.build.known_good import KnownGood, Wanted, best, combinations, nearest, runs_on, why_not
from preflight.build.outcome import Outcome
from preflight.engine import builtin
from preflight.facts import wheels
from preflight.facts.load import rows
from preflight.facts.types import TORCH
from preflight.model import Severity, Stage
from preflight.rules.form import Context, Rule

TAIL = 'app = modal.App("x", image=image)\n@app.function(gpu="A100-80GB", timeout=3600)\ndef f():\n    ...\n'


def read(good: KnownGood) -> Recipe:
    recipe = reader.read(Path("app.py"), project=Path(), content=(block(good) + TAIL).encode())
    assert not recipe.broken, recipe.broken
    return recipe


@cache
def rules() -> tuple[Rule, ...]:
    return tuple(c for c in builtin.checks({Stage.STATIC}) if isinstance(c, Rule))


def findings(good: KnownGood) -> list[tuple[Severity, str]]:
    """What the rules say of its block; the forecast, which is no such rule, is held above."""
    context, recipe = Context("2026.10", Path(), datetime(2026, 11, 25, tzinfo=UTC)), read(good)
    return [(f.severity, f"{rule.name}: {f.message}") for rule in rules() for f in rule(recipe, context)]


def test_every_combination_of_the_tables_ends_as_its_block_says() -> None:
    """Patch releases of one minor do not differ in the tables: of the others every third is tried, under one Python."""
    newest = {p.minor: p.patches[-1] for p in rows(TORCH)}
    assert len(combinations()) > 1000
    others = [g for g in combinations() if g.python == "3.11" and g.torch not in newest.values()]
    for good in (*(g for g in combinations() if g.torch in newest.values()), *others[::3]):
        causal, mamba = forecasts_of(read(good), "2025.06")
        assert causal.outcome is (Outcome.SOURCE if good.causal_compiles else Outcome.WHEEL), (good, causal.text)
        assert mamba.outcome is (Outcome.SOURCE if good.mamba_compiles else Outcome.WHEEL), (good, mamba.text)
        assert (causal.ext.name, causal.version, mamba.version) == ("causal-conv1d", good.causal, good.mamba)


def test_no_rule_reports_an_error_in_any_block() -> None:
    """One Python for each torch, CUDA and mamba-ssm: the rules of Python alone do not look at the rest."""
    each = {(g.torch, g.cuda, g.mamba): g for g in combinations() if g.python != "3.10"}
    assert len(rules()) > 100
    for good in list(each.values())[::3]:
        assert [text for severity, text in findings(good) if severity is Severity.ERROR] == [], good.options


def test_the_best_of_all_has_two_wheels_and_no_warning_either() -> None:
    good = best(Wanted())
    assert good is not None and good.wheels == 2
    assert [text for severity, text in findings(good) if severity is not Severity.INFO] == []


GOOD = [  # the recipes of the compat tables, with their evidence there
    ("2.0.1", "11.8", "3.11", "1.1.4", 2),
    ("2.1.2", "12.1", "3.11", "1.2.0.post1", 2),
    ("2.2.2", "12.1", "3.11", "2.2.2", 2),
    ("2.3.1", "12.1", "3.12", "2.2.2", 2),
    ("2.4.1", "12.1", "3.11", "2.2.4", 2),
    ("2.5.1", "12.4", "3.13", "2.2.4", 2),
    ("2.6.0", "12.4", "3.11", "2.2.4", 2),
    ("2.7.1", "12.8", "3.12", "2.2.6.post3", 2),
    ("2.8.0", "12.8", "3.13", "2.3.1", 2),
    ("2.9.1", "12.8", "3.12", "2.3.2.post1", 1),
    ("2.10.0", "12.8", "3.10", "2.3.2.post1", 1),
    ("2.13.0", "13.0", "3.12", "2.3.2.post1", 0),
]


@pytest.mark.parametrize(("torch", "cuda", "python", "mamba", "wheels_there"), GOOD)
def test_the_known_recipes_are_among_them(torch: str, cuda: str, python: str, mamba: str, wheels_there: int) -> None:
    good = best(Wanted(torch=torch, cuda=cuda, python=python, mamba=mamba))
    assert good is not None
    assert good.wheels == wheels_there


@pytest.mark.parametrize(
    "asked",
    [
        Wanted(torch="2.14"),
        Wanted(torch="2.15.0"),
        Wanted(torch="2.2", mamba="2.3.2.post1"),
        Wanted(torch="2.2", mamba="2.3.1"),
        Wanted(torch="2.5", mamba="2.2.2"),
        Wanted(torch="2.2", python="3.13"),
        Wanted(torch="2.2", cuda="12.8"),
        Wanted(torch="2.4", gpu="B200"),
        Wanted(gpu="B300"),
        Wanted(torch="9.9"),
        Wanted(mamba="2.2.3"),
        Wanted(python="3.9"),
    ],
)
def test_what_is_known_to_fail_is_refused_with_a_reason_and_the_nearest_that_works(asked: Wanted) -> None:
    assert best(asked) is None
    assert "no combination in our tables has all of it" not in why_not(asked)
    near = nearest(asked)
    assert all(f.outcome in (Outcome.WHEEL, Outcome.SOURCE) for f in forecasts_of(read(near), None))


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        (Wanted(torch="2.14"), {"torch": "2.13.0"}),
        (Wanted(torch="2.2", mamba="2.3.1"), {"mamba": "2.3.1"}),
        (Wanted(torch="2.2", python="3.13"), {"torch": "2.2.2", "python": "3.12"}),
        (Wanted(torch="2.2", cuda="12.8"), {"torch": "2.2.2", "cuda": "12.1"}),
        (Wanted(torch="2.6.0", python="3.12", mamba="2.2.5"), {"mamba": "2.2.5", "python": "3.12"}),
    ],
)
def test_the_nearest_keeps_what_can_be_kept(asked: Wanted, kept: dict[str, str]) -> None:
    near = nearest(asked)
    assert {k: getattr(near, k) for k in kept} == kept


def test_the_gpu_is_given_up_last() -> None:
    near = nearest(Wanted(torch="2.2.2", mamba="2.2.2", python="3.11", gpu="B200"))
    assert runs_on(near, "B200")


@pytest.mark.parametrize("gpu", ["T4", "L4", "A10", "A100-80GB", "L40S", "H100", "H200", "B200", "RTX-PRO-6000"])
def test_each_gpu_of_modal_but_the_one_with_wrong_results_has_a_block(gpu: str) -> None:
    good = best(Wanted(gpu=gpu))
    assert good is not None and runs_on(good, gpu)
    assert f"{gpu} among them" in block(good, gpu=gpu)


def test_blackwell_is_not_promised_by_an_older_toolkit() -> None:
    for good in combinations():
        if 100 in good.sms:
            assert tuple(map(int, good.cuda.split("."))) >= (12, 8)
    assert not any(runs_on(g, "B300") for g in combinations())


def test_a_build_is_split_over_the_cores_where_nvcc_can_and_a_wheel_is_not() -> None:
    built, fetched = best(Wanted(torch="2.13")), best(Wanted(torch="2.8"))
    assert built is not None and fetched is not None
    assert '"NVCC_APPEND_FLAGS": "--split-compile=0"' in block(built)
    assert "split-compile" not in block(fetched)


def test_the_index_is_named_only_where_pypi_has_another_cuda() -> None:
    own, pypi = best(Wanted(torch="2.2", cuda="11.8")), best(Wanted(torch="2.2", cuda="12.1"))
    assert own is not None and 'index_url="https://download.pytorch.org/whl/cu118"' in block(own)
    assert pypi is not None and "index_url" not in block(pypi)


def test_an_old_torch_gets_its_caps_and_a_new_one_none() -> None:
    old, new = best(Wanted(torch="2.1")), best(Wanted(torch="2.8"))
    assert old is not None and new is not None
    for cap in ("numpy<2", "transformers<5", "setuptools==69.5.1"):
        assert cap in block(old) and cap not in block(new)


def test_a_python_that_the_newest_builder_lacks_is_said() -> None:
    good = best(Wanted(python="3.10"))
    assert good is not None
    assert "Python 3.10 needs Image Builder 2025.06 or older" in block(good)


def test_a_block_is_python_of_short_lines_and_everything_in_it_is_pinned_or_capped() -> None:
    for good in combinations()[::50]:
        text = block(good)
        ast.parse(text)
        assert max(map(len, text.splitlines())) <= 120
        [image] = reader.read(Path("app.py"), project=Path(), content=(text + TAIL).encode()).images
        packages = [p for _, i in image.pip_installs() for p in i.packages]
        assert all(p.pin or p.specifier in ("<2", "<5") for p in packages)


def test_every_release_that_a_block_names_is_on_pypi() -> None:
    for good in combinations():
        for package, version in (("mamba-ssm", good.mamba), ("causal-conv1d", good.causal)):
            release = wheels.release(package, version)
            assert release is not None and release.on_pypi


@pytest.mark.parametrize(("torch", "is_offered"), [("2.3", True), ("2.4", False), ("2.5", False)])
def test_a_mamba_whose_kernels_need_an_older_triton_is_offered_up_to_the_torch_that_has_it(
    torch: str, is_offered: bool
) -> None:
    offered = {g.mamba for g in combinations() if g.torch.startswith(f"{torch}.")}
    assert ("2.0.4" in offered) is is_offered
    assert offered
