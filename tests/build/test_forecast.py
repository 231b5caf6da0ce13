"""What pip and setup.py do, by era, and what is said of it beforehand."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.app import reader
from preflight.build.forecast import forecasts_of
from preflight.build.outcome import Forecast, Outcome

DEVEL = 'from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")'
TOOLS = '"packaging", "wheel", "setuptools", "ninja", "psutil", "transformers<5"'
CC = '.env({"CC": "gcc", "CXX": "g++"})'


def forecast(
    step: str, *, base: str = DEVEL, torch: str = '"torch==2.2.2"', before: str = CC, builder: str | None = None
) -> Forecast:
    text = f"import modal\nimage = (modal.Image.{base}{before}.pip_install({torch}).pip_install({TOOLS}){step})\n"
    recipe = reader.read(Path("app.py"), project=Path(), content=text.encode())
    assert not recipe.broken, recipe.broken
    [found] = forecasts_of(recipe, builder)
    return found


def pip(*packages: str, isolated: bool = False, index: str = "") -> str:
    listed = ", ".join(f'"{p}"' for p in packages)
    option = "" if isolated else ', extra_options="--no-build-isolation"'
    return f".pip_install({listed}{option}{index})"


def test_the_wheel_that_setup_py_asks_for_is_named() -> None:
    found = forecast(pip("mamba-ssm==2.2.2"))
    assert (found.outcome, found.version) == (Outcome.WHEEL, "2.2.2")
    assert found.wheel is not None
    assert found.wheel.filename == "mamba_ssm-2.2.2+cu122torch2.2cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
    assert found.text == f"prebuilt wheel {found.wheel.filename}"


def test_a_build_says_how_long_at_least_and_split_compile_shortens_it() -> None:
    base = 'from_registry("nvidia/cuda:12.8.1-devel-ubuntu22.04", add_python="3.11")'
    step = pip("causal-conv1d==1.6.1")
    plain = forecast(step, base=base, torch='"torch==2.8.0"')
    split = forecast(
        step, base=base, torch='"torch==2.8.0"', before=CC + '.env({"NVCC_APPEND_FLAGS": "--split-compile=0"})'
    )
    assert plain.outcome is split.outcome is Outcome.SOURCE
    assert plain.minutes == 9.0 and "about 9 min or more" in plain.text
    assert split.minutes is not None and split.minutes < 3
    assert "measured on 16 cores for 1 GPU architecture; this build is for 9" in plain.text


def test_split_compile_does_not_shorten_a_build_with_an_older_nvcc() -> None:
    step = pip("mamba-ssm==2.3.1")
    split = forecast(step, before=CC + '.env({"NVCC_APPEND_FLAGS": "--split-compile=0"})')
    assert split.minutes == forecast(step).minutes


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("mamba-ssm==2.2.2", None),  # no pyproject: hangs on the pip, since wheel and setuptools are there
        ("mamba-ssm==2.3.2.post1", "No module named 'torch'"),
        ("mamba-ssm==2.2.4", "The detected CUDA version"),  # the newest torch is of CUDA 13
        ("mamba-ssm==2.3.1", "The detected CUDA version"),
        ("causal-conv1d==1.5.2", "The detected CUDA version"),
    ],
)
def test_with_isolation_each_era_stops_in_its_own_way(package: str, message: str | None) -> None:
    found = forecast(pip(package, isolated=True))
    assert found.rule == "iso-ext-build-isolation"
    if message is None:
        assert found.outcome is Outcome.UNKNOWN
    else:
        assert found.outcome is Outcome.FAILS
        assert message in found.text


def test_with_isolation_and_a_toolkit_of_the_newest_torch_it_builds_for_that_torch() -> None:
    base = 'from_registry("nvidia/cuda:13.0.0-devel-ubuntu22.04", add_python="3.11")'
    found = forecast(pip("causal-conv1d==1.7.0", isolated=True), base=base, torch='"torch==2.11.0"')
    assert found.outcome is Outcome.BROKEN
    assert "undefined symbols, since the image has torch 2.11.0" in found.text
    mamba = forecast(pip("mamba-ssm==2.3.1", isolated=True), base=base, torch='"torch==2.11.0"')
    assert "#error C++20 or later compatible compiler is required" in mamba.text


def test_uv_always_isolates_a_source_without_a_pyproject() -> None:
    found = forecast('.uv_pip_install("mamba-ssm==2.2.2")')
    assert found.outcome is Outcome.FAILS
    assert "No module named 'packaging'" in found.text


@pytest.mark.parametrize(
    ("base", "message"),
    [
        ('debian_slim("3.11")', "NameError: name 'bare_metal_version' is not defined"),
        (
            DEVEL.replace("devel", "runtime"),
            "FileNotFoundError: [Errno 2] No such file or directory: '/usr/local/cuda/bin/nvcc'",
        ),
        (DEVEL.replace("devel", "base"), "/usr/local/cuda/bin/nvcc"),
    ],
)
def test_nvcc_is_read_before_the_wheel_is_looked_for(base: str, message: str) -> None:
    found = forecast(pip("mamba-ssm==2.2.2"), base=base)
    assert (found.outcome, found.rule) == (Outcome.FAILS, "tool-ext-no-nvcc")
    assert message in found.text


def test_flash_attn_fetches_its_wheel_without_nvcc_but_not_beside_an_empty_cuda_folder() -> None:
    torch = '"torch==2.5.1"'
    assert forecast(pip("flash-attn==2.7.4.post1"), base='debian_slim("3.11")', torch=torch).outcome is Outcome.WHEEL
    runtime = forecast(pip("flash-attn==2.7.4.post1"), base=DEVEL.replace("devel", "runtime"), torch=torch)
    assert runtime.outcome is Outcome.FAILS


def test_skipping_the_build_fetches_the_wheel_without_nvcc_or_leaves_no_kernels() -> None:
    skip = CC + '.env({"MAMBA_SKIP_CUDA_BUILD": "TRUE"})'
    slim = 'debian_slim("3.11")'
    assert forecast(pip("mamba-ssm==2.2.2"), base=slim, before=skip).outcome is Outcome.WHEEL
    found = forecast(pip("mamba-ssm==2.2.2"), base=slim, before=skip, torch='"torch==2.5.1"')
    assert found.outcome is Outcome.NO_KERNELS and found.remedy


@pytest.mark.parametrize(
    ("torch", "message"),
    [
        ("2.2.2", "Command '['which', 'clang++']' returned non-zero exit status 1."),
        ("2.5.1", "error: command 'clang++' failed: No such file or directory"),
        ("2.11.0+cu126", "The current installed version of clang++ (0.0.0) is less than the minimum"),
    ],
)
def test_the_clang_of_add_python_is_noticed_by_each_torch_in_its_own_words(torch: str, message: str) -> None:
    found = forecast(pip("causal-conv1d==1.6.1"), before="", torch=f'"torch=={torch}"')
    if torch == "2.2.2":
        found = forecast(pip("mamba-ssm==2.3.1"), before="")
    assert (found.outcome, found.rule) == (Outcome.FAILS, "tool-add-python-no-cc")
    assert message in found.text


@pytest.mark.parametrize(
    ("torch", "first"),
    [("2.4.1", "clang++"), ("2.5.1", "mismatches the version"), ("2.10.0", "mismatch"), ("2.11.0+cu126", "clang++")],
)
def test_torch_2_5_to_2_10_notice_the_toolkit_before_the_clang_that_is_missing(torch: str, first: str) -> None:
    base = 'from_registry("nvidia/cuda:13.0.1-devel-ubuntu22.04", add_python="3.11")'
    forced = '.env({"MAMBA_FORCE_BUILD": "TRUE"})'
    found = forecast(pip("mamba-ssm==2.2.4"), base=base, torch=f'"torch=={torch}"', before=forced)
    assert found.outcome is Outcome.FAILS
    assert first in found.log


def test_a_wheel_needs_no_compiler() -> None:
    assert forecast(pip("mamba-ssm==2.2.2"), before="").outcome is Outcome.WHEEL


@pytest.mark.parametrize(
    ("torch", "package", "words"),
    [
        ("2.5.1", "mamba-ssm==2.2.2", "missing and no known rule to make it"),
        ("2.14.1", "mamba-ssm==2.3.2.post1", "detected CUDA version"),
        ("2.6.0", "mamba-ssm==2.2.5", "cannot load in the CUDA 12.4 torch 2.6.0"),
        ("2.2.2", "causal-conv1d==1.5.2", "custom_op"),
        ("2.8.0", "mamba-ssm==2.3.2.post1", "torch 2.8.0 brings 3.4.0"),
        ("2.2.0", "mamba-ssm==1.1.1", "nightly"),
    ],
)
def test_pairs_that_do_not_go_together_are_known(torch: str, package: str, words: str) -> None:
    found = forecast(pip(package), torch=f'"torch=={torch}"')
    assert found.outcome not in (Outcome.WHEEL, Outcome.SOURCE)
    assert words in found.text


def test_transformers_5_breaks_the_import_of_an_older_mamba_only() -> None:
    text = ".pip_install('mamba-ssm=={}', extra_options='--no-build-isolation')"
    tools = ".pip_install('packaging', 'wheel', 'setuptools')"

    def one(torch: str, mamba: str) -> Forecast:
        base = f"modal.Image.{DEVEL}{CC}.pip_install('torch=={torch}'){tools}{text.format(mamba)}"
        recipe = reader.read(Path("app.py"), project=Path(), content=f"import modal\ni = {base}\n".encode())
        return forecasts_of(recipe, None)[0]

    old = one("2.2.2", "2.2.2")
    assert (old.outcome, old.rule) == (Outcome.BROKEN, "ver-ext-torch-floor")
    assert one("2.8.0", "2.3.1").outcome is Outcome.WHEEL


@pytest.mark.parametrize(
    ("specifier", "version"),
    [
        ("", "2.3.2.post1"),
        (">=2.0.0", "2.3.2.post1"),
        ("<2.3", "2.2.6.post3"),
        ("~=2.2.2", "2.2.6.post3"),
        ("<2.2.3", "2.2.2"),
    ],
)
def test_an_unpinned_install_means_the_newest_release_that_its_bounds_allow(specifier: str, version: str) -> None:
    assert forecast(pip(f"mamba-ssm{specifier}")).version == version


def test_what_rests_on_the_newest_of_today_says_so() -> None:
    base = 'from_registry("nvidia/cuda:13.0.0-devel-ubuntu22.04", add_python="3.11")'
    found = forecast(pip("causal-conv1d==1.6.1"), base=base, torch='"torch"')
    assert (found.outcome, found.is_certain) == (Outcome.SOURCE, False)
    assert "torch has no pin: today 2.15.0" in found.text


def test_a_git_tag_fetches_the_wheel_of_its_release_and_has_its_sources() -> None:
    tag = "git+https://github.com/state-spaces/mamba.git@v{}"
    assert forecast(pip(tag.format("2.2.2"))).outcome is Outcome.WHEEL
    built = forecast(pip(tag.format("2.2.2")), torch='"torch==2.5.1"')
    assert built.outcome is Outcome.SOURCE  # PyPI's sdist would have none


def test_the_main_branch_installs_no_kernels_unless_it_is_told_to() -> None:
    main = "git+https://github.com/state-spaces/mamba.git@main"
    found = forecast(pip(main))
    assert (found.outcome, found.rule) == (Outcome.NO_KERNELS, "ver-mamba-git-main")
    kept = forecast(pip(main), before=CC + '.env({"MAMBA_KEEP_CUDA_BUILD": "TRUE"})')
    assert kept.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("base", "torch", "step", "words"),
    [
        (
            'from_registry("ghcr.io/me/base:1")',
            '"torch==2.2.2"',
            pip("mamba-ssm==2.2.2"),
            "has nvcc is not in the text",
        ),
        (DEVEL, '"accelerate"', pip("mamba-ssm==2.2.2"), "another package brings"),
        (DEVEL.replace("3.11", "3.11.2"), '"torch==3.9"', pip("mamba-ssm==2.2.2"), "torch 3.9 is not in our table"),
        (DEVEL, '"torch==2.2.2"', pip("flash-attn"), "not pinned"),
        (DEVEL, '"torch==2.2.2"', pip("flash-attn==2.99.0"), "2.99.0 of flash-attn is not in our table"),
        (DEVEL, '"torch==2.2.2"', pip("mamba-ssm==2.2.2", index=', find_links="https://x.test/w"'), "of its own"),
        (DEVEL, '"torch==2.2.2"', pip("https://github.com/state-spaces/mamba/archive/refs/heads/x.zip"), "archive"),
        (DEVEL, '"torch==2.9.1"', pip("causal-conv1d==1.7.0"), "which wheels 1.7.0 has was not read"),
    ],
)
def test_what_the_text_or_the_tables_do_not_say_is_not_guessed(base: str, torch: str, step: str, words: str) -> None:
    found = forecast(step, base=base, torch=torch)
    assert found.outcome is Outcome.UNKNOWN
    assert words in found.text


def test_a_release_without_wheels_from_some_torch_on_compiles_there_though_its_matrix_was_not_read() -> None:
    base = 'from_registry("nvidia/cuda:13.0.0-devel-ubuntu22.04", add_python="3.11")'
    found = forecast(pip("causal-conv1d==1.7.0"), base=base, torch='"torch==2.13.0"')
    assert found.outcome is Outcome.SOURCE


def test_a_false_file_of_torch_2_6_loads_where_torch_has_that_abi() -> None:
    url = "https://github.com/state-spaces/mamba/releases/download/v2.2.5/"
    url += "mamba_ssm-2.2.5+cu12torch2.6cxx11abiFALSE-cp311-cp311-linux_x86_64.whl"
    assert forecast(pip(url), torch='"torch==2.6.0"').outcome is Outcome.BROKEN
    assert forecast(pip(url), torch='"torch==2.6.0+cu126"').outcome is Outcome.WHEEL


def test_images_that_share_their_steps_are_told_once() -> None:
    text = f"import modal\nbase = modal.Image.{DEVEL}{CC}.pip_install('torch==2.2.2').pip_install({TOOLS})"
    text += f"{pip('mamba-ssm==2.2.2')}\na = base.pip_install('x')\nb = base.pip_install('y')\n"
    recipe = reader.read(Path("app.py"), project=Path(), content=text.encode())
    assert len(recipe.images) > 1
    assert len(forecasts_of(recipe, None)) == 1
