"""Shell completion: what bash, zsh and fish ask for, in each one's own protocol, and in a real bash."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import InProcess
from tests.conftest import Preflight

APP = 'import modal\n\napp = modal.App("x")\n' + "".join(
    f"\n\n@app.function()\ndef {name}(): ...\n" for name in ("train", "test")
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("expl", {"explain"}),
        ("explain modal-au", {"modal-auth"}),
        ("check sto00", {"STO001", "STO002"}),
        ("run --only s3-secret,modal-au", {"s3-secret,modal-auth"}),
        ("run --sandbox --scenario missing-secret-", {"missing-secret-key"}),
        ("estimate app.py::tr", {"app.py::train"}),
        ("probe --gpu a100-8", {"A100-80GB"}),
        ("facts gpu", {"gpus"}),
        ("explain no-such-thing", set()),
        ("estimate gone.py::tr", set()),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_names_complete_in_every_shell(
    quick: InProcess, project: Path, shell: str, line: str, wanted: set[str]
) -> None:
    words = ["preflight", *line.split()]
    env = {"_PREFLIGHT_COMPLETE": f"{shell}_complete", "COMP_WORDS": " ".join(words)}
    env["COMP_CWORD"] = words[-1] if shell == "fish" else str(len(words) - 1)
    ran = quick(cwd=project, env=env)
    assert "Traceback" not in ran.err
    lines = [x for x in ran.out.splitlines() if x]
    found = {
        "bash": {x.removeprefix("plain,") for x in lines},
        "zsh": {value for kind, value in zip(lines[::3], lines[1::3], strict=False) if kind == "plain"},
        "fish": {x.removeprefix("plain,").partition("\t")[0] for x in lines},
    }[shell]
    if shell == "bash" and "::" in line:
        wanted = {w.rpartition("::")[2] for w in wanted}  # bash replaces what follows the colons alone
    assert {w.lower() for w in wanted} <= {f.lower() for f in found} if wanted else not found


def test_a_file_is_left_to_the_shell(quick: InProcess, project: Path) -> None:
    env = {"_PREFLIGHT_COMPLETE": "bash_complete", "COMP_WORDS": "preflight lint ap", "COMP_CWORD": "2"}
    assert quick(cwd=project, env=env).out == "file,ap\n"


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_the_script_of_the_readme_works_where_bash_splits_words_at_colons_and_equal_signs(
    preflight: Preflight, project: Path
) -> None:
    (project / "bin").mkdir()
    (project / "bin" / "preflight").write_text(f'#!/bin/sh\nexec {sys.executable} -m preflight "$@"\n')
    (project / "bin" / "preflight").chmod(0o755)
    script = """
        eval "$(_PREFLIGHT_COMPLETE=bash_source preflight)"
        try() {
            COMP_WORDS=("$@"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); COMPREPLY=()
            _preflight_completion preflight; echo "${COMPREPLY[*]}"
        }
        try preflight estimate app.py :: tr
        try preflight estimate app.py ::
        try preflight run --only = modal-au
    """
    env = preflight.environ(PATH=f"{project / 'bin'}:/usr/bin:/bin")
    done = subprocess.run(
        ["bash", "-c", script], cwd=project, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.splitlines() == ["train", "train test", "modal-auth"], done.stderr
