"""Which files and paths count: sizes to a byte, reasons to a word, places to a path."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest

from preflight.state import sources
from preflight.state.sources import TooLarge
from tests.state.test_sources import put, read
from tests.state.test_watched import of

# --- which files count -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "limit"),
    [("a.py", "LARGE_SOURCE_BYTES"), ("Makefile", "LARGE_SOURCE_BYTES"), ("a.npz", "LARGE_BYTES")],
)
def test_a_large_file_is_told_by_its_size_and_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, limit: str
) -> None:
    file = put(tmp_path / name, "12345")
    monkeypatch.setattr(sources, "LARGE_BYTES", 0)
    monkeypatch.setattr(sources, "LARGE_SOURCE_BYTES", 10**9 if limit == "LARGE_BYTES" else 0)
    monkeypatch.setattr(sources, limit, 5)
    file.chmod(0o640)
    assert read(tmp_path)[name] == f"{hashlib.sha256(b'12345').hexdigest()} 640"
    monkeypatch.setattr(sources, limit, 4)
    seen = file.stat()
    assert read(tmp_path)[name] == f"large 5 {seen.st_mtime_ns} {seen.st_ctime_ns} 640"


def test_the_limits_are_over_all_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.py", "b.py", "c/d.py"):
        put(tmp_path / name, "123")
    monkeypatch.setattr(sources, "MOST_BYTES", 9)
    monkeypatch.setattr(sources, "MOST_FILES", 3)
    assert len(read(tmp_path)) == 3
    why = "name what is no source in [tool.preflight] outputs"
    monkeypatch.setattr(sources, "MOST_BYTES", 8)
    with pytest.raises(TooLarge) as e:
        read(tmp_path)
    assert str(e.value) == f"the project has more than 0 MB of sources; {why}"
    monkeypatch.setattr(sources, "MOST_BYTES", 256_000_000)
    monkeypatch.setattr(sources, "MOST_FILES", 2)
    with pytest.raises(TooLarge) as e:
        read(tmp_path)
    assert str(e.value) == f"the project has more than 2 files; {why}"


def test_outputs_are_patterns_and_folders_with_and_without_a_slash(tmp_path: Path) -> None:
    for name in ("out/a.py", "outer/a.py", "x/r.json", "r.json", "runs/1/log", "keep.py"):
        put(tmp_path / name)
    assert sorted(read(tmp_path, outputs=("out", "*.json"))) == ["keep.py", "outer/a.py", "runs/1/log"]
    assert sorted(read(tmp_path, outputs=("out/", "runs/*"))) == ["keep.py", "outer/a.py", "r.json", "x/r.json"]


@pytest.mark.parametrize("name", ["sub/preflight.json", "sub/coverage.xml", "a/b/x.part", ".coverage.host", ".#x"])
def test_reports_and_leftovers_are_none_anywhere_but_in_an_added_folder(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)
    assert read(tmp_path) == {}
    top = name.split("/")[0]
    assert list(read(tmp_path, top)) == [name]


def test_a_compiled_module_of_an_added_folder_is_its_sources(tmp_path: Path) -> None:
    for name in ("p/a.py", "p/__pycache__/a.cpython-311.pyc", "p/__pycache__/b.cpython-311.pyc", "p/a.pyc"):
        put(tmp_path / name)
    put(tmp_path / "p/__pycache__/a.txt")
    found = ["p/__pycache__/a.txt", "p/__pycache__/b.cpython-311.pyc", "p/a.py", "p/a.pyc"]
    assert sorted(read(tmp_path, "p")) == found


def test_lines_that_we_write_ourselves_are_no_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, other = put(tmp_path / "run.log"), put(tmp_path / "other.log")
    assert other.exists()
    with log.open("a") as opened, monkeypatch.context() as patched:
        real, ours = os.fstat, opened.fileno()
        patched.setattr(os, "fstat", lambda n: real(ours if n in (1, 2) else n))
        assert sources._written_to() == {(real(ours).st_dev, real(ours).st_ino)}
        assert sorted(read(tmp_path)) == ["other.log"]


@pytest.mark.parametrize(
    ("path", "place"),
    [("a", "real/a"), ("../a", "a"), ("..", "."), ("a/..", "real"), ("link", "real/link"), ("link/x", "elsewhere/x")],
)
def test_where_a_path_is_placed(tmp_path: Path, path: str, place: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    put(tmp_path / "real" / "x")
    (tmp_path / "real" / "link").symlink_to(tmp_path / "elsewhere")
    assert sources.placed(tmp_path / "real" / path) == (tmp_path / place)


def test_a_watched_link_counts_itself_and_what_it_leads_to(tmp_path: Path) -> None:
    put(tmp_path / "outside" / "x.txt")
    project = tmp_path / "project"
    project.mkdir()
    (project / "in").symlink_to("../outside")
    found = sources.read(project, watched=[project / "in"])
    assert found["in (link)"] == "link ../outside" and "in/x.txt" in found
    gone = sources.read(project, watched=[tmp_path / "gone.txt"])
    assert gone[str(tmp_path / "gone.txt")] == "absent"


def test_what_is_no_file_and_what_can_not_be_read_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read(tmp_path) == {"pipe": f"no-file {stat.S_IFIFO:o}"}
    file = put(tmp_path / "a.py")

    def refused(*_: object) -> str:
        raise PermissionError

    monkeypatch.setattr(sources, "_sha256", refused)
    seen = file.stat()
    mode = f"{stat.S_IMODE(seen.st_mode):o}"
    assert read(tmp_path)["a.py"] == f"unreadable 1 {seen.st_mtime_ns} {seen.st_ctime_ns} {mode}"


# --- what the app takes from this machine ----------------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("project/base.txt", "project/data/x", "shared.csv", "cwd/.env"):
        put(tmp_path / name)
    return tmp_path / "project"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("image.add_local_dir(**where())", "add_local_dir: its arguments are not in the text"),
        ("image.add_local_dir(5, '/x')", "add_local_dir: its path is not its first argument"),
        ("image.add_local_dir(unknown(), '/x')", "add_local_dir: its path is not in the text"),
        ("image.add_local_python_source(unknown())", "add_local_python_source: its path is not in the text"),
    ],
)
def test_why_a_path_is_unseen(project: Path, line: str, why: str) -> None:
    assert of(project, f"more = {line}\n").unseen == (f"deploy/app.py:8 {why}",)


@pytest.mark.parametrize(
    ("text", "word"), [("exec(code)\n", "exec"), ("eval(code)\n", "eval"), ("getattr(image, 'add_local_dir')\n", "")]
)
def test_what_is_made_at_run_time_is_said_with_its_line(project: Path, text: str, word: str) -> None:
    (said,) = of(project, f"\n{text}").unseen
    assert said.startswith("deploy/app.py:9 ") and word in said
    assert not of(project, "execute(1)\nevaluate(2)\n").unseen


def test_every_path_of_an_app_in_its_order(project: Path) -> None:
    put(project / "deploy" / "base.txt", "-r more.in\n--constraint=pins.txt # x\ntorch\n-c gone.txt\n")
    put(project / "deploy" / "more.in", "\n -r base.txt\n")
    put(project / "deploy" / "pins.txt", "x\n")
    put(project / "pyproject.toml", "[tool]\n")
    put(project / "poetry.lock")
    put(project / "uv.lock")
    text = (
        "more = image.pip_install_from_requirements('base.txt')\n"
        "more = image.pip_install_from_pyproject('pyproject.toml')\n"
        "more = image.add_local_dir('data', '/d')\n"
        "secret = modal.Secret.from_dotenv()\n"
        "rows = open('../shared.csv')\n"
    )
    found = of(project, text, cwd=project.parent / "cwd")
    top = project.parent
    assert [str(Path(p).relative_to(top)) for p in found.paths] == [
        "project/deploy/app.py",
        "project/base.txt",
        "project/deploy/base.txt",
        "project/pyproject.toml",
        "project/data",
        "cwd/.env",
        "shared.csv",
        "project/poetry.lock",
        "project/uv.lock",
        "project/deploy/more.in",
        "project/deploy/pins.txt",
        "project/deploy/gone.txt",
    ]
    assert found.unseen == () and found.variables == ()


def test_a_step_of_a_helper_is_seen_with_its_path(project: Path) -> None:
    text = "def with_data(i):\n    return i.add_local_dir('data', '/d')\nimage = with_data(image)\n"
    assert str(project / "data") in of(project, text).paths


@pytest.mark.parametrize("word", ["'add_local_dir'", "'add_' + 'local_' + 'dir'", "'copy_local_file'"])
def test_a_word_that_is_put_together_is_seen_and_an_unlike_one_is_not(project: Path, word: str) -> None:
    assert of(project, f"x = {word}\n").unseen[0].startswith("deploy/app.py:8 ")
    assert not of(project, "x = 'my add_local_dir'\n").unseen


def test_only_the_constant_that_is_named_decides_a_path(project: Path) -> None:
    text = "D = 'data'\nE = os.environ.get('DATA', 'x')\nmore = image.add_local_dir({}, '/x')\n"
    assert not of(project, text.format("D"), DATA="/y").unseen
    assert of(project, text.format("E"), DATA="/y").unseen == (
        "deploy/app.py:10 add_local_dir: the variable DATA decides its path",
    )
    loop = "A = B\nB = A\nmore = image.add_local_dir(A, '/x')\n"
    assert of(project, loop, DATA="/y").unseen == ("deploy/app.py:10 add_local_dir: its path is not in the text",)


def test_behind_a_link_to_data_only_modules_count(tmp_path: Path) -> None:
    for name in ("pkg/a.py", "pkg/b.so", "pkg/c.pyc", "pkg/d.csv", "not-a-name/e.py", "x/y/z/w/v/f.py", "x/y/z/w/g.py"):
        put(tmp_path / "data" / name)
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "in").symlink_to("../data")
    found = sorted(sources.read(tmp_path / "project"))
    assert found == ["in", "in/pkg/a.py", "in/pkg/b.so", "in/pkg/c.pyc", "in/x/y/z/w/g.py"]
