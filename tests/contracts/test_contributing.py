"""CONTRIBUTING.md is followed to the letter, in a copy of the repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "CONTRIBUTING.md").read_text("utf-8")
FILES = dict(re.findall(r"^`(\S+)`\n```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
COPIED = ("checks", "preflight", "tests", "pyproject.toml", "CONTRIBUTING.md")


def run_tests(copy: Path, *words: str, **more: str) -> str:
    environ = {**os.environ, "PYTHONPATH": str(copy), **more}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(command, cwd=copy, env=environ, capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout.decode()[-3000:]
    return done.stdout.decode()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository with the page's files added."""
    folder = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__", "logs", "probes", "binaries", "estimates")
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=ignored)
        else:
            shutil.copy(source, folder / name)
    for name, text in FILES.items():
        target = folder / name
        assert not target.exists(), f"{name} is there already"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    return folder


def test_a_rule_is_two_files(copy: Path) -> None:
    rule, example = (name for name in FILES if "image/xformers" in name or "xformers-unpinned" in name)
    tests = ("tests/rules/test_examples.py", "tests/contracts/test_rules.py")
    run_tests(copy, *tests, "-k", "ver-xformers-unpinned or new_rule", UPDATE="1")
    assert "takes the newest xformers of the day" in (copy / example).read_text("utf-8")
    assert (
        subprocess.run(
            [sys.executable, "-m", "preflight", "explain", "IMG980"],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True,
            check=True,
        )
        .stdout.decode()
        .startswith("IMG980  ver-xformers-unpinned")
    )
    assert rule.startswith("checks/")


def test_a_cause_is_one_file(copy: Path) -> None:
    run_tests(copy, "tests/diagnosis/test_rules.py", "-k", "xformers-operator-missing or exists or agree")


def test_a_release_of_torch_is_a_row(copy: Path) -> None:
    table = copy / "preflight" / "facts" / "torch.toml"
    rows = table.read_text("utf-8").split("[[torch]]\n")
    minor = tomllib.loads(table.read_text("utf-8"))["torch"][-1]["minor"]
    major, _, number = minor.partition(".")
    table.write_text("[[torch]]\n".join([*rows, rows[-1].replace(minor, f"{major}.{int(number) + 1}")]), "utf-8")
    run_tests(copy, "tests/rules/test_examples.py", "-k", "stands_below")
