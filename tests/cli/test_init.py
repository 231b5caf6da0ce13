"""`preflight init`: what it writes, what it leaves alone, and what it refuses."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from preflight import settings
from preflight.cli.init import CanNotWrite, with_table
from preflight.sandbox.serve import EXAMPLE
from tests.cli.conftest import InProcess

APP = EXAMPLE / "deploy" / "modal" / "app.py"
TABLE = '[tool.preflight]\napp = "app.py"\n\n[tool.preflight.s3]\n# bucket = "x"\n'
PROJECT = '[project]\nname = "x"   # kept\n\n[tool.ruff]\nline-length = 100\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "deploy" / "modal").mkdir(parents=True)
    shutil.copy(APP, folder / "deploy" / "modal" / "app.py")
    return folder


def test_the_table_is_added_and_the_rest_stays_byte_for_byte(quick: InProcess, project: Path) -> None:
    before = b'# first\n[project]\nname = "x"\n\n\n[tool.ruff]\nline-length =   100 # odd\n'
    (project / "pyproject.toml").write_bytes(before)
    ran = quick("init", cwd=project)
    assert (ran.code, ran.out) == (0, "")
    assert "next: preflight run" in ran.err
    after = (project / "pyproject.toml").read_bytes()
    assert after.startswith(before)
    assert tomllib.loads(after.decode())["tool"]["preflight"]["app"] == "deploy/modal/app.py"


def test_the_result_loads_and_a_run_needs_no_edit(quick: InProcess, project: Path) -> None:
    quick("init", cwd=project)
    loaded = settings.load(project, environ={})
    assert loaded.app == "deploy/modal/app.py"
    assert loaded.s3 == settings.S3Settings() and loaded.budget == settings.BudgetSettings()
    ran = quick("run", "--stage", "static", cwd=project)
    assert ran.code == 0
    assert "CLEAN" in ran.out


def test_every_key_that_is_commented_out_is_one_that_loads(quick: InProcess, project: Path) -> None:
    quick("init", cwd=project)
    file = project / "pyproject.toml"
    text = re.sub(r"^# ([a-z-]+ = )", r"\1", file.read_text(), flags=re.MULTILINE)
    file.write_text(text)
    loaded = settings.load(project, environ={})
    assert loaded.budget.function == loaded.smoke.function == loaded.probe.function == "train"
    assert (loaded.s3.bucket, loaded.s3.prefix) == ("eeg-training-data", "tusz/")
    assert loaded.smoke.command == "modal run deploy/modal/app.py"


def test_what_the_app_says_is_a_comment_with_its_line(quick: InProcess, project: Path) -> None:
    quick("init", cwd=project)
    text = (project / "pyproject.toml").read_text()
    for words in (
        r"#   function train: A100-80GB, timeout 86400 s \(deploy/modal/app.py:\d+\)",
        r"#   bucket eeg-training-data \(deploy/modal/app.py:\d+\)",
        r"#   secret aws-s3-secret \(",
        r"#   volume training-results \(",
        r"#   image image from nvidia/cuda:12.1.1-devel-ubuntu22.04 \(",
        r"#   mamba-ssm 2.2.2: prebuilt wheel mamba_ssm-2.2.2\+cu122torch2.2",
    ):
        assert re.search(words, text), words


def test_without_a_pyproject_one_is_made_at_the_top_of_the_repository(quick: InProcess, project: Path) -> None:
    (project / ".git").mkdir()
    ran = quick("init", "app.py", cwd=project / "deploy" / "modal")
    assert ran.code == 0
    assert "created" in ran.err
    assert settings.load(project, environ={}).app == "deploy/modal/app.py"


def test_a_table_that_is_there_is_not_overwritten(quick: InProcess, project: Path) -> None:
    before = PROJECT + '\n[tool.preflight]\napp = "deploy/modal/app.py"\nspend-max = 9\n'
    (project / "pyproject.toml").write_text(before)
    ran = quick("init", cwd=project)
    assert ran.code == 2
    assert "pyproject.toml:7 has a [tool.preflight] table; --force replaces it" in ran.err
    assert (project / "pyproject.toml").read_text() == before


def test_force_replaces_it_also_where_it_could_not_be_loaded(quick: InProcess, project: Path) -> None:
    (project / "pyproject.toml").write_text(
        PROJECT + "\n[tool.preflight]\nspend_maxx = 9\n\n# ours\n[tool.mypy]\nx = 1\n"
    )
    assert quick("init", "--force", cwd=project).code == 0
    text = (project / "pyproject.toml").read_text()
    assert text.startswith(PROJECT) and "\n# ours\n[tool.mypy]\nx = 1\n" in text
    assert "spend_maxx" not in text
    assert settings.load(project, environ={}).app == "deploy/modal/app.py"


def test_force_twice_gives_the_same_file(quick: InProcess, project: Path) -> None:
    (project / "pyproject.toml").write_text(PROJECT)
    quick("init", cwd=project)
    first = (project / "pyproject.toml").read_bytes()
    quick("init", "--force", cwd=project)
    assert (project / "pyproject.toml").read_bytes() == first


def test_diff_shows_and_writes_nothing(quick: InProcess, project: Path) -> None:
    (project / "pyproject.toml").write_text(PROJECT)
    ran = quick("init", "--diff", cwd=project)
    assert ran.code == 0
    assert '+app = "deploy/modal/app.py"' in ran.out.splitlines()
    assert (project / "pyproject.toml").read_text() == PROJECT


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[project\nname", "is not TOML"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"tool = {ruff = {x = 1}}\n", "can't take a [tool.preflight] table"),
        (b'[tool]\npreflight = {app = "x"}\n', "has a [tool.preflight] table"),
    ],
)
def test_a_file_that_can_not_take_the_table_is_left_as_it_is(
    quick: InProcess, project: Path, content: bytes, words: str
) -> None:
    (project / "pyproject.toml").write_bytes(content)
    ran = quick("init", cwd=project)
    assert ran.code == 2
    assert words in ran.err and "Traceback" not in ran.err
    assert (project / "pyproject.toml").read_bytes() == content


def test_no_app_and_several_apps_are_usage_errors_that_name_what_there_is(quick: InProcess, project: Path) -> None:
    shutil.copy(APP, project / "other.py")
    ran = quick("init", cwd=project)
    assert ran.code == 2
    assert "other.py" in ran.err and "deploy/modal/app.py" in ran.err
    empty = project.parent / "empty"
    empty.mkdir()
    ran = quick("init", cwd=empty)
    assert (ran.code, list(empty.iterdir())) == (2, [])


def test_a_hostile_app_puts_nothing_into_the_file_but_comments(quick: InProcess, project: Path) -> None:
    name = r"x\n[tool.evil]\ny = 1\x1b[31m"
    key = "hf_" + "a" * 30
    (project / "deploy" / "modal" / "app.py").write_text(
        f'import modal\napp = modal.App("{name}")\nv = modal.Volume.from_name("{key}")\n'
        '@app.function(gpu="T4\\n[x]", volumes={"/v": v})\ndef f(): ...\n'
    )
    assert quick("init", cwd=project).code == 0
    text = (project / "pyproject.toml").read_text()
    assert tomllib.loads(text)["tool"].keys() == {"preflight"}
    assert "\x1b" not in text and key not in text


def test_an_app_with_an_odd_name_is_quoted(quick: InProcess, project: Path) -> None:
    odd = project / 'we"ird\\ é.py'
    shutil.move(project / "deploy" / "modal" / "app.py", odd)
    assert quick("init", odd.name, cwd=project).code == 0
    assert settings.load(project, environ={}).app == odd.name


def test_a_file_that_can_not_be_written_is_named(quick: InProcess, project: Path) -> None:
    (project / "pyproject.toml").mkdir()
    ran = quick("init", "deploy/modal/app.py", cwd=project)
    assert ran.code == 2
    assert "Traceback" not in ran.err


# --- the text, without a process ---


@pytest.mark.parametrize("before", [b"", b"\n", b"x = 1", b"x = 1\n", b"# only a comment", b"[[a]]\n[[a]]\nb = 2\n"])
def test_any_sound_file_takes_the_table_at_its_end(before: bytes) -> None:
    after = with_table(before, TABLE, force=False, file=Path("p"))
    assert after.startswith(before) and after.endswith(TABLE.encode())


def test_line_ends_of_windows_are_kept() -> None:
    after = with_table(b'[project]\r\nname = "x"\r\n', TABLE, force=False, file=Path("p"))
    assert after.count(b"\n") == after.count(b"\r\n")


@pytest.mark.parametrize(
    ("before", "rest"),
    [
        ('[tool.preflight]\napp = "a"\n[x]\ny = 1\n', "[x]\ny = 1\n"),
        ('[x]\ny = 1\n[tool.preflight.s3]\nkeys = ["a",\n  "b"]\n', "[x]\ny = 1\n"),
        ('[tool . "preflight"]\napp = "a"\n\n# of x\n[x]\n', "# of x\n[x]\n"),
        ("[tool.preflight]\n# mine\n[tool.preflight-extra]\na = 1\n", "[tool.preflight-extra]\na = 1\n"),
    ],
)
def test_force_takes_out_its_own_lines_and_no_others(before: str, rest: str) -> None:
    after = with_table(before.encode(), TABLE, force=True, file=Path("p")).decode()
    assert after.replace(TABLE, "").strip("\n") == rest.strip("\n")


@pytest.mark.parametrize(
    ("before", "rest"),
    [
        ('a = """\n[tool.preflight]\nx"""\n[tool.preflight]\napp = "a"\n', 'a = """\n[tool.preflight]\nx"""\n'),
        ('[tool]\npreflight.app = "a"\nx = 1\n', "[tool]\nx = 1\n"),
        (
            "[tool.preflight]\nx = 1\n\n# of a\n[tool.a]\n[tool.preflight.s3]\n\n# of b\n[b]\n",
            "# of a\n[tool.a]\n\n# of b\n[b]\n",
        ),
    ],
)
def test_force_knows_its_own_from_text_that_looks_like_it(before: str, rest: str) -> None:
    after = with_table(before.encode(), TABLE, force=True, file=Path("p")).decode()
    assert after.replace(TABLE, "").strip("\n") == rest.strip("\n")


@pytest.mark.parametrize(
    "before", ["tool = {preflight = {app = 'a'}, x = 1}\n", "[tool.preflight]\nskip = [\n[tool]\n]\n"]
)
def test_what_can_not_be_replaced_for_certain_is_refused(before: str) -> None:
    with pytest.raises(CanNotWrite):
        with_table(before.encode(), TABLE, force=True, file=Path("p"))


# --- the block ---


def test_recipe_prints_a_block_and_nothing_else(quick: InProcess) -> None:
    ran = quick("init", "--recipe", "--torch", "2.2", "--cuda", "cu121", "--python", "3.11", "--mamba", "2.2.2")
    assert (ran.code, ran.err) == (0, "")
    assert 'from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")' in ran.out
    assert ran.out.startswith("# torch 2.2.2") and ran.out.endswith(")\n")


def test_an_impossible_recipe_is_refused_with_one_that_can_be_pasted(quick: InProcess) -> None:
    ran = quick("init", "--recipe", "--torch", "2.5", "--mamba", "2.2.2", "--gpu", "H100")
    assert (ran.code, ran.out) == (2, "")
    assert "its sdist holds no CUDA sources" in ran.err
    near = re.search(r"preflight init (--recipe .*)", ran.err)
    assert near is not None
    assert quick("init", *near[1].split()).code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--torch", "2.8"), "--torch belongs to --recipe"),
        (("--recipe", "app.py"), "no APP"),
        (("--recipe", "--diff"), "writes nothing"),
        (("--recipe", "--torch", "two"), "wanted like 2.8"),
        (("--recipe", "--cuda", "twelve"), "wanted like 12.4"),
        (("--recipe", "--gpu", "V100"), "Modal names no GPU 'V100'"),
        (("nowhere.py",), "nowhere.py is not there"),
    ],
)
def test_wrong_words_are_usage_errors(quick: InProcess, words: tuple[str, ...], said: str) -> None:
    ran = quick("init", *words)
    assert ran.code == 2
    assert said in ran.err and "Traceback" not in ran.err
