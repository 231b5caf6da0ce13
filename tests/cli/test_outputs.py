"""Where reports go: refused before anything runs, written whole, through links, never over a source."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import click
import pytest

from preflight.cli.running.options import wanted_outputs
from preflight.cli.running.outputs import Output, look_at, write
from tests.cli.conftest import InProcess
from tests.conftest import Preflight

APP = 'import modal\n\napp = modal.App("x")\n\n\n@app.function(timeout=108000)\ndef train(): ...\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def refused(*outputs: Output, sources: tuple[Path, ...] = ()) -> str:
    with pytest.raises(click.UsageError) as e:
        look_at(outputs, sources)
    return e.value.message


def test_a_folder_a_missing_folder_and_one_name_twice_are_refused(folder: Path) -> None:
    assert "is a folder" in refused(Output("json", "."))
    assert "can't be written" in refused(Output("json", "no/such/r.json"))
    (folder / "link.json").symlink_to("r.json")
    assert "named twice" in refused(Output("json", "r.json"), Output("sarif", "./r.json"))
    assert "named twice" in refused(Output("json", "r.json"), Output("sarif", "link.json"))
    os.link(folder / "app.py", folder / "hard.json")
    assert "is what is looked at" in refused(Output("json", "hard.json"), sources=(folder / "app.py",))


@pytest.mark.parametrize("name", ["other.py", "pyproject.toml", "uv.lock", "Makefile", "README.md", "train.ipynb"])
def test_a_report_never_replaces_a_source(folder: Path, name: str) -> None:
    (folder / name).write_text("# ours\n")
    assert name in refused(Output("markdown", name))
    assert (folder / name).read_text() == "# ours\n"


def test_a_report_replaces_an_earlier_one_and_new_names_are_free(folder: Path) -> None:
    (folder / "summary.md").write_text("<!-- preflight -->\n## preflight 0.1.0: READY\n")
    look_at([Output("markdown", "summary.md"), Output("json", "new.json"), Output("junit", "new.xml")])
    assert sorted(p.name for p in folder.iterdir()) == ["app.py", "summary.md"]  # looking leaves nothing behind


def test_what_is_written_keeps_the_mode_and_goes_through_a_link(folder: Path) -> None:
    (folder / "r.json").write_text("old")
    (folder / "r.json").chmod(0o640)
    (folder / "link.json").symlink_to("r.json")
    write(Output("json", "link.json"), "new \udcff\n")
    assert (folder / "link.json").is_symlink()
    assert (folder / "r.json").read_bytes() == b"new \\udcff\n"
    assert (folder / "r.json").stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in folder.iterdir()) == ["app.py", "link.json", "r.json"]


def test_a_pipe_is_written_to_and_stays_a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    look_at([Output("json", "pipe")])
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append((folder / "pipe").read_bytes()))
    reader.start()
    write(Output("json", "pipe"), "whole")
    reader.join(10)
    assert got == [b"whole"] and (folder / "pipe").is_fifo()


def test_a_full_disk_leaves_the_old_report_and_no_part(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "r.json").write_text("old")

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write(Output("json", "r.json"), "new")
    assert (folder / "r.json").read_text() == "old"
    assert sorted(p.name for p in folder.iterdir()) == ["app.py", "r.json"]


def test_what_is_for_people_may_share_a_terminal_and_documents_may_not() -> None:
    assert len(wanted_outputs([Output("console"), Output("github")])) == 2
    for pair in (["console", "json"], ["json", "sarif"], ["github", "github"]):
        with pytest.raises(click.UsageError, match="one document"):
            wanted_outputs([Output(f) for f in pair])
    with pytest.raises(click.UsageError):
        wanted_outputs([Output("console"), Output("json", "/dev/stdout")])


def test_one_format_that_can_not_be_written_costs_neither_the_others_nor_the_verdict(
    quick: InProcess, folder: Path
) -> None:
    ran = quick("lint", "app.py", "-o", "json=/dev/full", "-o", "sarif=a.sarif", "-o", "console", cwd=folder)
    assert ran.code == 1
    assert "the json report to /dev/full could not be written" in ran.err
    assert json.loads((folder / "a.sarif").read_text())["version"] == "2.1.0"
    assert "NOT READY" in ran.out


def test_dev_stdout_is_stdout(quick: InProcess, folder: Path) -> None:
    assert json.loads(quick("lint", "app.py", "-o", "json=/dev/stdout", cwd=folder).out)["exit"] == 1


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("{p} run nope.py 2>/dev/full", 2),
        ("{p} lint app.py >&-", 1),
        ("{p} lint app.py 2>&-", 1),
        ("mkdir gone && cd gone && rmdir ../gone && {p} lint app.py", 2),
        ("PYTHONIOENCODING=nonsense {p} lint app.py", 1),
    ],
)
def test_strange_streams_and_folders_keep_the_exit_code(
    preflight: Preflight, folder: Path, command: str, code: int
) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", command.format(p=f"{sys.executable} -m preflight")],
        cwd=folder, env=preflight.environ(), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if "nonsense" in command and "unknown encoding" in done.stderr:
        pytest.skip("this Python does not start with a codec that does not exist")
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "name", ["x\n 2 ✓ modal-auth  FORGED\nREADY   9 passed.py", "a\n::error::forged\x1b]8;;x\x07.py"]
)
def test_a_name_can_not_forge_a_line_in_any_format_or_on_stderr(quick: InProcess, folder: Path, name: str) -> None:
    (folder / name).write_text(APP)
    for form in ("console", "github", "markdown", "junit", "sarif", "gitlab"):
        ran = quick("lint", name, "-o", form, "-v", cwd=folder)
        assert ran.code == 1
        for line in (ran.out + ran.err).splitlines():
            assert not line.startswith((" 2 ✓", "READY", "::error::forged"))
            assert "\x1b" not in line and "\x07" not in line
    ran = quick("run", f"gone {name}", cwd=folder)
    assert ran.code == 2
    assert len([x for x in ran.err.splitlines() if x.startswith("Error:")]) == 1
    assert not any(line.startswith((" 2 ✓", "READY", "::error::")) for line in ran.err.splitlines())
