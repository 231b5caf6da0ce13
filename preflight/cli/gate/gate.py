"""`preflight gate`: the command runs only on a pass that still holds."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click

from preflight.cli.gate import command
from preflight.cli.running import stderr
from preflight.cli.running.audience import Audience, Shown, reporters
from preflight.cli.running.options import Options, ids_option, parse_outputs, run_options, stage_option
from preflight.cli.running.outputs import Output, look_at
from preflight.cli.running.target import base_of, project_settings, resolve_app
from preflight.interpreter import client_of
from preflight.model import Exit, Report, Stage, Status
from preflight.redact import Redactor, secrets_of
from preflight.report.text import in_encoding, one_line, printable
from preflight.settings import Settings
from preflight.state import drift, machine_key
from preflight.state.drift import Drift
from preflight.state.receipt import Receipt, Receipts, Refused
from preflight.state.sources import TooLarge, Watched
from preflight.state.vector import flat, of_machine

SHOWN_DRIFTS = 20


@dataclass(frozen=True, kw_only=True)
class Request(Options):
    """The gate as the command line asked for it."""

    words: tuple[str, ...]
    is_renewed: bool = False
    is_offline: bool = False

    @property
    def left_out(self) -> tuple[str, ...]:
        return (*self.skip, *([f"stages after {self.stage}"] if self.stage not in (None, Stage.PAID) else []))


class Documents:
    """The reports of `-o`, written when it is known whether the command is started.

    Raises UsageError for a file that could not be written.
    """

    def __init__(self, request: Request, settings: Settings) -> None:
        look_at(request.shown.outputs)
        self.files = reporters(request.shown, base_of(settings))
        self.report: Report | None = None

    def start(self, become: Callable[[], NoReturn]) -> NoReturn:
        self.write(is_started=True)
        try:
            become()
        except command.NotRunnable:
            self.write(is_started=False)
            raise

    def write(self, *, is_started: bool) -> None:
        if self.report is not None:
            Audience(self.files).told(replace(self.report, command_started=is_started))


class GateCommand(click.Command):
    """Click drops the `--` between our words and the command's: it is read before Click sees it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.obj = tuple(args[args.index("--") + 1 :]) if "--" in args else None
        return super().parse_args(ctx, args[: args.index("--")] if "--" in args else args)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [*super().collect_usage_pieces(ctx), "-- COMMAND..."]


def _files(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> tuple[Output, ...]:
    """An option callback: a file is needed here."""
    outputs = parse_outputs(ctx, param, values)
    for output in outputs:
        if output.path == "-":
            raise click.BadParameter(f"stdout is the command's; wanted {output.format}=FILE")
    return outputs


@click.command("gate", cls=GateCommand, short_help="Run a command only on a passing, unchanged preflight.")
@click.argument("app", required=False)
@click.option("--renew", "is_renewed", is_flag=True, help="Work through the checklist anew, whatever pass there is.")
@click.option("--offline", "is_offline", is_flag=True, help="Ask nobody: Modal's answers count for 15 minutes.")
@ids_option("--skip", help="Without these checks; the pass says so.")
@stage_option(help="Go no further.")
@run_options
@click.option("-o", "--output", "outputs", metavar="FORMAT=FILE", multiple=True, callback=_files, help="May repeat.")
@click.option("-v", "--verbose", "is_verbose", is_flag=True, help="Every rule, all evidence; what the pass holds.")
@click.pass_context
def gate_command(ctx: click.Context, /, outputs: tuple[Output, ...], is_verbose: bool, **given: Any) -> int:
    """Run COMMAND only if the checklist for APP has passed and nothing it stands on has changed since.

    Without a pass the checklist is worked through first (on stderr).  With one, files, settings, variables and
    versions are compared, and Modal and S3 are asked again.  What has changed is named, and COMMAND does not run:
    exit code 5.  Otherwise this process becomes COMMAND, and its exit code is the gate's.

    With --sandbox, COMMAND meets the local Modal and S3 as the checks do.

    127 and 126 as in a shell when COMMAND can't be started, before any check; 130 when the checks are interrupted.
    """
    words: tuple[str, ...] | None = ctx.obj
    if not words:
        raise click.UsageError("no command; wanted preflight gate [APP] -- COMMAND, such as -- modal run app.py", ctx)
    request = Request(words=words, shown=Shown(outputs=outputs, is_verbose=is_verbose), **given)
    if request.is_offline and (request.is_renewed or request.is_sandbox):
        raise click.UsageError("--offline asks nobody: it can't renew a pass, and a sandbox keeps none")
    if sys.stderr is None:  # `2>&-`: what is written goes nowhere, and that is no reason to let a command through
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - until this process becomes another
    try:
        return _in_sandbox(request) if request.is_sandbox else _here(request)
    except command.NotRunnable as e:
        say(f"preflight gate: {one_line(str(e))}")
        return e.code


def _here(request: Request) -> Exit:
    environ = dict(os.environ)  # as it was given: what the checks load may set variables of its own
    named, start = _read(request), Path.cwd()
    given = project_settings(
        app=request.app or _file(named, start),
        environment=named.environment,
        spend_max=request.spend_max,
    )
    settings = _of_app(given, request, named, start)
    _of_client(settings, named)
    program = command.find(request.words[0], settings.environ["PATH"])
    documents = Documents(request, settings)
    outcome = _gate(request, settings, documents)
    if outcome is Exit.READY:
        documents.start(lambda: command.become(program, request.words, _named(environ, settings)))
    documents.write(is_started=False)
    return outcome


def _read(request: Request) -> command.Named:
    """What the command says of itself, with the environment of `-e`.  Raises UsageError where the two differ."""
    named = command.read(request.words)
    environment = request.environment or named.environment
    if named.environment not in (None, environment):
        raise click.UsageError(f"-e is {environment}, and the command runs in {named.environment}")
    if named.profile not in (None, os.environ.get("MODAL_PROFILE")):
        raise click.UsageError(
            f"the command uses profile {named.profile}; write MODAL_PROFILE={named.profile} before `preflight gate`"
        )
    return replace(named, environment=environment)


def _file(named: command.Named, start: Path) -> str | None:
    return next((str(start / name) for name in named.apps if (start / name).is_file()), None)


def _of_app(settings: Settings, request: Request, named: command.Named, start: Path) -> Settings:
    """Of the app that is given, or that the command names.  Raises UsageError where the two differ."""
    file = _file(named, start)
    if named.apps and file is None:
        raise click.UsageError(f"the command runs {named.apps[0]}, which is not there")
    settings = replace(settings, app=resolve_app(settings, request.app or file))
    assert settings.app is not None
    if file and Path(file).resolve() != (settings.project / settings.app).resolve():
        raise click.UsageError(f"the checks are of {settings.app}, and the command runs {os.path.relpath(file)}")
    return replace(settings, outputs=(*settings.outputs, *reports_in(settings.project, request)))


def _of_client(settings: Settings, named: command.Named) -> None:
    """Raises UsageError where the command names another environment's client than the one that the checks are of."""
    if named.program is None or settings.interpreter is None:
        return
    program, checked = Path(named.program), settings.interpreter.client
    found = shutil.which(program.name, path=settings.environ["PATH"])
    if found and (os.sep not in named.program or program.parent.resolve() == Path(found).parent.resolve()):
        program = Path(found)
        theirs = client_of(program) or checked
    else:
        theirs = client_of(program)
    if theirs != checked:
        versions = [c.version if c else "an unknown version" for c in (theirs, checked)]
        raise click.UsageError(f"{program} starts modal {versions[0]}, and the checks are of {versions[1]}")


def reports_in(project: Path, request: Request) -> tuple[str, ...]:
    """The reports that `-o` writes into the project, relative to it: they are no sources."""
    files = (Path(output.path).resolve() for output in request.shown.outputs)
    top = project.resolve()
    return tuple(str(file.relative_to(top)) for file in files if file.is_relative_to(top))


def _named(environ: Mapping[str, str], settings: Settings) -> Mapping[str, str]:
    """The command runs in the environment and with the programs that were looked at, wherever they were named."""
    named = {"MODAL_ENVIRONMENT": settings.environment} if settings.environment else {}
    return {**environ, **named, "PATH": settings.environ["PATH"]}


def _in_sandbox(request: Request) -> Exit:
    """No pass is kept: what a sandbox says proves nothing about a real app."""
    from preflight.cli.gate.checks import checklist
    from preflight.cli.running.rehearsal import standing

    command.find(request.words[0])
    named, start = _read(request), Path.cwd()
    asked = replace(request, app=request.app or _file(named, start), environment=named.environment)
    with standing(asked) as ground:
        served = ground.sandbox
        assert served is not None
        settings = _of_app(ground.settings, request, named, start if ground.rehearsal else served.project)
        documents = Documents(request, settings)
        outcome = checklist(request, settings, documents, None, datetime.now(UTC), ground.rehearsal)
        if outcome is Exit.READY:
            folder = None if ground.rehearsal else served.project
            environ = _named(os.environ, settings)
            program = command.find(request.words[0], environ["PATH"])
            documents.start(
                lambda: command.become(program, request.words, environ, folder=folder, lifeline=served.lifeline)
            )
        documents.write(is_started=False)
        return _stopped(outcome, request)


def _gate(request: Request, settings: Settings, documents: Documents) -> Exit:
    """READY when the command may run; what speaks against it has been told."""
    now = datetime.now(UTC)
    assert settings.state is not None and settings.app is not None
    receipts = Receipts(settings.state, settings.project, settings.app)
    try:
        held = None if request.is_renewed else receipts.read(now)
    except Refused as e:
        return _refused([Drift("the pass", f"does not count: {e}")], request, None)
    if held is not None:
        return _again(held, request, settings, documents, receipts, now)
    if request.is_offline:
        return _refused([Drift("a pass", "is not there, and --offline asks nobody for one")], request, None)
    from preflight.cli.gate.checks import checklist

    outcome = checklist(request, settings, documents, receipts, now)
    return outcome if outcome is Exit.READY else _stopped(outcome, request)


def _again(
    held: Receipt, request: Request, settings: Settings, documents: Documents, receipts: Receipts, now: datetime
) -> Exit:
    drifts = _drifts(held, request, settings, now)
    if not drifts and not request.is_offline:
        from preflight.cli.gate.checks import ask_again

        answered = ask_again(request, settings, held, documents)
        if isinstance(answered, Exit):
            return _stopped(answered, request)
        drifts = answered or _drifts(held, request, settings, datetime.now(UTC))  # it may have taken seconds
    if drifts:
        return _refused(drifts, request, held)
    new = [path for path in reports_in(settings.project, request) if path not in held.outputs]
    if new and documents.report is not None:  # what is written there now is no source for the next gate either
        with contextlib.suppress(OSError, Refused):
            receipts.keep(replace(held, outputs=(*held.outputs, *new)), now)
    say(_holding(held, request))
    return Exit.READY


def _drifts(held: Receipt, request: Request, settings: Settings, now: datetime) -> list[Drift]:
    known = replace(settings, outputs=(*settings.outputs, *held.outputs))
    changed = changes(held.local, known, held.watched, request)
    return [*changed, *drift.expired(held.entries, now, is_offline=request.is_offline)]


def changes(
    before: Mapping[str, str], settings: Settings, watched: Watched, request: Request, key: bytes | None = None
) -> tuple[Drift, ...]:
    try:
        return drift.between(before, local_facts(settings, watched, request, key))
    except (TooLarge, OSError) as e:
        return (Drift("the project", str(e)),)


def local_facts(settings: Settings, watched: Watched, request: Request, key: bytes | None = None) -> Mapping[str, str]:
    """Raises TooLarge, KeyRefused."""
    assert settings.state is not None
    key = machine_key.load(settings.state) if key is None else key
    left_out, fail_on = (*settings.skip, *request.left_out), request.fail_on or settings.fail_on or Status.FAIL
    return flat(of_machine(settings, watched, key, left_out=left_out, fail_on=fail_on))


def _holding(held: Receipt, request: Request) -> str:
    files = sum(name.startswith(drift.FILE) for name in held.local)
    asked_again = "Modal not asked again (--offline)" if request.is_offline else "Modal and S3 asked again"
    text = f"gate: the pass of {held.at:%Y-%m-%d %H:%M} UTC holds: {len(held.entries)} checks, {files} files"
    if not request.shown.is_verbose:
        return f"{text}; {asked_again}"
    entries = "".join(f"\n  {e.name:<24} {e.status}, {e.at:%Y-%m-%d %H:%M} UTC" for e in held.entries)
    return f"{text}; {asked_again}{entries}"


def _refused(drifts: Sequence[Drift], request: Request, held: Receipt | None) -> Exit:
    say(f"REFUSED: since the pass of {held.at:%Y-%m-%d %H:%M} UTC" if held else "REFUSED")
    say_drifts(drifts)
    given = {
        "-e": request.environment,
        "--fail-on": request.fail_on,
        "--stage": request.stage,
        "--skip": ",".join(request.skip),
    }
    options = [word for name, value in given.items() if value for word in (name, value)]
    app = [request.app] if request.app else []
    say(f"next  {_shown(['preflight', 'gate', '--renew', *options, *app, '--', *request.words])}")
    return Exit.REFUSED


def say_drifts(drifts: Sequence[Drift]) -> None:
    """File names and values are anybody's: they are shown as text, and no secret among them."""
    shown = drifts[:SHOWN_DRIFTS]
    width = min(60, max(len(d.what) for d in shown))
    for each in shown:
        say(f"  {one_line(each.what):<{width}}  {one_line(each.how)}")
    if len(drifts) > SHOWN_DRIFTS:
        say(f"  … and {len(drifts) - SHOWN_DRIFTS} more")


def _stopped(outcome: Exit, request: Request) -> Exit:
    """What a checklist that did not pass means here.  It has told why."""
    if outcome is Exit.INTERRUPTED:
        return outcome
    why = "the checklist did not pass, so " if outcome is not Exit.REFUSED else ""
    say(f"REFUSED: {why}`{_shown(request.words)}` was not run")
    return Exit.REFUSED


def _shown(words: Sequence[str]) -> str:
    return shlex.join(words).replace("\n", "\\n")


def say(text: str) -> None:
    shown = Redactor(secrets_of(os.environ)).text(text)
    stderr.say(in_encoding(printable(shown), sys.stderr.encoding))
