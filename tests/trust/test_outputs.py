"""Where reports go and where they can't: refused before the run starts, whole or not at all, and the right exit code.

The writing itself is in tests/cli/test_outputs.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from preflight.cli.running.outputs import FORMATS
from tests.conftest import Preflight
from tests.trust.conftest import Typed
from tests.trust.table import Tally

BAD = 'import modal\n\napp = modal.App("x")\n\n\n@app.function(timeout=108000)\ndef train(): ...\n'
GOOD = BAD.replace("108000", "3600")


def locked(folder: Path) -> None:
    (folder / "locked").mkdir()
    (folder / "locked" / "r").write_text("old")
    (folder / "locked" / "r").chmod(0o400)
    (folder / "locked").chmod(0o500)


PLACES: dict[str, tuple[str, Callable[[Path], object]]] = {  # where the report should go, and how that is made
    "a folder": ("dir", lambda f: (f / "dir").mkdir()),
    "the working folder": (".", lambda f: None),
    "a folder that is not there": ("no/such/r", lambda f: None),
    "below a file": ("app.py/r", lambda f: None),
    "the app": ("app.py", lambda f: None),
    "the app, by another name": ("./x/../app.py", lambda f: (f / "x").mkdir()),
    "the app, behind a link": ("link", lambda f: (f / "link").symlink_to("app.py")),
    "the app, as another link to it": ("hard", lambda f: os.link(f / "app.py", f / "hard")),
    "the settings": ("pyproject.toml", lambda f: None),
    "the settings, behind a link": ("link.json", lambda f: (f / "link.json").symlink_to("pyproject.toml")),
    "another source": ("model.py", lambda f: (f / "model.py").write_text("x = 1\n")),
    "a lock": ("uv.lock", lambda f: (f / "uv.lock").write_text("x")),
    "a Makefile": ("Makefile", lambda f: (f / "Makefile").write_text("x")),
    "a README": ("README.md", lambda f: (f / "README.md").write_text("# x\n")),
    "a .env": (".env", lambda f: (f / ".env").write_text("A=1\n")),
    "links that go round": ("round", lambda f: (f / "round").symlink_to("round")),
    "a name of 300 characters": ("x" * 300, lambda f: None),
    "a descriptor that is closed": ("/dev/fd/77", lambda f: None),
}


@pytest.mark.parametrize("form", FORMATS)
def test_no_report_goes_where_it_would_replace_or_could_not_be_written(
    typed: Typed, tmp_path: Path, tally: Tally, form: str
) -> None:
    for number, (name, (place, make)) in enumerate(PLACES.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "app.py").write_text(GOOD, encoding="utf-8")
        (folder / "pyproject.toml").write_text('[tool.preflight.lint]\ncommand = "touch ran"\n', encoding="utf-8")
        make(folder)
        before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and not p.is_symlink()}
        code, _, err = typed(folder, "run", "app.py", "--stage", "static", "-o", f"{form}={place}")
        after = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file() and not p.is_symlink()}
        is_bad = code != 2 or before != after or "Traceback" in err
        tally.add(is_bad)
        assert not is_bad, (name, code, err[-500:], sorted(after))


def test_one_file_for_two_reports_is_refused_however_it_is_named(typed: Typed, tmp_path: Path, tally: Tally) -> None:
    (tmp_path / "app.py").write_text(GOOD, encoding="utf-8")
    (tmp_path / "r").write_text("{}")
    (tmp_path / "link").symlink_to("r")
    os.link(tmp_path / "r", tmp_path / "hard")
    for other in ("r", "./r", str(tmp_path / "r"), "link", "hard"):
        code, _, _ = typed(tmp_path, "lint", "app.py", "-o", "json=r", "-o", f"sarif={other}")
        tally.add(code != 2)
        assert (code, (tmp_path / "r").read_text()) == (2, "{}"), other


def test_three_runs_at_once_with_one_report_leave_it_whole(preflight: Preflight, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(BAD, encoding="utf-8")
    words = [sys.executable, "-m", "preflight", "lint", "app.py", "-o", "json=r.json"]
    running = [subprocess.Popen(words, cwd=tmp_path, env=preflight.environ()) for _ in range(3)]
    assert [p.wait(60) for p in running] == [1, 1, 1]
    assert json.loads((tmp_path / "r.json").read_text())["exit"] == 1
    assert sorted(p.name for p in tmp_path.iterdir() if p.name != "home") == ["app.py", "r.json"]


STRANGE = [
    ("{p} run good.py --stage static >&-", 0),
    ("{p} run bad.py --stage static >/dev/full", 1),
    ("{p} run bad.py --stage static --json >/dev/full", 1),
    ("{p} lint good.py >/dev/full 2>/dev/full", 0),
    ("{p} lint bad.py >&- 2>&- <&-", 1),
    ("{p} --nonsense >&- 2>&-", 2),
    ("{p} lint bad.py --stage x 2>/dev/full", 2),
    ("{p} list >/dev/full", 3),
    ("{p} explain modal-auth >&-", 0),
    ("{p} gate --stage static good.py -o json=r.json -- true 2>/dev/full", 0),
    ("{p} gate --offline good.py -- true 2>/dev/full", 5),
    ("LC_ALL=xx_YY.nonsense LANG=x PYTHONUTF8=0 {p} lint bad.py", 1),
    ("PYTHONIOENCODING=cp037 {p} lint bad.py", 1),
    ("PYTHONIOENCODING=utf-16 {p} run bad.py --stage static", 1),
    ("mkdir gone && cd gone && rmdir ../gone && {p} run", 2),
    ("mkdir gone && cd gone && rmdir ../gone && {p} gate -- true", 2),
    ("mkdir gone && cd gone && rmdir ../gone && {p} explain modal-auth", 2),
    ("ulimit -f 0; {p} lint bad.py -o json=r.json", 1),
    ("ulimit -n 12; {p} lint bad.py", 1),
    ("TMPDIR=/nonexistent HOME=/nonexistent XDG_STATE_HOME=/dev/null {p} lint bad.py", 1),
]


@pytest.mark.parametrize(("line", "code"), STRANGE)
def test_closed_full_and_strange_streams_and_folders_keep_the_exit_code(
    preflight: Preflight, tmp_path: Path, line: str, code: int
) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "good.py").write_text(GOOD, encoding="utf-8")
    (folder / "bad.py").write_text(BAD, encoding="utf-8")
    done = subprocess.run(
        ["/bin/sh", "-c", line.format(p=f"{sys.executable} -m preflight")],
        cwd=folder, env=preflight.environ(), capture_output=True, text=True, errors="replace", timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr and "this is a bug" not in done.stderr
    assert not [p for p in folder.iterdir() if p.name.startswith(".preflight-") or p.name.endswith(".part")]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder_is_refused(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(GOOD, encoding="utf-8")
    locked(tmp_path)
    for place in ("locked/new", "locked/r"):
        assert typed(tmp_path, "lint", "app.py", "-o", f"json={place}")[0] == 2
