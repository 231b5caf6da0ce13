"""Edges and words of what is kept: sizes to a byte, reasons to a word, places to a path, an order to its last row."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from preflight.model import Change, Group, Status
from preflight.settings import BudgetSettings, Settings
from preflight.state import differ, machine_key, sources, vector
from preflight.state.differ import changes
from preflight.state.machine_key import BrokenSeal, KeyRefused
from preflight.state.passes import Pass, recall, remember
from preflight.state.receipt import Receipts
from preflight.state.sources import TooLarge, Watched
from tests.state.conftest import report, result
from tests.state.test_sources import put, read
from tests.state.test_watched import of

KEY = bytes(range(32))
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)

# --- the key and its seals -------------------------------------------------------------------------------------------


def test_the_keys_place_and_the_seals_form_are_those_of_earlier_versions(tmp_path: Path) -> None:
    assert machine_key.path_of(tmp_path) == tmp_path / "key" / "machine.key"
    body = {"b": [1, "é\ud800"], "a": None}
    machine_key.write_sealed(tmp_path / "x", KEY, body)
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    seal = hmac.new(KEY, b"sealed:" + canonical, hashlib.sha256).hexdigest()
    assert json.loads((tmp_path / "x").read_bytes()) == {"body": body, "seal": seal}
    assert machine_key.blurred(KEY, "é") == hmac.new(KEY, "value:é".encode(), hashlib.sha256).hexdigest()[:32]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"{", "not whole"),
        (b"[]", "not whole"),
        (b'{"body": {}}', "not whole"),
        (b'{"body": [], "seal": "x"}', "not whole"),
        (b'{"body": {}, "seal": 1}', "not whole"),
        (b'{"body": {}, "seal": "\\ud800"}', "its seal is not of this machine's key: it was edited, or made elsewhere"),
    ],
)
def test_why_a_seal_is_broken(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(BrokenSeal) as e:
        machine_key.read_sealed(tmp_path / "x", KEY)
    assert str(e.value) == why


def test_what_stands_in_a_sealed_files_place_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "x"
    with pytest.raises(FileNotFoundError):
        machine_key.read_sealed(file, KEY)
    file.symlink_to("nowhere")
    with pytest.raises(BrokenSeal, match=r"^x is a link$"):
        machine_key.read_sealed(file, KEY)
    with pytest.raises(BrokenSeal, match=r"^can't be read: Not a directory$"):
        machine_key.read_sealed(put(tmp_path / "y") / "z", KEY)
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(BrokenSeal, match=r"^x is no file$"):
        machine_key.read_sealed(file, KEY)
    file.unlink()
    machine_key.write_sealed(file, KEY, {})
    monkeypatch.setattr(machine_key, "LARGEST_BYTES", file.stat().st_size)
    assert machine_key.read_sealed(file, KEY) == {}
    monkeypatch.setattr(machine_key, "LARGEST_BYTES", file.stat().st_size - 1)
    with pytest.raises(BrokenSeal, match=r"^x has more than 0 MB$"):
        machine_key.read_sealed(file, KEY)


@pytest.mark.parametrize(("length", "shown"), [(31, 31), (33, 33), (40, 33), (0, 0)])
def test_a_key_of_another_length_is_refused(tmp_path: Path, length: int, shown: int) -> None:
    file = machine_key.path_of(tmp_path)
    machine_key.load_or_make(tmp_path)
    file.write_bytes(b"k" * length)
    with pytest.raises(KeyRefused) as e:
        machine_key.load_or_make(tmp_path)
    assert str(e.value) == f"{file} holds {shown} bytes, wanted 32; remove it, and the next pass makes one"


def test_the_other_reasons_for_refusing_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = machine_key.path_of(tmp_path)
    with pytest.raises(KeyRefused) as e:
        machine_key.load(tmp_path)
    assert str(e.value) == f"{file} can't be read: No such file or directory"
    key = machine_key.load_or_make(tmp_path)
    file.chmod(0o604)
    with pytest.raises(KeyRefused) as e:
        machine_key.load(tmp_path)
    assert str(e.value) == f"{file} can be read by others (mode 0604); remove it, and the next pass makes one"
    file.chmod(0o700)
    assert machine_key.load(tmp_path) == key
    theirs = "is not a file of this user; remove it, and the next pass makes a new one"
    monkeypatch.setattr(os, "getuid", lambda: file.stat().st_uid + 1)
    with pytest.raises(KeyRefused) as e:
        machine_key.load(tmp_path)
    assert str(e.value) == f"{file} {theirs}"


def test_a_key_that_another_made_meanwhile_is_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, real = machine_key.path_of(tmp_path), os.path.lexists
    first = machine_key.load_or_make(tmp_path)
    monkeypatch.setattr(os.path, "lexists", lambda path: False if Path(path) == file else real(path))
    assert machine_key.load_or_make(tmp_path) == first


# --- remembered passes and receipts ----------------------------------------------------------------------------------


def test_a_pass_is_recalled_for_its_own_question_alone(tmp_path: Path) -> None:
    given = Pass(check="smoke-test", fingerprint="f1", at=NOW, summary="it ran")
    remember(tmp_path, tmp_path / "p", given)
    assert recall(tmp_path, tmp_path / "p", "smoke-test", "f1") == given
    assert recall(tmp_path, tmp_path / "p", "smoke-test", "f2") is None
    assert recall(tmp_path, tmp_path / "q", "smoke-test", "f1") is None
    assert recall(tmp_path, tmp_path / "p", "gpu-probe", "f1") is None
    (file,) = tmp_path.rglob("smoke-test.json")
    body = json.loads(file.read_bytes())["body"]
    assert body == {
        "check": "smoke-test",
        "fingerprint": "f1",
        "at": "2026-11-20T12:00:00+00:00",
        "summary": "it ran",
        "schema": "preflight.pass/1",
        "project": str((tmp_path / "p").resolve()),
    }
    for change in ({"schema": "preflight.pass/2"}, {"at": 5}, {"project": "/other"}):
        machine_key.write_sealed(file, machine_key.load(tmp_path), body | change)
        assert recall(tmp_path, tmp_path / "p", "smoke-test", "f1") is None
    file.with_name("gpu-probe.json").write_bytes(file.read_bytes())
    assert recall(tmp_path, tmp_path / "p", "gpu-probe", "f1") is None


def test_a_receipts_files_are_its_apps_and_its_projects(tmp_path: Path) -> None:
    one, other = Receipts(tmp_path, tmp_path / "p", "a.py"), Receipts(tmp_path, tmp_path / "p", "b.py")
    digest = hashlib.sha256(b"a.py").hexdigest()[:16]
    assert (one.file.name, one.newest.name) == (f"gate-{digest}.json", f"gate-{digest}.newest.json")
    assert one.file != other.file and one.bound == {"project": str((tmp_path / "p").resolve()), "app": "a.py"}


# --- which files count -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "limit"),
    [("a.py", "LARGE_SOURCE_BYTES"), ("Makefile", "LARGE_SOURCE_BYTES"), ("a.b.npz", "LARGE_BYTES")],
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


# --- what differs ----------------------------------------------------------------------------------------------------


def change(group: Group, name: str, before: str | None = "a", after: str | None = "b") -> Change:
    return Change(group=group, name=name, before=before, after=after)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (change(Group.FILES, "src/Train_Model.py", "aaa", "bbb"), {"src", "trainmodel.py"}),
        (change(Group.PINS, "torch (image)", "==2.2", "==2.3"), {"torch"}),
        (change(Group.STEPS, "image, step 3", ".run pip one", ".run pip two"), {"one", "two"}),
        (change(Group.STEPS, "image, step 3", None, ".run pip"), {"pip"}),
        (change(Group.STEPS, "image, step 3", ".run pip", None), {"pip"}),
        (change(Group.FUNCTIONS, "train gpu", "A100-80GB", "B200"), {"train", "a10080gb", "b200"}),
        (change(Group.ACCOUNT, "budget", None, "none 100 1000"), {"budget"}),
        (change(Group.BUILDER, "Image Builder", "2024.10", None), {"builder", "2024.10"}),
        (change(Group.SECRETS, "wandb", "made xxx", "made yyy"), {"wandb"}),
    ],
)
def test_the_words_that_name_a_change(given: Change, words: set[str]) -> None:
    assert differ._names(given) == words


def scored(given: Change, *names: str, status: Status = Status.FAIL) -> float:
    causes = [result("MOD002", "image-builder", " ".join(names), status=status)]
    return differ._score(given, causes, [differ._words(r) for r in causes])


def test_a_change_that_is_named_counts_more_than_one_whose_place_is_looked_at() -> None:
    order = len(Group)
    secret, account = change(Group.SECRETS, "wandb key"), change(Group.ACCOUNT, "budget")
    tie = {g: (order - tuple(Group).index(g)) / order for g in (Group.SECRETS, Group.ACCOUNT)}
    assert scored(secret, "nothing") == tie[Group.SECRETS]
    assert scored(secret, "wandb") == 105 + tie[Group.SECRETS]
    assert scored(secret, "wandb", "key") == 110 + tie[Group.SECRETS]
    assert scored(secret, "wandb", status=Status.WARN) == 52.5 + tie[Group.SECRETS]
    assert scored(secret, "wandb", status=Status.ERROR) == 105 + tie[Group.SECRETS]
    assert scored(account, "nothing") == 40 + tie[Group.ACCOUNT]
    assert scored(change(Group.SETTINGS, "zzz"), "nothing") > 36
    assert scored(change(Group.FUNCTIONS, "zzz"), "nothing") > 32
    assert differ._score(secret, [], []) == tie[Group.SECRETS]


def test_steps_that_are_taken_away_moved_or_written_anew() -> None:
    old, new = "\n".join("abcdef"), "\n".join("abXYf")
    found = changes({"image steps": {"i": old}}, {"image steps": {"i": new}}, report())
    assert found == (change(Group.STEPS, "i, step 3", "c ; d ; e", "X ; Y"),)
    gone = changes({"image steps": {"i": "a\nb\nc"}}, {"image steps": {"i": "b"}}, report())
    assert [(c.name, c.before, c.after) for c in gone] == [("i, step 1", "a", None), ("i, step 2", "c", None)]
    many = "\n".join("x" for _ in range(300))
    assert len(changes({"image steps": {"i": many}}, {"image steps": {"i": many + "\ny"}}, report())) == 1
    assert changes({"image steps": {"i": "a\nb"}}, {"image steps": {}}, report())[0].after is None


@pytest.mark.parametrize(
    ("name", "beside", "is_last"),
    [
        ("uv.lock", ("pins", "torch (uv.lock)"), True),
        ("uv.lock", ("pins", "torch (image)"), False),
        ("pyproject.toml", ("settings", "budget.hours"), True),
        ("pyproject.toml", ("rates", "cpu"), False),
        ("deploy/modal/app.py", ("functions", "train gpu"), True),
        ("deploy/modal/app.py", ("image steps", "image"), True),
        ("deploy/modal/app.py", ("rates", "cpu"), False),
    ],
)
def test_a_file_that_another_fact_tells_better_comes_last(name: str, beside: tuple[str, str], is_last: bool) -> None:
    group, fact = beside
    before = {"files": {name: "a 644"}, group: {fact: "1"}}
    now = {"files": {name: "b 644"}, group: {fact: "2"}}
    failed = report(result("PRJ001", "project-lint", f"{name} is wrong"))
    assert (changes(before, now, failed)[-1].name == name) is is_last


# --- the facts of this machine ---------------------------------------------------------------------------------------


def test_the_facts_of_a_machine_are_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GPU", "T4")
    monkeypatch.setenv("TERM", "xterm")
    config = put(tmp_path / "modal.toml", '[one]\ntoken_id = "ak-1"\nactive = true\n[two]\ntoken_id = "ak-2"\n')
    monkeypatch.setenv("MODAL_CONFIG_PATH", str(config))
    project = tmp_path / "p"
    put(project / "app.py")
    settings = Settings(project=project, app="app.py", environ={"PATH": "/p"}, budget=BudgetSettings(epochs=3))
    found = vector.of_machine(settings, Watched(), KEY, left_out=("b", "a"), fail_on="warn")
    assert set(found) == {"versions", "client", "variables", "settings", "files"}
    versions = found["versions"]
    assert {k: versions[k] for k in ("left out", "--fail-on", "working folder", "modal command")} == {
        "left out": "a, b",
        "--fail-on": "warn",
        "working folder": str(tmp_path),
        "modal command": "not on the PATH",
    }
    assert len(versions["probe"]) == 16 and set(versions) >= {"preflight", "fact tables", "plugins", "Python"}
    blur = machine_key.blurred
    assert found["client"] == {
        "Modal profile": "one",
        "Modal profile active": blur(KEY, "True"),
        "Modal profile token_id": blur(KEY, "'ak-1'"),
    }
    assert found["variables"] == {"GPU": blur(KEY, "T4"), "MODAL_CONFIG_PATH": blur(KEY, str(config))}
    assert found["settings"]["budget.epochs"] == "3" and "spend_max" not in found["settings"]
    assert list(found["files"]) == ["app.py"]
    nothing = vector.of_machine(settings, Watched(), KEY, left_out=(), fail_on="fail")
    assert nothing["versions"]["left out"] == "nothing"


@pytest.mark.parametrize(
    ("text", "environ", "profile"),
    [
        ("[one]\na = 1\n[two]\nactive = true\n", {}, "two"),
        ("[one]\na = 1\n[two]\nb = 2\n", {}, "default"),
        ("[one]\na = 1\n", {}, "one"),
        ("[one]\na = 1\n[two]\nb = 2\n", {"MODAL_PROFILE": "one"}, "one"),
        ("x = 1\n[one]\na = 1\n", {"MODAL_PROFILE": "gone"}, "gone"),
        (None, {}, "no file"),
        ("[", {}, "unreadable " + machine_key.blurred(KEY, "5b")),
    ],
)
def test_the_profile_in_use(tmp_path: Path, text: str | None, environ: dict[str, str], profile: str) -> None:
    file = tmp_path / "modal.toml"
    if text is not None:
        put(file, text)
    rows = dict(vector._profile({"MODAL_CONFIG_PATH": str(file), **environ}, KEY))
    assert rows.pop("Modal profile") == profile
    assert rows == ({"Modal profile a": machine_key.blurred(KEY, "1")} if profile == "one" else rows)
    assert profile in ("one", "two") or rows == {}


def test_every_fact_has_one_name_and_every_setting_one_row(tmp_path: Path) -> None:
    groups = {
        "files": "file ",
        "variables": "variable ",
        "settings": "setting ",
        "secrets": "secret ",
        "rates": "rate ",
    }
    rows = {group: {"x": noun} for group, noun in groups.items()} | {"gpu": {"y": ""}}
    assert vector.flat(rows) == {**{f"{noun}x": noun for noun in groups.values()}, "y": ""}
    settings = Settings(project=tmp_path, budget=BudgetSettings(epochs=3), watch=("w",), outputs=("o",))
    every, fewer = vector.settings_rows(settings), vector.settings_rows(settings, besides=vector.NO_MATTER)
    assert every["budget.epochs"] == "3" and every["watch"] == "('w',)"
    assert set(every) - set(fewer) == {"watch", "outputs", "spend_max", "record"}
    assert "project" not in every and "budget.hours" not in every and "environ" not in every


def test_the_fingerprint_tells_every_part_apart(tmp_path: Path) -> None:
    def print_of(facts: dict[str, str | None], **given: object) -> str:
        settings = replace(Settings(project=tmp_path, environ={"A": "1"}), **given)  # type: ignore[arg-type]
        return vector.fingerprint(settings, facts=facts, watched=Watched())

    put(tmp_path / "a.py")
    whole = print_of({"a": "bc"})
    assert whole == print_of({"a": "bc"}) and len(whole) == 64
    others = [{"ab": "c"}, {"a": "bd"}, {"a": None}, {}, {"a": "bc", "d": "e"}]
    assert len({whole, *map(print_of, others)}) == 6
    assert print_of({"a": "bc"}, environ={"A": "2"}) != whole != print_of({"a": "bc"}, budget=BudgetSettings(epochs=1))
    assert print_of({"x": "1", "y": "2"}) == print_of({"y": "2", "x": "1"})
    assert print_of({"a": "bc"}, record=True) == whole
