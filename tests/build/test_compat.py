"""What compat.toml says, over all of the tables: every part of the tool says the same, and its way out works."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from checks.image import whl_ext_outcome
from checks.image.extensions import ver_ext_torch_floor
from checks.image.indexes import ver_index_hides_pypi
from preflight.app import reader
from preflight.app.model import Recipe
from preflight.build.compat import conflicts, releases_that_fit, torches_that_fit
from preflight.build.forecast import forecasts_of
from preflight.build.known_good import combinations
from preflight.build.outcome import Outcome
from preflight.facts import wheels
from preflight.facts.load import rows
from preflight.facts.torch import dotted
from preflight.facts.types import COMPAT, TORCH, Need, TorchRow
from preflight.model import Finding, Severity
from preflight.rules.form import Context

CONTEXT = Context("2025.06", Path(), datetime(2026, 11, 25, tzinfo=UTC))
PINS = re.compile(r"(torch|mamba-ssm|causal-conv1d)==([\w.]+)")
TORCHES = rows(TORCH)


def app(
    torch: str, cuda: str, python: str, *, mamba: str = "", causal: str = "", cap: str = "transformers<5"
) -> Recipe:
    """An image in which nothing else is wrong than the versions."""
    row = next(r for r in TORCHES if torch in r.patches)
    index = "" if row.pypi_cuda == cuda else f', index_url="https://download.pytorch.org/whl/cu{cuda.replace(".", "")}"'
    toolkit = next(g.toolkit for g in combinations() if g.cuda.split(".")[0] == cuda.split(".")[0])
    setuptools = "setuptools<70" if row.minor in ("2.0", "2.1") else "setuptools"
    numpy = "numpy" if row.numpy2 else "numpy<2"
    off = 'extra_options="--no-build-isolation"'
    steps = [
        f'modal.Image.from_registry("nvidia/cuda:{toolkit}", add_python="{python}")',
        f'.env({{"CC": "gcc", "CXX": "g++"}}).pip_install("torch=={torch}"{index})',
        f'.pip_install("packaging", "wheel", "ninja", "{setuptools}", "{numpy}")',
        f'.pip_install("{cap}")' if cap else "",
        f'.pip_install("causal-conv1d=={causal}", {off})' if causal else "",
        f'.pip_install("mamba-ssm=={mamba}", {off})' if mamba else "",
    ]
    text = f"import modal\nimage = ({''.join(steps)})\n"
    recipe = reader.read(Path("app.py"), project=Path(), content=text.encode())
    assert not recipe.broken, recipe.broken
    return recipe


def errors(recipe: Recipe) -> list[Finding]:
    found = [*ver_ext_torch_floor(recipe, CONTEXT), *ver_index_hides_pypi(recipe, CONTEXT)]
    found += (f for each in forecasts_of(recipe, CONTEXT.builder) for f in whl_ext_outcome.wrong(each))
    return [f for f in found if f.severity is Severity.ERROR]


def is_fine(recipe: Recipe) -> bool:
    return all(
        f.outcome in (Outcome.WHEEL, Outcome.SOURCE) for f in forecasts_of(recipe, CONTEXT.builder)
    ) and not errors(recipe)


def places() -> list[tuple[TorchRow, str, str]]:
    """Each torch in each of its CUDA builds for which an image with a toolkit is known, under a Python that most have."""  # noqa: E501
    toolkits = {g.cuda for g in combinations()} | {"13.0", "13.2"}
    return [
        (row, dotted(build), python)
        for row in TORCHES
        if row.builds_known
        for build in row.builds
        for python in ("3.11",)
        if python in row.python and dotted(build) in toolkits
    ]


def pairs() -> list[tuple[str, str]]:
    """mamba-ssm with causal-conv1d, as PyPI has them; those that the tables do not tell apart are tried once."""
    seen = {}
    for mamba, causal in product(wheels.releases("mamba-ssm"), wheels.releases("causal-conv1d")):
        if mamba.on_pypi and causal.on_pypi:
            rows = tuple(c.need for c in conflicts({"mamba-ssm": mamba.version, "causal-conv1d": causal.version}))
            seen[(rows, str(mamba.wheels), mamba.sdist_has_sources, str(causal.wheels))] = (
                mamba.version,
                causal.version,
            )
    return list(seen.values())


def test_no_pair_that_known_good_refuses_passes_lint() -> None:
    """The last patch of each torch, in every CUDA build.  The other way round: tests/build/test_known_good.py."""
    known = {(g.torch, g.cuda, g.python, g.mamba) for g in combinations()}
    differ = []
    for (row, cuda, python), mamba in product(places(), wheels.releases("mamba-ssm")):
        key = (row.patches[-1], cuda, python, mamba.version)
        if not mamba.on_pypi or key in known:
            continue
        recipe = app(key[0], cuda, python, mamba=mamba.version)
        fine_alone = is_fine(recipe)
        paired = [r.version for r in releases_that_fit("causal-conv1d", {"torch": key[0], "mamba-ssm": mamba.version})]
        for causal in paired[:3] if fine_alone else ():
            with_it = app(key[0], cuda, python, mamba=mamba.version, causal=causal)
            if is_fine(with_it):
                differ.append(f"{key} with {causal} is refused, and lint passes it")
    assert differ == []


def test_every_way_out_passes_the_rules_that_asked_for_it() -> None:
    """What a remedy pins is put in place of what was there; transformers is kept below 5, as another remedy asks."""
    stuck, tried = [], 0
    for (row, cuda, python), (mamba, causal) in product(places()[::4], pairs()[::4]):
        there = {"torch": row.patches[-1], "mamba-ssm": mamba, "causal-conv1d": causal}
        cudas = cuda
        for step in range(4):
            left = errors(app(there["torch"], cudas, python, mamba=there["mamba-ssm"], causal=there["causal-conv1d"]))
            pins = next((f.remedy for f in left if "==" in f.remedy), "")
            if not pins or step == 3:
                break
            tried += 1
            there |= dict(PINS.findall(pins))
            named = re.search(r"\(CUDA ([\d.]+)\)", pins)
            cudas = named[1] if named else cudas
        stuck += [f"{row.minor} cu{cuda} {mamba} {causal} -> {there} cu{cudas}: {f.message}" for f in left]
    assert tried > 20
    assert stuck == []


def test_the_cap_on_transformers_passes_where_the_remedy_puts_it() -> None:
    [clash, told] = errors(app("2.2.2", "12.1", "3.11", mamba="2.2.2", causal="1.4.0", cap=""))
    assert clash.remedy == 'install "transformers<5" from PyPI, in a step of its own before this one'
    assert "fails" in told.message
    assert errors(app("2.2.2", "12.1", "3.11", mamba="2.2.2", causal="1.4.0")) == []


@pytest.mark.parametrize("need", rows(COMPAT), ids=lambda n: f"{n.package}-{n.other}-{n.needs}")
def test_each_row_speaks_of_releases_that_exist_and_is_silent_on_others(need: Need) -> None:
    outside = {
        "torch": "2.3",
        "triton": "3.4.0",
        "transformers": "5.1",
        "cxx": "20",
        "python": "3.8",
        "glibc": "2.17",
        "sm": "53",
    }
    outside |= {"setuptools": "82.0.0", "causal-conv1d": "1.0.0" if need.needs.startswith(">=") else "1.7.0"}
    if need.needs == ">=3.5.0":
        outside["triton"] = "3.0.0"
    versions = [r.version for r in wheels.releases(need.package) if r.on_pypi] or ["13.0", "12.8", "2.0.1", "2.8.0"]
    comes = {need.package: need.comes}
    hit = [
        v
        for v in versions
        if any(c.need == need for c in conflicts({need.package: v, need.other: outside[need.other]}, comes))
    ]
    assert hit
    assert conflicts({need.package: hit[0]}, comes) == ()  # what is not known makes no conflict
    if need.comes:
        assert not any(c.need == need for c in conflicts({need.package: hit[0], need.other: outside[need.other]}))


def test_nothing_is_claimed_of_a_torch_in_no_table() -> None:
    for mamba in (r.version for r in wheels.releases("mamba-ssm")):
        assert conflicts({"torch": "9.1.0", "mamba-ssm": mamba}, {"mamba-ssm": "source"}) == ()


def test_the_torch_that_a_build_needs_is_asked_of_the_table() -> None:
    fitting = torches_that_fit({"mamba-ssm": "2.3.1"}, {"mamba-ssm": "source"})
    assert fitting and not any(row.enforces_cxx20 for row in fitting)
    assert next(row for row in reversed(TORCHES) if not row.enforces_cxx20) == fitting[0]
