"""Reading an app imports nothing of it, opens only what it reads as text, and starts nothing: seen by an audit hook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

DATA = Path(__file__).parent.parent / "data" / "apps"
WATCHER = """
import json, os, sys
from pathlib import Path
from preflight.engine import builtin
from preflight.engine.files import judge, recipe_of, static_rules
from preflight.engine.folder import ToLint
from preflight.app import reader
from preflight.settings import Settings
import asyncio, tree_sitter_bash, tree_sitter
from preflight.app import shell

rules = static_rules(builtin.checks())
shell.commands("true", lambda start, end: (None, None))
loop = asyncio.new_event_loop()  # opens a socket pair
events, is_watching = [], False

def hook(event, args):
    if is_watching and event in ("import", "open", "exec", "os.exec", "os.fork", "os.posix_spawn", "os.system",
                                 "subprocess.Popen", "socket.connect", "socket.__new__", "os.putenv", "os.chdir",
                                 "os.remove", "os.mkdir", "os.rename", "shutil.rmtree", "ctypes.dlopen"):
        what = args[0] if args else ""
        if event == "exec":
            what = what.co_filename
        mode = ("r" if args[2] & 3 == 0 else "w") if event == "open" else ""  # O_ACCMODE of the flags
        events.append([event, str(what), mode])

sys.addaudithook(hook)
for name, with_rules in json.loads(sys.argv[1]):
    file = Path(name)
    os.chdir(file.parent)  # where an import would find the modules beside the app
    events.clear()
    settings = Settings(project=file.parent, app=file.name)
    is_watching = True
    reader.read(file, project=file.parent)
    if with_rules:
        loop.run_until_complete(judge(rules, recipe_of(ToLint(file, settings)), settings))
    is_watching = False
    modules = sorted(m for m in sys.modules if m in ("app", "evil", "helper", "pkg"))
    print(json.dumps({"events": events, "modules": modules}))
"""
EVIL = """
import helper
from pkg import images
open({mark!r}, "w").write("ran")
import os
os.system("touch {mark}")
import modal

app = modal.App("evil")
image = images.image.pip_install_from_requirements("requirements.txt").add_local_dir("secret", "/root")
raise SystemExit("never")


@app.function(image=image, gpu=__import__("helper").GPU, secrets=[modal.Secret.from_dotenv()])
def f():
    return eval("1")
"""


Seen = dict[str, Any]
APPS = [*sorted(DATA.glob("*.py")), DATA / "several" / "app.py"]


@pytest.fixture(scope="module")
def watched(evil: Path) -> dict[tuple[Path, bool], Seen]:
    """What reading each app does, with the rules or without, all in one process."""
    wanted = [(evil, False), (evil, True), *((app, False) for app in APPS)]
    done = subprocess.run(
        [sys.executable, "-c", WATCHER, json.dumps([(str(file), with_rules) for file, with_rules in wanted])],
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin"},
        cwd=evil.parent,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(wanted, map(json.loads, done.stdout.splitlines()), strict=True))


def is_below(path: str, folder: Path) -> bool:
    try:
        return Path(path).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError):
        return False


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("evil")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("open('/tmp/never-written-by-preflight', 'w')\n")
    (tmp_path / "pkg" / "images.py").write_text("import modal\nimage = modal.Image.debian_slim().pip_install('a')\n")
    (tmp_path / "helper.py").write_text("raise RuntimeError('imported')\nGPU = 'T4'\n")
    (tmp_path / "requirements.txt").write_text("torch==2.6.0\n")
    (tmp_path / ".env").write_text("TOKEN=value\n")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "data.bin").write_text("x")
    file = tmp_path / "evil.py"
    file.write_text(EVIL.format(mark=str(tmp_path / "mark")))
    return file


@pytest.mark.parametrize("with_rules", [False, True])
def test_a_hostile_app_is_neither_imported_nor_run(
    evil: Path, watched: dict[tuple[Path, bool], Seen], with_rules: bool
) -> None:
    project, seen = evil.parent, watched[evil, with_rules]
    assert seen["modules"] == []
    assert not (project / "mark").exists()
    assert not [e for e in seen["events"] if e[0] not in ("open", "import", "exec")], seen["events"]
    ran = [path for event, path, _ in seen["events"] if event == "exec" and is_below(path, project)]
    assert ran == []


def test_only_the_files_that_are_read_as_text_are_opened_and_none_is_written(
    evil: Path, watched: dict[tuple[Path, bool], Seen]
) -> None:
    project, seen = evil.parent, watched[evil, True]
    opened = {
        str(Path(p).resolve().relative_to(project))
        for e, p, _ in seen["events"]
        if e == "open" and is_below(p, project)
    }
    assert opened <= {"evil.py", "helper.py", "pkg/__init__.py", "pkg/images.py", "requirements.txt"}
    assert "evil.py" in opened
    modes = {mode for event, path, mode in seen["events"] if event == "open" and is_below(path, project)}
    assert modes == {"r"}


@pytest.mark.parametrize("app", APPS, ids=lambda p: p.stem)
def test_no_example_app_is_imported_or_run(app: Path, watched: dict[tuple[Path, bool], Seen]) -> None:
    seen = watched[app, False]
    assert not [e for e in seen["events"] if e[0] not in ("open", "import", "exec")], seen["events"]
    assert not [path for event, path, _ in seen["events"] if event == "exec" and is_below(path, app.parent)]
    imported = {path for event, path, _ in seen["events"] if event == "import"}
    assert not {app.stem, "modal", "torch", "shared", "pkg"} & imported
