"""What pip and uv commands install: names, bounds, direct addresses, options, requirement files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.app import pip_args
from preflight.app.model import PipInstall
from preflight.model import Where

AT = Where("app.py", 1)


def _install(*words: str) -> PipInstall | None:
    return pip_args.of_command(words, {}, where=AT, span=None)


@pytest.mark.parametrize(
    ("written", "name", "specifier", "extras", "pin"),
    [
        ("torch", "torch", "", (), None),
        ("torch==2.4.0+cu121", "torch", "==2.4.0+cu121", (), "2.4.0+cu121"),
        ("Flash_Attn >= 2, < 3", "flash-attn", ">=2,<3", (), None),
        ("mamba-ssm[causal-conv1d]==2.2.4", "mamba-ssm", "==2.2.4", ("causal-conv1d",), "2.2.4"),
        ("numpy==1.*", "numpy", "==1.*", (), None),
        ("a; python_version < '3.12'", "a", "", (), None),
        ("git+https://github.com/x/Mamba_SSM.git@v2.2.4", "mamba-ssm", "", (), None),
        ("git+https://github.com/x/y#egg=z", "z", "", (), None),
        ("https://h/flash_attn-2.5.9%2Bcu122torch2.2-cp311-cp311-linux_x86_64.whl", "flash-attn", "", (), None),
        ("causal-conv1d @ git+https://github.com/x/y@main", "causal-conv1d", "", (), None),
        ("./local/pkg", None, "", (), None),
        ("torch ==2.1 oops", "torch", "==2.1 oops", (), None),
    ],
)
def test_a_requirement_is_read(
    written: str, name: str | None, specifier: str, extras: tuple[str, ...], pin: str | None
) -> None:
    found = pip_args.package(written, where=AT)
    assert (found.name, found.specifier, found.extras) == (name, specifier, extras)
    assert found.pin == pin or specifier == "==2.1 oops"


@pytest.mark.parametrize(
    ("words", "tool", "names"),
    [
        (("pip", "install", "torch"), "pip", ["torch"]),
        (("/opt/venv/bin/pip3.11", "install", "torch"), "pip", ["torch"]),
        (("python3", "-m", "pip", "--no-cache-dir", "install", "torch"), "pip", ["torch"]),
        (("uv", "pip", "install", "--system", "torch"), "uv", ["torch"]),
        (("python", "-m", "uv", "pip", "install", "torch"), "uv", ["torch"]),
        (("uv", "sync", "--frozen"), "uv-sync", []),
        (("poetry", "install"), "poetry", []),
        (("sudo", "pip", "install", "-i", "https://x", "a", "b"), "pip", ["a", "b"]),
    ],
)
def test_commands_that_install(words: tuple[str, ...], tool: str, names: list[str]) -> None:
    found = _install(*words)
    assert found is not None
    assert (found.tool, [p.name for p in found.packages]) == (tool, names)


@pytest.mark.parametrize(
    "words",
    [
        ("pip", "uninstall", "-y", "torch"),
        ("pip",),
        ("pipx", "install", "a"),
        ("uv", "venv"),
        ("echo", "pip", "install"),
        (),
    ],
)
def test_commands_that_install_nothing(words: tuple[str, ...]) -> None:
    assert _install(*words) is None


def test_options_are_told_from_packages() -> None:
    found = _install(
        *"pip install -U --pre --no-deps --no-build-isolation --index-url https://i --extra-index-url=https://e "
        "-fhttps://f -c constraints.txt --progress-bar off -e ./src torch".split()
    )
    assert found is not None
    assert [(p.written, p.is_editable) for p in found.packages] == [("./src", True), ("torch", False)]
    assert (found.index_url, found.extra_index_urls, found.find_links) == ("https://i", ("https://e",), ("https://f",))
    assert (found.is_upgrade, found.is_pre, found.is_without_deps, found.is_isolated) == (True, True, True, False)


@pytest.mark.parametrize(
    ("env", "is_isolated"),
    [
        ({"PIP_NO_BUILD_ISOLATION": "0"}, False),  # pip reads it as the option's value: false switches isolation off
        ({"PIP_NO_BUILD_ISOLATION": "1"}, True),
        ({"UV_NO_BUILD_ISOLATION": "1"}, False),
        ({"UV_NO_BUILD_ISOLATION": "0"}, True),
        ({}, True),
    ],
)
def test_isolation_by_variable(env: dict[str, str], is_isolated: bool) -> None:
    found = pip_args.of_command(("pip", "install", "a"), env, where=AT, span=None)
    assert found is not None
    assert found.is_isolated is is_isolated


def test_an_expansion_leaves_the_install_open() -> None:
    assert [i.is_complete for i in (_install("pip", "install", "$X"), _install("pip", "install", "a")) if i] == [
        False,
        True,
    ]


def test_requirement_files_are_read_with_the_files_they_name(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "requirements.txt").write_text(
        "# a comment\n--extra-index-url https://e\n"
        "torch==2.4.0 \\\n  --hash=sha256:aa\n-r more/base.txt\nnumpy  # last\n"
    )
    (tmp_path / "more" / "base.txt").write_bytes(b"\xef\xbb\xbfpandas\r\n-r ../requirements.txt\r\n")
    gathered = pip_args.Gathered(AT)
    assert gathered.take_requirements(tmp_path / "requirements.txt")
    assert {p.name for p in gathered.packages} == {"torch", "pandas", "numpy"}
    assert gathered.packages[0].specifier == "==2.4.0"
    assert not gathered.is_complete  # the file names itself again: reading stops, and says so


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\0" * 100, b"-r\n-r \n--\n=\n[]\n", b"a" * 3_000_000])
def test_a_hostile_requirements_file_raises_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.txt").write_bytes(content)
    pip_args.Gathered(AT).take_requirements(tmp_path / "r.txt")


@pytest.mark.parametrize("content", [b"", b"[project", b"project = 1\n", b"\xff", b"[project]\ndependencies = 'a'\n"])
def test_a_hostile_pyproject_raises_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pyproject.toml").write_bytes(content)
    pip_args.Gathered(AT).take_pyproject(tmp_path / "pyproject.toml", extras=["x"])


WORDS = st.text(max_size=12) | st.sampled_from(["-r", "-e", "-i", "-c", "--pre", "==", "@", "git+", "-", "--", "a==1"])


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS, max_size=8))
def test_any_words_after_pip_install_are_read(words: list[str]) -> None:
    found = _install("pip", "install", *words)
    assert found is not None
    assert len(found.packages) <= len(words)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40))
def test_any_requirement_keeps_its_text(written: str) -> None:
    assert pip_args.package(written, where=AT).written == written.strip()
