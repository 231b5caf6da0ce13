"""The forecast as a check: it fails only where no other rule speaks, and stands back, not green, where one does."""

from __future__ import annotations

import itertools
import json
import random
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from checks.image import whl_ext_outcome
from preflight.app import reader
from preflight.app.lookups import BUILDER, RECIPE
from preflight.app.model import Recipe
from preflight.build.forecast import forecasts_of
from preflight.build.outcome import Outcome
from preflight.engine import builtin
from preflight.model import Result, Severity, Status
from preflight.rules.form import Context, Rule
from preflight.settings import Settings
from preflight.testing import run_check
from tests.conftest import Preflight

HEAD = 'import modal\nimage = modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")\n'
READY = HEAD + 'image = image.pip_install("torch==2.2.2", "numpy<2", "packaging", "wheel", "ninja", "transformers<5")\n'
RULES = {c.name: c for c in builtin.checks() if isinstance(c, Rule)}
OFF = 'extra_options="--no-build-isolation"'

GOOD = (Outcome.WHEEL, Outcome.SOURCE)


def read(text: str) -> Recipe:
    recipe = reader.read(Path("app.py"), project=Path(), content=text.encode())
    assert not recipe.broken, recipe.broken
    return recipe


def checked(text: str, *, builder: str | None = None) -> Result:
    return run_check(whl_ext_outcome.CHECK, {RECIPE: read(text), BUILDER: builder}, settings=Settings(app="app.py"))


def test_wheels_pass_and_each_is_named_with_its_line() -> None:
    result = checked(READY + f'image = image.pip_install("causal-conv1d==1.4.0", "mamba-ssm==2.2.2", {OFF})\n')
    assert result.status is Status.PASS
    assert result.reason.startswith("line 4, causal-conv1d 1.4.0: prebuilt wheel causal_conv1d-1.4.0+cu122torch2.2")
    assert "line 4, mamba-ssm 2.2.2: prebuilt wheel mamba_ssm-2.2.2+cu122torch2.2" in result.reason
    assert result.answer is not None
    steps = result.answer.seen["steps"]
    assert [s["ending"] for s in steps] == ["wheel", "wheel"]
    assert json.loads(json.dumps(steps)) == steps


def test_a_source_build_passes_and_says_its_minutes() -> None:
    step = f'image = image.env({{"CC": "gcc", "CXX": "g++"}}).pip_install("mamba-ssm==2.3.1", {OFF})\n'
    result = checked(READY + step)
    assert result.status is Status.PASS
    assert "source build, about 5 min or more" in result.reason


def test_where_another_rule_reports_the_cause_it_fails_too_and_names_that_rule() -> None:
    result = checked(HEAD + f'image = image.pip_install("torch==2.2.2").pip_install("mamba-ssm==2.2.2", {OFF})\n')
    assert result.status is Status.FAIL
    [finding] = result.findings
    assert (finding.message, finding.remedy) == ("mamba-ssm 2.2.2 stops the image build", "see iso-missing-build-deps")
    assert (finding.why, finding.evidence) == ("", ())  # told once, where it is reported
    assert "No module named 'packaging'" in result.reason


def test_who_ignores_the_rule_that_reports_the_cause_ignores_what_follows_from_it() -> None:
    step = f'.pip_install("mamba-ssm==2.2.2", {OFF})  # preflight: ignore[iso-missing-build-deps] ours'
    result = checked(HEAD + f'image = image.pip_install("torch==2.2.2")\nimage = image{step}\n')
    assert result.findings == ()


def test_what_the_text_does_not_say_is_unknown_and_never_green() -> None:
    text = (
        f'import modal, os\nimage = modal.Image.from_registry(os.environ["B"]).pip_install("mamba-ssm==2.2.2", {OFF})\n'
    )
    result = checked(text)
    assert (result.status, result.findings) == (Status.UNKNOWN, ())
    assert "not known" in result.reason


def test_a_forced_build_whose_variable_is_not_in_the_text_is_unknown_and_no_failure() -> None:
    ready = (
        READY.replace("import modal", "import modal, os")
        + 'image = image.env({"MAMBA_FORCE_BUILD": os.environ["MB"]})\n'
    )
    result = checked(ready + f'image = image.pip_install("mamba-ssm==2.2.2", {OFF})\n')
    assert (result.status, result.findings) == (Status.UNKNOWN, ())
    assert "MAMBA_FORCE_BUILD" in result.reason


def test_a_release_that_the_table_lacks_is_unknown_with_something_to_do() -> None:
    result = checked(READY + f'image = image.pip_install("mamba-ssm==9.9", {OFF})\n')
    assert result.status is Status.UNKNOWN
    assert "release 9.9 of mamba-ssm is not in our table" in result.findings[0].message


def test_of_a_torch_that_the_table_lacks_nothing_is_claimed() -> None:
    text = (
        HEAD
        + f'image = image.pip_install("torch==9.1.0", "packaging", "wheel").pip_install("mamba-ssm==2.3.1", {OFF})\n'
    )
    result = checked(text)
    assert result.status is Status.UNKNOWN
    assert "torch 9.1.0 is not in our table" in result.reason
    assert "compile" not in result.reason


def test_a_cause_that_no_rule_reports_is_an_error_and_a_warning_where_it_rests_on_today() -> None:
    cpu = 'image = image.pip_install("torch==2.2.2", index_url="https://download.pytorch.org/whl/cpu")'
    text = HEAD + cpu + f'.pip_install("packaging", "wheel").pip_install("mamba-ssm==2.2.2", {OFF})\n'
    [finding] = checked(text).findings
    assert finding.severity is Severity.ERROR
    base = 'import modal\nimage = modal.Image.from_registry("nvidia/cuda:13.0.0-devel-ubuntu22.04", add_python="3.11")'
    tools = '.env({"CC": "gcc", "CXX": "g++"}).pip_install("torch", "packaging", "wheel")'
    [finding] = checked(f'{base}{tools}.pip_install("mamba-ssm", {OFF})\n').findings
    assert finding.severity is Severity.WARNING
    assert "C++20" in finding.message


def test_a_finding_can_be_ignored_in_the_file() -> None:
    step = f'image = image.pip_install("mamba-ssm==9.9", {OFF})  # preflight: ignore[whl-ext-outcome] ours\n'
    result = checked(READY + step)
    assert result.findings == ()
    assert result.status is not Status.WARN


def test_an_app_without_these_packages_is_skipped() -> None:
    assert checked(READY).status is Status.SKIP


def test_the_builder_decides_what_stands_in_the_image() -> None:
    text = HEAD + 'image = image.pip_install("torch==2.2.2", "packaging", "transformers<5")\n'
    text += f'image = image.pip_install("mamba-ssm==2.2.2", {OFF})\n'
    assert checked(text, builder="2024.10").status is Status.PASS  # its images hold wheel
    assert "No module named 'wheel'" in checked(text, builder="2025.06").reason


BASES = (
    'debian_slim("3.11")',
    "debian_slim()",
    'from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")',
    'from_registry("nvidia/cuda:12.1.1-devel-ubuntu24.04", add_python="3.12")',
    'from_registry("nvidia/cuda:13.0.0-devel-ubuntu22.04", add_python="3.12")',
    'from_registry("nvidia/cuda:12.4.1-runtime-ubuntu22.04", add_python="3.11")',
    'from_registry("nvidia/cuda:11.8.0-devel-ubuntu20.04", add_python="3.10")',
    'from_registry("pytorch/pytorch:2.5.1-cuda12.4-cudnn9-devel")',
    'from_registry("ubuntu:22.04", add_python="3.11")',
    'from_registry("ghcr.io/me/mine:1")',
)
TORCHES = (
    "",
    '"torch"',
    '"torch==2.1.2"',
    '"torch==2.2.2"',
    '"torch==2.6.0"',
    '"torch==2.8.0"',
    '"torch==2.14.1"',
    '"accelerate"',
)
TOOLS = (
    "",
    '.pip_install("packaging", "wheel", "setuptools", "ninja")',
    '.pip_install("transformers<5", "packaging", "wheel")',
)
ENVS = ("", '.env({"CC": "gcc", "CXX": "g++"})', '.env({"MAMBA_FORCE_BUILD": "TRUE"})', '.apt_install("clang")')
PACKAGES = (
    "mamba-ssm", "mamba-ssm==2.2.2", "mamba-ssm==2.2.5", "mamba-ssm==2.3.2.post1", "mamba-ssm>=2.0.0", "mamba-ssm<2.2",
    "causal-conv1d==1.4.0", "causal-conv1d==1.5.2", "causal-conv1d>=1.4.0", "causal-conv1d==1.7.0",
    "flash-attn", "flash-attn==2.6.3", "git+https://github.com/state-spaces/mamba.git", "git+https://github.com/state-spaces/mamba.git@v2.2.4",
    "https://github.com/state-spaces/mamba/releases/download/v2.2.4/mamba_ssm-2.2.4+cu12torch2.2cxx11abiFALSE-cp311-cp311-linux_x86_64.whl",
)  # fmt: skip


@cache
def _apps() -> tuple[tuple[str, Recipe], ...]:
    """Apps in which each pair of choices stands together at least once, and 250 more; read once for all tests."""
    options = ("", ', extra_options="--no-build-isolation"')
    every = list(itertools.product(BASES, TORCHES, TOOLS, ENVS, PACKAGES, options))
    random.Random(6).shuffle(every)
    together: set[tuple[int, int, str, str]] = set()
    chosen = every[:250]
    for each in every:
        pairs = {(a, b, each[a], each[b]) for a, b in itertools.combinations(range(len(each)), 2)}
        if not pairs <= together:
            together |= pairs
            chosen.append(each)
    texts = [_app(*each) for each in chosen]
    return tuple((text, read(text)) for text in texts)


def _app(base: str, torch: str, tools: str, env: str, package: str, option: str) -> str:
    first = f".pip_install({torch})" if torch else ""
    return f'import modal\nimage = modal.Image.{base}{env}{first}{tools}.pip_install("{package}"{option})\n'


def test_the_rule_that_a_forecast_leaves_a_cause_to_really_reports_it() -> None:
    silent = []
    for text, recipe in _apps():
        for builder in (None, "2025.06"):
            context = Context(builder, Path(), datetime(2026, 11, 25, tzinfo=UTC))
            for each in forecasts_of(recipe, builder):
                if each.outcome in GOOD or not each.rule:
                    continue
                if not RULES[each.rule](recipe, context):
                    silent.append(f"{each.rule} · {each.text} · {text}")
    assert silent == []


def test_every_forecast_that_is_not_good_has_a_teller_a_remedy_or_a_reason() -> None:
    endings = set()
    for text, recipe in _apps():
        for each in forecasts_of(recipe, None):
            endings.add(each.outcome)
            assert each.text
            assert each.outcome in (*GOOD, Outcome.UNKNOWN) or each.rule or each.remedy, (each.text, text)
    assert endings == set(Outcome)


def test_lint_and_run_show_it_on_a_line_of_its_own(preflight: Preflight, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        READY + f'image = image.pip_install("mamba-ssm==2.2.2", {OFF})\napp = modal.App("x", image=image)\n'
    )
    for words in (("lint", "app.py"), ("lint", "-v", "app.py"), ("run", "--stage", "static", "app.py")):
        ran = preflight(*words, cwd=tmp_path)
        [line] = [row for row in ran.out.splitlines() if "whl-ext-outcome" in row and "✓" in row]
        assert "line 4, mamba-ssm 2.2.2: prebuilt wheel" in line
