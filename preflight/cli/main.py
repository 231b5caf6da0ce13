"""The command line.  Commands are imported when they are called, so that `--help` costs only Click."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import os
import re
import sys
import tempfile
import traceback
from typing import Any, NoReturn

import click

import preflight
from preflight.cli.running.stderr import clean, say, warn
from preflight.interrupts import OURS
from preflight.model import Exit

COMMANDS = {
    "run": ("preflight.cli.run", "Work through the whole checklist for an app."),
    "check": ("preflight.cli.run", "Run one check."),
    "lint": ("preflight.cli.lint", "Check app files with the static rules alone; fix what is safe."),
    "list": ("preflight.cli.list", "List every check, or what an app's file says."),
    "explain": ("preflight.cli.explain", "Print a check's page: what, why, how to fix, sources."),
    "probe": ("preflight.cli.probe", "Trace the mamba-ssm kernels where the GPU is."),
    "gate": ("preflight.cli.gate.gate", "Run a command only on a passing, unchanged preflight."),
    "diagnose": ("preflight.cli.diagnose", "Name what made a log fail, and the cure."),
    "link": ("preflight.cli.link", "Say with which torch, and on which GPU, a library loads."),
    "estimate": ("preflight.cli.estimate", "What a run will cost, and whether it will finish."),
    "facts": ("preflight.cli.facts", "List the dated tables that the rules ask."),
    "radar": ("preflight.cli.radar", "Say what an unchanged app takes now, and what that breaks."),
    "lock": ("preflight.cli.radar", "Print the pins that make today's image repeat."),
    "init": ("preflight.cli.init", "Write [tool.preflight], or print a known-good image block."),
    "apps": ("preflight.cli.apps", "List forgotten apps, and stop them."),
    "sandbox": ("preflight.cli.sandbox", "Serve a local Modal and S3, and print the exports."),
    "bug-report": ("preflight.cli.bug_report", "Print one redacted document to attach to an issue."),
}

EXAMPLES = {
    "run": "preflight run deploy/modal/app.py --stage remote -o console -o json=report.json",
    "check": "preflight check s3-bucket deploy/modal/app.py",
    "lint": "preflight lint --fix deploy/modal/app.py",
    "explain": "preflight explain modal-auth",
    "bug-report": "preflight bug-report -o preflight-bug.json",
    "list": "preflight list --discovered deploy/modal/app.py",
    "probe": "preflight probe deploy/modal/app.py::train --gpu A100-80GB",
    "gate": "preflight gate -- modal run --detach deploy/modal/app.py",
    "diagnose": "modal run app.py 2>&1 | preflight diagnose -",
    "link": "preflight link mamba_ssm-2.2.4-cp311-cp311-linux_x86_64.whl --torch 2.6.0 --gpu H100",
    "estimate": "preflight estimate deploy/modal/app.py::train --epochs 100 --epoch-minutes 14",
    "facts": "preflight facts --stale 90",
    "init": "preflight init --recipe --torch 2.6 --gpu A100-80GB",
    "apps": "preflight apps --older-than 24h --stop",
    "sandbox": "preflight sandbox --scenario missing-secret-key",
    "radar": "preflight radar deploy/modal/app.py",
    "lock": "preflight lock deploy/modal/app.py",
}
FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
ASK_NOBODY = frozenset({"lint", "list", "explain", "diagnose", "link", "facts", "init"})


class PipeClosed(Exception):
    """Nobody reads our output any more."""


class OutputLost(Exception):
    """Stdout takes nothing more; the text says why."""


class Commands(click.Group):
    """A group that knows its commands' names and one-line helps without importing them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Click turns a closed pipe into exit code 1, which is a verdict here: it is told apart."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as e:
            raise PipeClosed from e
        except OSError as e:
            if e.errno in FULL and e.filename is None:  # not a file of ours, which has a name
                raise OutputLost(f"what was to be said could not be written: {e.strerror}") from e
            raise

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        if "--help" not in sys.argv and "-h" not in sys.argv:
            _look_at_own_client(cmd_name)
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        assert isinstance(command, click.Command)
        command.epilog = command.epilog or (f"Example: {EXAMPLES[cmd_name]}" if cmd_name in EXAMPLES else None)
        if is_completing():
            from preflight.cli.complete import wire

            wire(command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as e:
            import difflib

            near = difflib.get_close_matches(args[0] if args else "", COMMANDS, n=1)
            if near:
                raise click.UsageError(f"{e.message} Did you mean {near[0]!r}?", ctx) from e
            raise


def is_completing() -> bool:
    """Whether a shell has started us to complete a line."""
    return "_PREFLIGHT_COMPLETE" in os.environ or "_MODAL_PREFLIGHT_COMPLETE" in os.environ


def _look_at_own_client(command: str) -> None:
    """Raises UsageError where a command asks Modal and the client in our own environment can't; else a warning."""
    from preflight.interpreter import asked_with

    least, has = asked_with()
    if not least or (has and _numbers(has) >= _numbers(least)):
        return
    found = f"modal {has} is installed" if has else "no modal package is installed"
    said = (
        f"{found} in preflight's own environment ({sys.prefix}); preflight needs {least} or newer. "
        "Your project may keep its own: run preflight apart from it, `uvx --from modal-preflight preflight …` or "
        f"`pipx install modal-preflight`; or `pip install --upgrade 'modal>={least}'` here"
    )
    if command in ASK_NOBODY:
        warn(f"warning: {said}")
    else:
        raise click.UsageError(said)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version)[:3])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(preflight.__version__, prog_name="preflight")
def cli() -> None:
    """Look before 24 hours of A100 are spent: is this Modal app, its account, its image and its GPU ready?

    Exit codes: 0 ready, 1 findings, 2 usage or configuration, 3 incomplete, 4 internal error, 5 the gate
    refused, 130 interrupted.
    """
    from preflight.cli.facts import overlay_folder
    from preflight.facts.in_force import put_in_force

    put_in_force(overlay_folder())


def main() -> NoReturn:
    """The entry point: every way out is an exit code of the contract."""
    # a command makes many objects and few cycles, and ends: at Python's own pace the collector took 13 % of a run
    # that asks Modal (1.70 s against 1.48 s, medians of six, 2026-11-26)
    gc.set_threshold(200_000, 20, 100)
    _open_streams()
    if is_completing():
        from preflight.cli.complete import register

        register()
    try:
        _stand_somewhere()
        name = "modal-preflight" if sys.argv[0].endswith("modal-preflight") else "preflight"
        code: Any = cli.main(standalone_mode=False, prog_name=name)
        code = code if isinstance(code, int) else Exit.READY
    except click.exceptions.Exit as e:
        code = e.exit_code
    except click.ClickException as e:
        _show(e)
        code = Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        say("interrupted")
        code = Exit.INTERRUPTED
    except PipeClosed:
        # the reader of our pipe has gone: nothing can be said any more, and it was not our failure to say
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.INTERRUPTED
    except OutputLost as e:
        say(str(e))
        code = Exit.INCOMPLETE
    except Exception as e:  # noqa: BLE001 - the CLI boundary: a bug becomes exit 4 and a report file
        code = Exit.INTERRUPTED if _is_interrupt(e) else _internal_error(e)
    if in_force := sys.modules.get("preflight.facts.in_force"):
        for file, why in in_force.ignored.items():
            click.echo(f"{file} of the refreshed facts is not used: {why}; run preflight facts --refresh", err=True)
    _leave(int(code))


def _open_streams() -> None:
    """What was closed before we were started (`>&-`) takes what is said to nobody."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - for the whole process


def _stand_somewhere() -> None:
    """Raises UsageError where the working folder has been deleted."""
    if {"--help", "-h", "--version"} & {*sys.argv[1:]}:
        return
    try:
        os.getcwd()  # noqa: PTH109 - nothing else is imported yet
    except OSError as e:
        raise click.UsageError("the working folder is not there any more; cd to one that is") from e


def _show(e: click.ClickException) -> None:
    """The error in one line: names and values in it are anybody's, and some are secrets."""
    if isinstance(e, click.UsageError) and e.ctx is not None:
        say(e.ctx.get_usage())
        say(f"Try '{e.ctx.command_path} --help' for help.\n")
    say(f"Error: {clean(e.format_message())}")


def _is_interrupt(e: BaseException | None) -> bool:
    """Extension modules make another error of a KeyboardInterrupt that comes while they call Python."""
    is_one = OURS.has_come
    while e is not None and not is_one:
        e, is_one = e.__cause__ or e.__context__, isinstance(e, KeyboardInterrupt)
    if is_one:
        say("interrupted")
    return is_one


def _internal_error(e: Exception) -> Exit:
    where = "can't be written"
    from preflight.redact import Redactor, secrets_of

    told = Redactor(secrets_of(os.environ)).text("".join(traceback.format_exception(e)))
    text = told.encode("utf-8", "backslashreplace")
    try:
        with tempfile.NamedTemporaryFile("wb", prefix="preflight-", suffix=".txt", delete=False) as file:
            file.write(f"preflight {preflight.__version__}, Python {sys.version}\n\n".encode() + text)
        where = f"is in {file.name}"
    except OSError:
        with contextlib.suppress(OSError):
            sys.stderr.buffer.write(text)
    say(f"preflight itself failed ({type(e).__name__}); this is a bug. The report {where}")
    return Exit.INTERNAL


def _leave(code: int) -> NoReturn:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # nobody reads, or nothing fits any more: Python would end with 120 for it
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(code)
