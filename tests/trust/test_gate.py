"""A pass is held, and then the world, or the command, is another one: the command must not run.

Everything is the gate's own, from its command line to the moment before exec, in this process; only the checks
themselves are stood in for, by one that passes.  The real command is attacked in tests/cli/gate.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest

from preflight.cli.gate import checks, command
from preflight.cli.main import cli
from preflight.cli.running import conduct
from preflight.model import Answer, Check, Exit, Finding, Report, Result, Severity, Stage, Status, Target
from preflight.state.receipt import Receipts
from tests.trust.table import Tally

gate = importlib.import_module("preflight.cli.gate.gate")
APP = """\
import os, sys
from pathlib import Path
import modal
HERE = Path(__file__).resolve().parent
app = modal.App("x")
image = modal.Image.debian_slim()
"""
END = "\n@app.function(image=image)\ndef train() -> None: ...\n"
NEVER, RAN = "was not run", "ran"


entry_points = functools.cache(importlib.metadata.entry_points)  # no attack here installs anything


class Became(Exception):
    """The command would run now."""


async def _passes(looked: object) -> Any:
    raise AssertionError("stood in for")


CHECK = Check(id="TST001", name="stand-in", title="it passes", stage=Stage.STATIC, run=_passes)


@dataclass
class Gate:
    top: Path
    monkeypatch: pytest.MonkeyPatch
    meanwhile: Callable[[], None] = lambda: None  # what happens while the checks run
    seconds: float = 1.0  # that they took
    status: Status = Status.PASS
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def project(self) -> Path:
        return self.top / "project"

    def write(self, name: str, content: str | bytes = "", mode: int = 0o644) -> Path:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    def checked(self, *given: object) -> Report:
        self.meanwhile()
        finding = (Finding(severity=Severity.ERROR, message="it fails", remedy="mend it"),)
        answers = {Status.PASS: Answer(summary="it passes"), Status.UNKNOWN: Answer(summary="not known")}
        answers[Status.FAIL] = Answer(summary="it fails", findings=finding)
        answer = answers.get(self.status)
        result = Result(check=CHECK, status=self.status, seconds=1.0, reason="it was asked", answer=answer)
        return Report(target=Target(), started=datetime.now(UTC), seconds=self.seconds, results=(result,))

    def __call__(self, line: str = "modal run app.py", *options: str) -> int | str:
        """``RAN``, or the exit code of a gate that let nothing through."""
        words = ["gate", "--stage", "static", *options, "--", *shlex.split(line)]
        self.monkeypatch.setattr(sys, "argv", ["preflight", *words])
        try:
            return int(cli.main(words, standalone_mode=False))
        except click.UsageError:
            return int(Exit.USAGE)
        except Became:
            return RAN

    def passes(self, text: str = "", line: str = "modal run app.py") -> None:
        self.write("app.py", APP + text + END)
        assert self(line, "--renew") == RAN

    def is_kept(self) -> bool:
        return Receipts(self.top / "state" / "preflight", self.project, "app.py").file.exists()

    def set(self, environ: Mapping[str, str | None]) -> None:
        for name, value in environ.items():
            if value is None:
                self.monkeypatch.delenv(name, raising=False)
            else:
                self.monkeypatch.setenv(name, value)


@pytest.fixture
def g(in_memory: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    world = Gate(in_memory, monkeypatch)
    for name in os.environ:
        monkeypatch.delenv(name)
    for folder in ("bin", "home", "project"):
        (in_memory / folder).mkdir()
    for name in ("modal", "uv", "python", "make"):
        (in_memory / "bin" / name).write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
        (in_memory / "bin" / name).chmod(0o755)
    path = os.pathsep.join([str(in_memory / "bin"), "/usr/bin", "/bin"])
    world.set({"PATH": path, "HOME": str(in_memory / "home"), "XDG_STATE_HOME": str(in_memory / "state"), "LANG": "C"})
    monkeypatch.chdir(world.project)
    world.write("pyproject.toml", '[tool.preflight]\napp = "app.py"\n')
    world.write("other.py", APP.replace('"x"', '"other"') + END)

    def become(*given: object, **more: object) -> None:
        raise Became

    monkeypatch.setattr("importlib.metadata.entry_points", entry_points)
    monkeypatch.setattr(command, "become", become)
    monkeypatch.setattr(checks, "run_selection", world.checked)
    monkeypatch.setattr(conduct, "all_checks", lambda named: (CHECK,))
    return world


# --- the command names another app, account or client ---------------------------------------------------------------

OTHERS = """
modal run other.py
modal run ./other.py
modal run other.py::train
modal run other
modal run other::train
modal run -m other
modal run -m pkg.app
modal run -mother
modal run -dm other
modal run -qdm other
modal run -dmother
modal run --detach -m other.sub
modal run -m other::train
modal deploy -m other
modal deploy other.py
modal deploy other.py --tag app.py
modal deploy --tag app.py other.py
modal deploy --strategy app.py other.py
modal deploy --name app.py other.py
modal serve other.py
modal serve -m other
modal serve --timeout 5 other.py
modal run -n app.py other.py
modal run --name app.py other.py
modal run --name=app.py other.py
modal run -napp.py other.py
modal run -w app.py other.py
modal run -wapp.py other.py
modal run -iw app.py other.py
modal run --write-result app.py other.py
modal run -e app.py other.py
modal run -- other.py app.py
modal run other.py app.py
modal run -q other.py -- app.py
modal run -
modal run
modal run -m
modal run --detach
modal run app.py.bak
modal run pkg
modal -m run app.py
modal --no-such-option run app.py
modal run --no-such-option app.py
modal run --env app.py
modal run ~/other.py
modal run $APP
modal cluster app.py
modal launch jupyter
modal shell app.py
modal shell other.py
modal container exec ta-1 bash
modal bootstrap
modal run -estaging app.py
modal run -e staging app.py
modal run -qe staging app.py
modal run -de staging app.py
modal run -destaging app.py
modal run --env staging app.py
modal run --env=staging app.py
modal deploy -e staging app.py
modal deploy app.py -e staging
modal deploy app.py --env staging
modal serve -estaging app.py
modal run --profile prod app.py
modal run --profile=prod app.py
modal --profile prod run app.py
modal --profile=prod run app.py
modal deploy --profile prod app.py
modal deploy app.py --profile prod
modal --profile prod deploy app.py
python -m modal run other.py
python -m modal run -m other
python3 -m modal deploy other.py
python -I -m modal run app.py
uv run modal run other.py
uv run modal run -mother
uv run --frozen modal run other.py
uv run --project ../elsewhere modal run app.py
uv --directory ../elsewhere run modal run app.py
uv run --python 3.9 modal run app.py
uv run --env-file .env.prod modal run app.py
uvx modal run other.py
uvx --from modal==1.0 modal run app.py
poetry run modal run other.py
poetry -C ../elsewhere run modal run app.py
pdm run modal run other.py
hatch run modal run other.py
hatch run prod:modal run app.py
pixi run modal run other.py
pipx run modal run other.py
sh -c 'modal run other.py'
sh -c 'modal run app.py'
sh -c "cd ../elsewhere && modal run app.py"
bash -lc 'exec modal run other.py'
sh -c 'm=modal; modal  run other.py'
sh -c '"modal" run other.py'
sh -c "modal --profile prod run app.py"
sh -c 'modal -m run app.py'
env MODAL_PROFILE=prod modal run app.py
env -u MODAL_TOKEN_ID modal run app.py
env -C ../elsewhere modal run app.py
/usr/bin/env modal run other.py
/usr/bin/env -S 'modal run other.py'
nice modal run other.py
nice -n 5 modal run app.py
nohup modal run other.py
timeout 24h modal run other.py
time modal run other.py
xargs modal run
xargs -a list modal run
script -qc 'modal run other.py'
stdbuf -oL modal run other.py
setsid modal run other.py
sudo -E modal run app.py
ssh host modal run app.py
docker run image modal run app.py
watch modal run app.py
caffeinate modal run other.py
tmux new 'modal run app.py'
""".strip().splitlines()
LAUNCHERS = "poetry pdm hatch pixi pipx uvx sudo docker ssh watch script tmux caffeinate setsid stdbuf time".split()


def test_a_command_that_runs_another_app_or_account_is_not_run_on_this_pass(g: Gate, tally: Tally) -> None:
    g.write("pkg/__init__.py")
    g.write("pkg/app.py", APP + END)
    g.write("app.py.bak", "import modal\n")
    for program in LAUNCHERS:
        g.write(f"../bin/{program}", "#!/bin/sh\n", 0o755)
    g.passes()
    outcomes = {line: g(line, "--offline") for line in OTHERS}
    ran = [line for line, outcome in outcomes.items() if outcome not in (2, 5, 127)]
    for line in OTHERS:
        tally.add(line in ran)
    assert not ran


@pytest.mark.parametrize(
    "line",
    [
        "modal run app.py",
        "modal run --detach app.py::train --epochs 3",
        "modal run -dq app.py",
        "modal run app",
        "modal run -m app",
        "modal deploy app.py --tag v1",
        "modal serve app.py",
        "python -m modal run app.py",
        "uv run modal run app.py",
        "modal secret list",
        "true",
        "make train",
    ],
)
def test_a_command_of_the_pass_runs(g: Gate, line: str) -> None:
    g.passes()
    assert g(line, "--offline") == RAN


def client(folder: Path, version: str) -> Path:
    """An environment with a client of its own, and its `modal`."""
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    (folder / f"lib/python3.11/site-packages/modal-{version}.dist-info").mkdir(parents=True)
    for name in ("modal", "python"):
        (folder / "bin" / name).write_text("#!/bin/sh\n", encoding="utf-8")
        (folder / "bin" / name).chmod(0o755)
    return folder / "bin"


@pytest.mark.parametrize("line", ["{}/modal run app.py", "{}/python -m modal run app.py", "{}/modal deploy app.py"])
def test_another_client_named_by_its_path_is_not_that_of_the_pass(g: Gate, line: str) -> None:
    ours, theirs = client(g.top / "venv", "1.6.4"), client(g.top / "elsewhere", "0.60.0")
    g.set({"PATH": f"{ours}:{os.environ['PATH']}"})
    g.passes()
    assert g(line.format(theirs), "--offline") in (2, 5)
    assert g(line.format(ours), "--offline") == RAN


@pytest.mark.parametrize("program", ["modal", "python", "python3", "uv"])
def test_another_program_first_on_the_path_is_refused(g: Gate, program: str) -> None:
    g.passes()
    g.write(f"../front/{program}", "#!/bin/sh\n", 0o755)
    g.set({"PATH": f"{g.top / 'front'}:{os.environ['PATH']}"})
    assert g("modal run app.py", "--offline") == 5


# --- the variables that the app reads in ways that its text does not show -------------------------------------------

READS = {
    "get": 'X = os.environ.get("KNOB")',
    "getenv": 'X = os.getenv("KNOB", "1")',
    "alias of the mapping": 'E = os.environ\nX = E.get("KNOB")',
    "subscript of an alias": 'E = os.environ\nX = E["KNOB"] if "KNOB" in E else ""',
    "dict()": 'X = dict(os.environ).get("KNOB")',
    "copy()": 'X = os.environ.copy().get("KNOB")',
    "unpacked": 'X = {**os.environ}.get("KNOB")',
    "or": 'X = (os.environ | {}).get("KNOB")',
    "items()": 'X = [v for k, v in os.environ.items() if k.startswith("KN")]',
    "keys()": 'X = any(k == "KNOB" for k in os.environ.keys())',
    "values()": "X = sorted(os.environ.values())",
    "iteration": "X = sorted(os.environ)",
    "length": "X = len(os.environ)",
    "setdefault": 'X = os.environ.setdefault("KNOB", "1")',
    "pop": 'X = os.environ.pop("KNOB", "1")',
    "environb": 'X = os.environb.get(b"KNOB")',
    "getenvb": 'X = os.getenvb(b"KNOB")',
    "expandvars": 'X = os.path.expandvars("$KNOB")',
    "a name in a variable": 'N = "KNOB"\nX = os.environ.get(N)',
    "an f-string": "X = os.environ.get(f\"{'KN'}OB\")",
    "joined": 'X = os.environ.get("".join(["KN", "OB"]))',
    "a helper": 'def env(n): return os.environ.get(n)\nX = env("KNOB")',
    "a lambda": 'env = lambda n: os.environ.get(n)\nX = env("KNOB")',
    "map": 'X = list(map(os.environ.get, ["KNOB"]))',
    "itemgetter": 'import operator\nX = operator.itemgetter("KNOB")(os.environ) if "KNOB" in os.environ else ""',
    "getattr": 'X = getattr(os, "env" + "iron").get("KNOB")',
    "vars": 'X = vars(os)["environ"].get("KNOB")',
    "__import__": 'X = __import__("os").environ.get("KNOB")',
    "posix": 'import posix\nX = posix.environ.get(b"KNOB")',
    "a subprocess": 'import subprocess\nX = subprocess.run("echo $KNOB", shell=True, capture_output=True).stdout',
    "popen": 'X = os.popen("echo $KNOB").read()',
    "proc": 'X = b"KNOB" in Path("/proc/self/environ").read_bytes()',
    "exec": "exec('X = os.environ.get(\"KNOB\")')",
    "a sibling module": "from knobs import X",
    "a sibling's module": "from between import X",
    "no reading at all": "X = 1",
}


@pytest.mark.parametrize("how", READS)
def test_a_variable_that_is_read_in_any_way_is_held(g: Gate, tally: Tally, how: str) -> None:
    g.write("knobs.py", 'import os\nX = os.environ.get("KNOB")\n')
    g.write("between.py", "from knobs import X\n")
    for before, afters in ((None, ("2", "")), ("1", ("2", None))):
        g.set({"KNOB": before})
        g.passes(READS[how])
        kept = how != "exec"  # which could add any path: no pass is kept
        assert g("modal run app.py", "--offline") == (RAN if kept else 5)
        for after in afters:
            g.set({"KNOB": after})
            outcome = g("modal run app.py", "--offline")
            tally.add(outcome != 5)
            assert outcome == 5, (before, after)


@pytest.mark.parametrize(
    "name",
    "AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_CONFIG_FILE AWS_ENDPOINT_URL MODAL_PROFILE"
    " MODAL_ENVIRONMENT MODAL_TOKEN_ID MODAL_SERVER_URL MODAL_CONFIG_PATH MODAL_IMAGE_BUILDER_VERSION MODAL_FORCE_BUILD"
    " PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONOPTIMIZE PYTHONHASHSEED LD_PRELOAD LD_LIBRARY_PATH VIRTUAL_ENV"
    " CONDA_PREFIX HTTPS_PROXY NO_PROXY SSL_CERT_FILE TZ LANG LC_ALL USER HOSTNAME HOME EDITOR SHELL CI GIT_DIR"
    " UV_PROJECT_ENVIRONMENT UV_INDEX_URL PIP_INDEX_URL WANDB_MODE HF_HOME TMPDIR knob".split(),
)
def test_any_other_variable_is_held(g: Gate, name: str) -> None:
    g.passes()
    g.set({name: str(g.top / "elsewhere")})
    assert g("modal run app.py", "--offline") in (2, 5)


@pytest.mark.parametrize(
    "name",
    "TERM COLORTERM COLUMNS LINES PWD OLDPWD SHLVL _ PS1 LS_COLORS TMUX_PANE SSH_AUTH_SOCK SSH_TTY DISPLAY"
    " XDG_SESSION_ID TERM_PROGRAM VSCODE_PID WINDOWID".split(),
)
def test_what_a_terminal_sets_for_itself_is_not(g: Gate, name: str) -> None:
    g.passes()
    g.set({name: "another"})
    assert g("modal run app.py", "--offline") == RAN
    g.passes(f'X = os.environ.get("{name}")')
    g.set({name: "a third"})
    assert g("modal run app.py", "--offline") == 5  # but where the app reads it, it counts


# --- the files that the app takes ------------------------------------------------------------------------------------

TAKEN = {
    "named": 'image = image.add_local_dir("../outside", "/x")',
    "absolute": 'image = image.add_local_dir(str(HERE.parent / "outside"), "/x")',
    "through a constant": 'D = "../outside"\nimage = image.add_local_dir(D, "/x")',
    "by keyword": 'image = image.add_local_dir(local_path="../outside", remote_path="/x")',
    "a bound method": 'take = image.add_local_dir\nimage = take("../outside", "/x")',
    "getattr": 'image = getattr(image, "add_local_dir")("../outside", "/x")',
    "getattr, joined": 'image = getattr(image, "add_" + "local_dir")("../outside", "/x")',
    "keywords of a call": 'def f(): return {"local_path": "../outside"}\nimage.add_local_dir(**f())',
    "a helper": 'def add(i, d): return i.add_local_dir(d, "/x")\nimage = add(image, "../outside")',
    "a lambda": 'image = (lambda i, d: i.add_local_dir(d, "/x"))(image, "../outside")',
    "a loop": 'for d in ["../outside"]:\n    image = image.add_local_dir(d, "/x")',
    "a partial": 'import functools\nimage = functools.partial(image.add_local_dir, "../outside")("/x")',
    "a class's own name": 'image = modal.Image.add_local_dir(image, "../outside", "/x")',
    "methodcaller": 'import operator\nimage = operator.methodcaller("add_local_dir", "../outside", "/x")(image)',
    "a file of it": 'image = image.add_local_file("../outside/data.bin", "/x")',
    "the old name": 'image = image.copy_local_dir("../outside", "/x")',
    "a batch": 'with modal.Volume.from_name("v").batch_upload() as b:\n    b.put_directory("../outside", "x")',
    "a batch, a file": 'with modal.Volume.from_name("v").batch_upload() as b:\n    b.put_file("../outside/x", "/x")',
    "a mount": 'M = modal.Mount.from_local_dir("../outside", remote_path="/x")',
    "a Dockerfile's context": 'image = modal.Image.from_dockerfile("Dockerfile", context_dir="../outside")',
    "commands of a Dockerfile": 'image = image.dockerfile_commands(["COPY . /x"], context_dir="../outside")',
    "requirements": 'image = image.pip_install_from_requirements("../outside/requirements.txt")',
    "requirements of uv": 'image = image.uv_pip_install(requirements=["../outside/requirements.txt"])',
    "an include": 'image = image.pip_install_from_requirements("requirements.txt")',
    "a pyproject": 'image = image.pip_install_from_pyproject("../outside/pyproject.toml")',
    "a uv project": 'image = image.uv_sync("../outside")',
    "opened": 'X = open("../outside/data.bin").read()',
    "read": 'X = Path("../outside/data.bin").read_bytes()',
    "a .env file": 'S = modal.Secret.from_dotenv("../outside/.env")',
}
CHANGED = ("data.bin", "requirements.txt", "pyproject.toml", ".env")


@pytest.mark.parametrize("how", TAKEN)
def test_what_the_app_takes_from_elsewhere_in_any_way_is_held_or_no_pass_is_kept(g: Gate, how: str) -> None:
    for name in CHANGED:
        g.write(f"../outside/{name}", "1\n")
    g.write("Dockerfile", "FROM python:3.11\n")
    g.write("requirements.txt", "-r ../outside/requirements.txt\n")
    g.passes(TAKEN[how])
    for name in CHANGED:
        g.write(f"../outside/{name}", "2\n")
    assert g("modal run app.py", "--offline") == 5


SKIPPED = (
    ".git/x node_modules/x .idea/x htmlcov/x .tox/x .nox/x .vscode/x .hg/x venv/pyvenv.cfg venv/x data~ .x.swp"
    " lib.pyc pkg/__pycache__/gone.cpython-311.pyc .coverage.prod .coverage .#x .DS_Store .hidden/x a/b/c/d/e/f/x"
    " coverage.xml preflight.json r.part .env no-suffix big.bin".split()
)


@pytest.mark.parametrize("where", ["../outside", "data"])
@pytest.mark.parametrize("name", SKIPPED)
def test_whatever_its_name_a_file_of_an_added_folder_counts(g: Gate, name: str, where: str) -> None:
    g.write(f"{where}/venv/pyvenv.cfg", "x")
    g.write(f"{where}/{name}", "1")
    g.passes(f'image = image.add_local_dir("{where}", "/x")')
    g.write(f"{where}/{name}", "2")
    assert g("modal run app.py", "--offline") == 5


def rewrite(g: Gate) -> None:
    """Other content of the same size, with the times of before."""
    file = g.project / "model.py"
    before = file.stat()
    file.write_text(file.read_text("utf-8").replace("1", "2"), encoding="utf-8")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def swap(g: Gate) -> None:
    (g.project / "current").unlink()
    (g.project / "current").symlink_to("b")


CHANGES: dict[str, Callable[[Gate], object]] = {
    "the app": lambda g: g.write("app.py", APP + "GPU = 2\n" + END),
    "one space of the app": lambda g: g.write("app.py", APP + END + " "),
    "a module": lambda g: g.write("model.py", "N = 2\n"),
    "a module, with its size and time": rewrite,
    "a module that is new": lambda g: g.write("torch.py", ""),
    "a module of stdlib's name": lambda g: g.write("json.py", ""),
    "a package that is new": lambda g: g.write("modal/__init__.py", ""),
    "a module without its source": lambda g: g.write("cfg.pyc", "2"),
    "a module that is gone": lambda g: (g.project / "model.py").unlink(),
    "an extension module": lambda g: g.write("fast.so", "2"),
    "a data file": lambda g: g.write("data.csv", "2"),
    "a link": swap,
    "a mode": lambda g: (g.project / "train.sh").chmod(0o755),
    "settings": lambda g: g.write("pyproject.toml", '[tool.preflight]\napp = "app.py"\nskip = ["gpu-probe"]\n'),
    "a settings file of ours": lambda g: g.write("preflight.toml", 'app = "app.py"\n'),
    "a lock": lambda g: g.write("uv.lock", "2"),
    ".env": lambda g: g.write(".env", "X=2"),
    "sitecustomize": lambda g: g.write("sitecustomize.py", ""),
    "a .pth file": lambda g: g.write("x.pth", "import os"),
    "a hidden folder": lambda g: g.write(".config/x", "2"),
    "a file without a suffix": lambda g: g.write("VERSION", "2"),
    "a pipe": lambda g: os.mkfifo(g.project / "pipe"),
    "a broken link": lambda g: (g.project / "broken").symlink_to("nowhere"),
    "a folder of modules behind a link": lambda g: g.write("../linked/deep/mod.py", "N = 2\n"),
    "Modal's own configuration": lambda g: g.write("../home/.modal.toml", '[x]\ntoken_id = "ak-2"\n'),
    "the working folder": lambda g: (g.write("sub/x"), g.monkeypatch.chdir(g.project / "sub")),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_changes_in_the_project_or_around_it_is_refused(g: Gate, what: str) -> None:
    for name, text in (("model.py", "N = 1\n"), ("data.csv", "1"), ("a", "1"), ("b", "1"), ("train.sh", "")):
        g.write(name, text)
    for name in ("uv.lock", ".env", "VERSION", "cfg.pyc", "fast.so", "../home/.modal.toml", "../linked/deep/mod.py"):
        g.write(name, "")
    (g.project / "current").symlink_to("a")
    (g.project / "linked").symlink_to("../linked")
    g.passes()
    assert g("modal run app.py", "--offline") == RAN
    CHANGES[what](g)
    assert g("modal run app.py" if what != "the working folder" else "modal run ../app.py", "--offline") in (2, 5)


# --- time of check and time of use -----------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [(), ("--renew",)])
@pytest.mark.parametrize("seconds", [1.0, 100.0])
def test_what_changes_while_the_checks_run_is_refused(g: Gate, seconds: float, options: tuple[str, ...]) -> None:
    g.passes()
    g.write("state-of-it", "1")
    g.meanwhile, g.seconds = lambda: g.write("model.py", "def (:\n") and None, seconds
    assert g("modal run app.py", "--renew", *options) == 5
    assert not g.is_kept()


def test_what_changes_while_modal_is_asked_again_is_refused(g: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checklist of over a minute asks Modal again: the files are looked at after that, too."""
    g.passes()
    g.seconds = 100.0

    def ask_again(*given: object) -> list[object]:
        g.write("model.py", "def (:\n")
        return []

    monkeypatch.setattr(checks, "ask_again", ask_again)
    assert g("modal run app.py", "--renew") == 5
    g.seconds = 1.0
    assert g("modal run app.py", "--renew") == RAN
    (g.project / "model.py").unlink()
    assert g("modal run app.py", "--renew") == RAN
    assert g("modal run app.py") == 5


def test_a_project_that_is_too_large_to_be_watched_runs_nothing(g: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    from preflight.state import sources

    g.passes()
    monkeypatch.setattr(sources, "MOST_FILES", 3)
    for n in range(5):
        g.write(f"f{n}", "1")
    assert (g("modal run app.py", "--offline"), g("modal run app.py", "--renew")) == (5, 5)
    monkeypatch.setattr(sources, "MOST_FILES", 20_000)
    monkeypatch.setattr(sources, "MOST_BYTES", 3)
    assert (g("modal run app.py", "--offline"), g("modal run app.py", "--renew")) == (5, 5)


def test_without_a_state_folder_changes_are_seen_all_the_same(g: Gate) -> None:
    g.write("../no-folder", "x")
    g.set({"XDG_STATE_HOME": str(g.top / "no-folder")})
    g.write("app.py", APP + END)
    assert g("modal run app.py") == RAN
    g.meanwhile = lambda: g.write("model.py", "def (:\n") and None
    assert g("modal run app.py") == 5


def test_a_slow_pass_does_not_outlive_a_failure_that_began_later(g: Gate) -> None:
    """Gate A is slow; gate B begins after it and fails; A passes then: its pass must not stand."""
    g.passes()

    def meanwhile() -> None:
        g.meanwhile, g.status = (lambda: None), Status.FAIL
        assert g("modal run app.py", "--renew") == 5
        g.status = Status.PASS

    g.meanwhile = meanwhile
    assert g("modal run app.py", "--renew") == 5
    assert not g.is_kept() and g("modal run app.py", "--offline") == 5


@pytest.mark.parametrize("status", [s for s in Status if s not in (Status.PASS, Status.SKIP, Status.WARN)])
def test_what_did_not_pass_runs_nothing_and_leaves_no_pass(g: Gate, status: Status) -> None:
    g.passes()
    g.status = status
    assert g("modal run app.py", "--renew") == 5
    g.status = Status.PASS
    assert g("modal run app.py", "--offline") == 5


@pytest.mark.parametrize("days", [-8, 1, 400])
def test_a_clock_that_is_elsewhere_is_refused(g: Gate, monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    g.passes()

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(days=days)

    monkeypatch.setattr(gate, "datetime", Clock)
    assert g("modal run app.py", "--offline") == (RAN if days == 1 else 5)
