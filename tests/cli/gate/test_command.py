"""The command behind the gate: started or not, and then itself: its exit code, its signals, its terminal."""

from __future__ import annotations

import json
import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest

from preflight.cli.gate import command
from preflight.model import Report, Target
from preflight.report import github, json_v1, junit, markdown, sarif
from tests.cli.gate.conftest import APP, LONGEST_S, SKIP, World
from tests.conftest import Preflight

OFFLINE = (*SKIP, "--offline")


def start(world: World, *words: str, **more: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "preflight", "gate", *OFFLINE, "--", *words],
        cwd=world.project,
        env=world.environ(),
        **more,  # type: ignore[call-overload]
    )


def wait_for(file: Path) -> None:
    ends = time.monotonic() + LONGEST_S
    while not file.exists():
        assert time.monotonic() < ends, f"{file} did not come"
        time.sleep(0.05)


@pytest.mark.parametrize("code", [0, 1, 5, 77, 255])
def test_its_exit_code_is_the_gates(world: World, code: int) -> None:
    assert world.gate("--offline", command=("sh", "-c", f"exit {code}")).code == code


def test_its_input_and_both_outputs_are_its_own(world: World) -> None:
    words = ("sh", "-c", "cat; echo wrong >&2; printf '%s|' \"$@\"", "sh", "a b", "--", "-v", "")
    ran = world.preflight("gate", *OFFLINE, "--", *words, stdin="given\n")
    assert (ran.code, ran.out) == (0, "given\na b|--|-v||")
    assert ran.err.endswith("wrong\n")


def test_it_runs_where_it_was_started_and_with_the_variables_that_were_set(world: World) -> None:
    script = "import os; print(os.getcwd(), os.environ['MINE'], sorted(k for k in os.environ if 'PREFLIGHT' in k))"
    ran = world.gate("--renew", command=(sys.executable, "-c", script), env={"MINE": "x"})
    assert ran.out.split(maxsplit=2)[:2] == [str(world.project), "x"]


def test_it_runs_in_the_environment_that_was_looked_at(world: World) -> None:
    words = (sys.executable, "-c", "import os; print(os.environ.get('MODAL_ENVIRONMENT'))")
    assert world.gate("--offline", command=words).out == "None\n"
    assert world.gate("--renew", "-e", "main", command=words).out == "main\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_a_signal_reaches_it_once(world: World, number: signal.Signals) -> None:
    got = world.top / "got"
    script = (
        "import signal, sys, time, pathlib\n"
        f"signal.signal({int(number)}, lambda *_: (open({str(got)!r}, 'a').write('x'), sys.exit(40)))\n"
        f"pathlib.Path({str(world.ran)!r}).touch()\n"
        "time.sleep(60)\n"
    )
    process = start(world, sys.executable, "-c", script)
    wait_for(world.ran)
    process.send_signal(number)
    assert process.wait(LONGEST_S) == 40
    assert got.read_text("utf-8") == "x"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGPIPE])
def test_killed_by_a_signal_it_ends_by_that_signal(world: World, number: signal.Signals) -> None:
    ran = world.gate("--offline", command=("sh", "-c", f"kill -{int(number)} $$"))
    assert ran.code == -number


def test_a_signal_that_python_ignores_is_not_ignored_in_it(world: World) -> None:
    ran = world.gate("--offline", command=("sh", "-c", "yes | head -n 1; echo ${PIPESTATUS:-}; trap"))
    assert ran.out == "y\n\n"


def test_the_terminal_is_its_own_and_ctrl_c_of_the_terminal_reaches_it(world: World) -> None:
    script = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGINT, lambda *_: (print('caught', flush=True), sys.exit(41)))\n"
        "print('tty', os.isatty(0), os.isatty(1), os.isatty(2), os.tcgetpgrp(0) == os.getpgrp(), flush=True)\n"
        "print('read', input(), flush=True)\n"
        "time.sleep(60)\n"
    )
    words = [sys.executable, "-m", "preflight", "gate", *OFFLINE, "--", sys.executable, "-c", script]
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(world.project)
        os.execve(sys.executable, words, world.environ())
    assert "tty True True True True" in _until(terminal, "tty ")
    os.write(terminal, b"typed\n")
    _until(terminal, "read typed")
    os.write(terminal, b"\x03")
    _until(terminal, "caught")
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 41
    os.close(terminal)


def _until(terminal: int, words: str) -> str:
    said, ends = "", time.monotonic() + LONGEST_S
    while words not in said or not said.endswith("\n"):
        assert time.monotonic() < ends, said
        if select.select([terminal], [], [], 0.2)[0]:
            said += os.read(terminal, 4096).decode()
    return said


def test_no_process_stands_between_the_shell_and_it(world: World) -> None:
    process = start(world, "sh", "-c", "echo $$", stdout=subprocess.PIPE)
    out, _ = process.communicate(timeout=LONGEST_S)
    assert int(out) == process.pid


def test_an_unchanged_pass_is_held_against_the_world_without_loading_engine_reader_or_sdk(world: World) -> None:
    words = [sys.executable, "-X", "importtime", "-m", "preflight", "gate", *OFFLINE, "--", "true"]
    ran = subprocess.run(words, cwd=world.project, env=world.environ(), capture_output=True, text=True, check=True)
    loaded = {line.rsplit("|", 1)[-1].strip() for line in ran.stderr.splitlines() if line.startswith("import time:")}
    assert "preflight.state.vector" in loaded
    heavy = (
        "preflight.engine",
        "preflight.app",
        "preflight.remote",
        "preflight.sandbox",
        "modal",
        "rich",
        "asyncio",
    )
    assert not [name for name in loaded if name.startswith(heavy)]


# --- before it starts ----------------------------------------------------------------------------------------------


def test_a_command_that_is_not_there_ends_as_in_a_shell_before_any_check(world: World) -> None:
    plain = world.project / "plain"
    plain.write_text("x", encoding="utf-8")
    for words, code, said in (
        ("no-such-command", 127, "no-such-command: command not found"),
        ("./no/such/file", 127, "command not found"),
        (str(plain), 126, "can't be executed"),
        (str(world.project), 126, "can't be executed"),
    ):
        ran = world.gate("--renew", command=(words,))
        assert (ran.code, ran.out) == (code, ""), ran.err
        assert said in ran.err and "preflight 0" not in ran.err


def test_a_script_without_an_interpreter_is_said_and_is_no_traceback(world: World) -> None:
    gone, none = world.top / "gone", world.top / "none"
    gone.write_text("#!/no/such/interpreter\n", encoding="utf-8")
    none.write_bytes(b"\x00\x01")
    for file, code in ((gone, 127), (none, 126)):
        file.chmod(0o755)
        ran = world.gate("--offline", command=(str(file),))
        assert ran.code == code and str(file) in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gate",), "no command"),
        (("gate", "--"), "no command"),
        (("gate", APP, "modal", "run", APP), "unexpected extra arguments"),
        (("gate", "--scenario", "healthy", "--", "true"), "--scenario belongs to --sandbox"),
        (("gate", "--offline", "--renew", "--", "true"), "--offline asks nobody"),
        (("gate", "-o", "json", "--", "true"), "stdout is the command's"),
        (("gate", "-o", "pdf=x", "--", "true"), "'pdf' is not a format"),
        (("gate", "--skip", "no-such-check", "--renew", "--", "true"), "no check is called 'no-such-check'"),
        (("gate", "no/such/app.py", "--", "true"), "is not there"),
        (("gate", "src/seizure/model.py", "--", "true"), "makes no Modal app"),
        (("gate", "other_app.py", "--", "modal", "run", APP), f"the command runs {APP}"),
        (("gate", "-e", "dev", "--", "modal", "run", "-e", "main", APP), "the command runs in main"),
    ],
)
def test_what_can_not_be_meant_is_a_usage_error(world: World, words: tuple[str, ...], said: str) -> None:
    ran = world.decided(*words)
    assert (ran.code, ran.out) == (2, ""), ran.err
    assert said in ran.err


def test_offline_without_a_pass_is_refused_with_what_to_do(preflight: Preflight) -> None:
    app = preflight.home / "app.py"
    app.write_text("import modal\napp = modal.App('x')\n", encoding="utf-8")
    ran = preflight("gate", "app.py", "--offline", "--", "true")
    assert (ran.code, ran.out) == (5, "")
    assert "next  preflight gate --renew app.py -- true" in ran.err


def test_without_an_account_it_is_refused_and_the_checklist_says_why(preflight: Preflight) -> None:
    app = preflight.home / "app.py"
    app.write_text("import modal\napp = modal.App('x')\n", encoding="utf-8")
    ran = preflight("gate", "app.py", "--", "touch", "ran")
    assert (ran.code, ran.out, (preflight.home / "ran").exists()) == (5, "", False)
    assert "modal token new" in ran.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_during_the_checks_ends_with_130_and_nothing_runs(world: World, number: signal.Signals) -> None:
    pyproject = world.project / "pyproject.toml"
    begun = world.top / "begun"
    text = pyproject.read_text("utf-8").replace("python -m compileall -q src deploy", f"touch {begun}; sleep 60")
    pyproject.write_text(text, encoding="utf-8")
    words = [sys.executable, "-m", "preflight", "gate", *SKIP, "--renew", "--", "touch", str(world.ran)]
    process = subprocess.Popen(words, cwd=world.project, env=world.environ(), stderr=subprocess.PIPE)
    wait_for(begun)
    process.send_signal(number)
    _, err = process.communicate(timeout=LONGEST_S)
    assert (process.returncode, world.ran.exists(), world.receipts.file.exists()) == (130, False, False)
    assert b"INTERRUPTED" in err and b"Traceback" not in err


def test_a_file_that_changes_while_the_checks_run_is_refused(world: World) -> None:
    pyproject = world.project / "pyproject.toml"
    text = pyproject.read_text("utf-8").replace("python -m compileall -q src deploy", "date > lint.txt")
    pyproject.write_text(text, encoding="utf-8")
    ran = world.gate("--renew")
    assert (ran.code, world.ran.exists(), world.receipts.file.exists()) == (5, False, False)
    assert "lint.txt  is new" in ran.err and "[tool.preflight] outputs" in ran.err
    pyproject.write_text(text.replace("[tool.preflight]", '[tool.preflight]\noutputs = ["lint.txt"]'), encoding="utf-8")
    assert (world.gate().code, world.gate("--offline").code) == (0, 0)


def test_lines_redirected_into_the_project_are_no_change_of_it(world: World) -> None:
    words = f"{sys.executable} -m preflight gate {' '.join(SKIP)}"
    line = f"{words} --renew -- echo one > run.log 2> gate.log && {words} --offline -- echo two > run.log 2> gate.log"
    assert shell(world, line) == 0, (world.project / "gate.log").read_text("utf-8")
    assert (world.project / "run.log").read_text("utf-8") == "two\n"


def shell(world: World, line: str) -> int:
    return subprocess.run(["sh", "-c", line], cwd=world.project, env=world.environ(), timeout=LONGEST_S).returncode


def test_closed_outputs_let_nothing_through_and_keep_nothing_back(world: World) -> None:
    gate = f"{sys.executable} -m preflight gate {' '.join(OFFLINE)} -- touch {world.ran}"
    for closed in ("2>&-", ">&- 2>&-", "<&-"):
        world.ran.unlink(missing_ok=True)
        assert (shell(world, f"{gate} {closed}"), world.ran.exists()) == (0, True)
    world.ran.unlink()
    (world.project / "VERSION").write_text("2", encoding="utf-8")
    assert (shell(world, f"{gate} 2>&-"), world.ran.exists()) == (5, False)


def test_a_state_folder_that_can_not_be_written_costs_the_pass_and_not_the_run(world: World) -> None:
    state = world.top / "nowhere"
    state.write_text("a file", encoding="utf-8")
    ran = world.gate(env={"XDG_STATE_HOME": str(state)})
    assert (ran.code, world.ran.exists()) == (0, True), ran.err
    assert "gate: no pass is kept: " in ran.err


def test_an_app_whose_text_leaves_a_path_open_is_checked_each_time_unless_the_path_is_named(world: World) -> None:
    app = world.project / APP
    app.write_text(app.read_text("utf-8") + 'import sys\nopen_ = image.add_local_dir(sys.argv[0], "/x")\n', "utf-8")
    first = world.gate("--renew")
    assert (first.code, world.receipts.file.exists()) == (0, False), first.err
    assert "no pass is kept" in first.err and "[tool.preflight] watch" in first.err
    pyproject = world.project / "pyproject.toml"
    text = pyproject.read_text("utf-8")
    pyproject.write_text(text.replace("[tool.preflight]", '[tool.preflight]\nwatch = ["../shared"]'), "utf-8")
    assert world.gate().code == 0
    (world.top / "shared/other").write_text("x", "utf-8")
    ran = world.held("--offline")
    assert ran.code == 5 and "shared/other  is new" in ran.err


def test_reports_beside_say_that_the_command_was_started(world: World) -> None:
    ran = world.gate("--renew", "-o", "json=ci-report.json", "-o", "markdown=ci-report.md", "-o", "junit=ci.xml")
    document = json.loads((world.project / "ci-report.json").read_text("utf-8"))
    assert (ran.code, ran.out, document["verdict"], document["command_started"]) == (0, "", "clean", True)
    assert "the command was started" in (world.project / "ci-report.md").read_text("utf-8")
    assert 'name="command_started" value="true"' in (world.project / "ci.xml").read_text("utf-8")
    again = world.gate("-o", "json=again.json", command=("sh", "-c", "exit 3"))
    document = json.loads((world.project / "again.json").read_text("utf-8"))
    assert (again.code, document["exit"], document["command_started"]) == (3, 0, True)
    assert world.held("--offline").code == 0


@pytest.mark.parametrize("is_started", [True, False])
def test_every_format_of_a_gates_report_says_whether_the_command_was_started(is_started: bool) -> None:
    report = Report(target=Target(), started=datetime.now(UTC), seconds=0.0, results=(), command_started=is_started)
    words = f"the command was {'' if is_started else 'not '}started"
    assert json_v1.document(report)["command_started"] is is_started
    assert words in markdown.text(report) and words in github.text(report)
    assert f'value="{str(is_started).lower()}"' in junit.text(report)
    assert f'"commandStarted": {str(is_started).lower()}' in sarif.text(report)
    plain = replace(report, command_started=None)
    texts = (json_v1.text(plain), markdown.text(plain), github.text(plain), junit.text(plain), sarif.text(plain))
    assert not [t for t in texts if "the command" in t or "command_started" in t or "commandStarted" in t]


def test_modal_out_of_reach_is_refused_and_offline_still_holds(world: World) -> None:
    os.kill(world.sandbox.pid, signal.SIGSTOP)
    try:
        asked, offline = world.gate(), world.gate("--offline")
    finally:
        os.kill(world.sandbox.pid, signal.SIGCONT)
    assert (asked.code, offline.code) == (5, 0), asked.err
    assert "INCOMPLETE" in asked.err


# --- the sandbox ---------------------------------------------------------------------------------------------------


def test_in_the_sandbox_checks_and_command_see_one_world_that_ends_with_the_command(preflight: Preflight) -> None:
    script = "import os, modal; print(os.getcwd()); print([s.name for s in modal.Secret.objects.list()])"
    ran = preflight("gate", "--sandbox", *SKIP, "--", sys.executable, "-c", script)
    assert ran.code == 0, ran.err
    folder, secrets = ran.out.splitlines()
    assert secrets == "['aws-s3-secret']"
    ends = time.monotonic() + 20
    while Path(folder).exists():
        assert time.monotonic() < ends, f"{folder} outlived the command"
        time.sleep(0.1)
    assert not (preflight.home / "state").exists()


def test_in_a_bad_world_the_command_does_not_run(preflight: Preflight) -> None:
    ran = preflight("gate", "--sandbox", "--scenario", "missing-secret", "--", "touch", str(preflight.home / "ran"))
    assert (ran.code, ran.out, (preflight.home / "ran").exists()) == (5, "", False)
    assert "there is no secret aws-s3-secret" in ran.err


# --- what the command's words say ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "app", "environment"),
    [
        ("modal run app.py", "app.py", None),
        ("modal run --detach -e prod deploy/app.py::train --epochs 3", "deploy/app.py", "prod"),
        ("/venv/bin/modal deploy --env=dev app.py", "app.py", "dev"),
        ("python -m modal run -q app.py -e mine", "app.py", None),
        ("uv run modal serve app.py", "app.py", None),
        ("modal run -e dev -m pkg.app::train", "pkg/app.py", "dev"),
        ("modal run -estaging app.py", "app.py", "staging"),
        ("modal run -qe staging app.py", "app.py", "staging"),
        ("modal run -de staging app.py", "app.py", "staging"),
        ("modal run -dm other", "other.py", None),
        ("modal run -n x.py other.py", "other.py", None),
        ("modal run --name x.py other.py", "other.py", None),
        ("modal deploy other.py --tag a.py", "other.py", None),
        ("modal run -w r.py other.py", "other.py", None),
        ("modal run -iw r.py other.py", "other.py", None),
        ("modal run other", "other.py", None),
        ("modal run pkg.other", "pkg/other.py", None),
        ("make train", None, None),
        ("python app.py", None, None),
        ("modal secret list", None, None),
        ("modal", None, None),
    ],
)
def test_the_app_and_environment_are_read_from_modals_own_commands(
    line: str, app: str | None, environment: str | None
) -> None:
    named = command.read(line.split())
    assert (next(iter(named.apps), None), named.environment) == (app, environment)


@pytest.mark.parametrize(
    "line",
    [
        "modal run -",
        "modal run",
        "modal run --no-such-option app.py",
        "modal run -mother",
        "modal shell app.py",
        "modal container exec ta-1 bash",
        "modal launch jupyter",
        "modal cluster app.py",
        "sh -c 'modal run app.py'",
        "env X=1 modal run app.py",
        "xargs modal run",
    ],
)
def test_a_modal_command_that_does_not_tell_its_app_is_refused(line: str) -> None:
    with pytest.raises(command.Unreadable):
        command.read(shlex.split(line))


@pytest.mark.parametrize(
    "line", ["run --profile prod app.py", "--profile prod run app.py", "--profile=prod run app.py"]
)
def test_the_profile_is_read_wherever_the_client_takes_it(line: str) -> None:
    assert command.read(["modal", *line.split()]) == command.Named(("app.py",), None, "prod", "modal")


def test_the_grammar_is_that_of_the_installed_client() -> None:
    from modal.cli.entry_point import entrypoint_cli

    top = click.Context(entrypoint_cli)
    for verb, ours in {"": command.GLOBAL, **command.VERBS}.items():
        theirs = entrypoint_cli.get_command(top, verb) if verb else entrypoint_cli
        found = {name: bool(p.is_flag) for p in theirs.params if isinstance(p, click.Option) for name in p.opts}
        assert ours == {name: is_flag for name, is_flag in found.items() if name != "--version"}
    assert {*command.HARMLESS} <= {*entrypoint_cli.list_commands(top)}
