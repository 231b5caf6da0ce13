from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from preflight.settings import Settings
from preflight.state import sources
from preflight.state.sources import TooLarge, Watched
from preflight.state.vector import fingerprint


def read(project: Path, *watched: str, outputs: tuple[str, ...] = ()) -> dict[str, str]:
    return sources.read(project, watched=[project / w for w in watched], outputs=outputs)


def put(file: Path, text: str = "x") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    "name",
    "app.py a.npz weights.bin .env .config/x VERSION noext.d/y build/x.py dist/a.whl data/x.csv a/b/c/d/e".split(),
)
def test_a_file_of_any_suffix_hidden_or_deep_counts(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)
    before = read(tmp_path)
    put(tmp_path / name, "y")
    assert (list(before), list(read(tmp_path))) == ([name], [name])
    assert before != read(tmp_path)


@pytest.mark.parametrize(
    "name",
    ".git/index .venv/pyvenv.cfg env/lib/x.py node_modules/a.js pkg/__pycache__/a.pyc .mypy_cache/x .coverage"
    " .app.py.swp app.py~ preflight.json preflight.xml out.json.part .DS_Store".split(),
)
def test_what_tools_keep_for_themselves_does_not_count(tmp_path: Path, name: str) -> None:
    put(tmp_path / "env/pyvenv.cfg")
    put(tmp_path / name)
    assert read(tmp_path) == {}


def test_two_files_with_their_contents_swapped_are_another_project(tmp_path: Path) -> None:
    one, two = put(tmp_path / "a", "1"), put(tmp_path / "b", "2")
    before = read(tmp_path)
    one.write_text("2"), two.write_text("1")
    assert read(tmp_path) != before


def test_a_skipped_folder_counts_where_the_app_adds_it(tmp_path: Path) -> None:
    put(tmp_path / "node_modules/pkg/preflight.json")
    assert list(read(tmp_path, "node_modules/pkg")) == ["node_modules/pkg/preflight.json"]


def test_a_watched_path_outside_counts_by_its_full_name_and_its_coming_is_seen(tmp_path: Path) -> None:
    project, beside = tmp_path / "project", tmp_path / "beside"
    project.mkdir()
    assert read(project, "../beside") == {str(beside): "absent"}
    put(beside / "deep/x")
    assert list(read(project, "../beside")) == [str(beside / "deep/x")]


def test_a_project_that_the_app_adds_whole_counts_with_what_tools_keep_in_it(tmp_path: Path) -> None:
    put(tmp_path / "a")
    put(tmp_path / ".git/x")
    put(tmp_path / ".mypy_cache/x")
    assert list(read(tmp_path, ".")) == [".git/x", "a"]  # the client uploads it
    assert list(read(tmp_path)) == ["a"]


def test_a_named_file_counts_whatever_its_name(tmp_path: Path) -> None:
    put(tmp_path / "preflight.json")
    assert list(read(tmp_path, "preflight.json", outputs=("*",))) == ["preflight.json"]


def test_our_own_state_in_a_project_is_no_source_and_what_lies_beside_it_is(tmp_path: Path) -> None:
    for name in ("app.py", ".local/state/preflight/projects/a/worked.json", ".local/state/preflight2/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", "utf-8")
    found = sources.read(tmp_path, state=tmp_path / ".local" / "state" / "preflight")
    assert sorted(found) == [".local/state/preflight2/x.py", "app.py"]


def test_outputs_are_patterns_of_files_and_folders(tmp_path: Path) -> None:
    for name in ("reports/a/b", "train.log", "kept", "sub/train.log", "reports2/x"):
        put(tmp_path / name)
    assert sorted(read(tmp_path, outputs=("reports/", "train.log"))) == ["kept", "reports2/x", "sub/train.log"]


def test_links_are_told_by_where_they_lead_and_by_what_is_there(tmp_path: Path) -> None:
    put(tmp_path / "a"), put(tmp_path / "b")
    link = tmp_path / "link"
    seen = []
    for target in ("a", "b", "nowhere"):
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        seen.append(read(tmp_path)["link"])
    put(tmp_path / "nowhere", "y")
    seen.append(read(tmp_path)["link"])
    assert len(set(seen)) == 4 and seen[2] == "link nowhere absent"


def test_a_package_behind_a_link_is_read_and_a_data_folder_behind_one_is_not(tmp_path: Path) -> None:
    project = tmp_path / "project"
    put(tmp_path / "package/mod.py"), put(tmp_path / "data/a.npz")
    project.mkdir()
    (project / "package").symlink_to("../package")
    (project / "data").symlink_to("../data")
    assert sorted(read(project)) == ["data", "package", "package/mod.py"]


def test_links_in_a_circle_end(tmp_path: Path) -> None:
    put(tmp_path / "pkg/mod.py")
    (tmp_path / "pkg/again").symlink_to("..")
    (tmp_path / "pkg/self").symlink_to(".")
    assert "pkg/mod.py" in read(tmp_path)


def test_pipes_sockets_and_files_that_can_not_be_read_hold_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    put(tmp_path / "a")
    began = time.monotonic()
    assert read(tmp_path)["pipe"].startswith("no-file")
    assert time.monotonic() - began < 2


def test_names_that_are_no_text_are_told_apart(tmp_path: Path) -> None:
    for name in (b"a\xff", b"a\xfe"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("x")
    settings = Settings(project=tmp_path)
    one = fingerprint(settings, facts={}, watched=Watched())
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/a\xff")).unlink()
    assert fingerprint(settings, facts={}, watched=Watched()) != one


def test_a_large_data_file_is_told_by_its_size_and_times(tmp_path: Path) -> None:
    file = tmp_path / "recording.edf"
    file.write_bytes(b"a" * (sources.LARGE_BYTES + 1))
    before = read(tmp_path)
    stat = file.stat()
    with file.open("r+b") as opened:
        opened.write(b"b")
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    after = read(tmp_path)
    assert before["recording.edf"].startswith("large ") and before != after
    assert read(tmp_path) == after


def test_too_many_files_are_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_FILES", 3)
    for n in range(4):
        put(tmp_path / str(n))
    with pytest.raises(TooLarge, match="outputs"):
        read(tmp_path)
    assert len(read(tmp_path, outputs=("3",))) == 3


CHANGES: dict[str, Callable[[Path], object]] = {
    "a byte": lambda p: put(p / "a", "2"),
    "a mode": lambda p: (p / "a").chmod(0o600),
    "a file more": lambda p: put(p / "c"),
    "a file less": lambda p: (p / "b").unlink(),
    "a name": lambda p: (p / "b").rename(p / "c"),
    "a folder's name": lambda p: (p / "sub").rename(p / "sub2"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_fingerprint_changes_and_comes_back(tmp_path: Path, name: str) -> None:
    project = tmp_path / "project"
    put(project / "a", "1"), put(project / "b"), put(project / "sub/x")
    shutil.copytree(project, tmp_path / "kept")
    settings = Settings(project=project)
    before = fingerprint(settings, facts={"builder": "2025.06"}, watched=Watched())
    CHANGES[name](project)
    assert fingerprint(settings, facts={"builder": "2025.06"}, watched=Watched()) != before
    shutil.rmtree(project)
    shutil.copytree(tmp_path / "kept", project)
    assert fingerprint(settings, facts={"builder": "2025.06"}, watched=Watched()) == before
    assert fingerprint(settings, facts={"builder": "2026.10"}, watched=Watched()) != before


def test_every_variable_counts_but_those_of_the_terminal_which_count_where_the_app_reads_them(tmp_path: Path) -> None:
    def with_variable(name: str, value: str, *read: str) -> str:
        return fingerprint(Settings(project=tmp_path, environ={name: value}), facts={}, watched=Watched(variables=read))

    assert with_variable("GPU", "a") != with_variable("GPU", "b")
    assert with_variable("TMUX_PANE", "%1") == with_variable("TMUX_PANE", "%2")
    assert with_variable("TMUX_PANE", "%1", "TMUX_PANE") != with_variable("TMUX_PANE", "%2", "TMUX_PANE")


def test_a_compiled_module_counts_where_its_source_is_not_beside_it(tmp_path: Path) -> None:
    put(tmp_path / "src/a.py")
    put(tmp_path / "src/__pycache__/a.cpython-311.pyc")
    put(tmp_path / "src/__pycache__/gone.cpython-311.pyc")
    put(tmp_path / "src/b.pyc")
    found = read(tmp_path, "src")
    assert sorted(found) == ["src/__pycache__/gone.cpython-311.pyc", "src/a.py", "src/b.pyc"]
