"""`preflight list`."""

from __future__ import annotations

import click

from preflight.cli.running.options import document_option, print_document
from preflight.cli.running.stderr import warn
from preflight.model import Exit

NARROWEST_TITLE = 40  # columns; below that it stands under the name


@click.command("list")
@click.argument("app", required=False)
@click.option("--discovered", is_flag=True, help="What the app's file says, with file:line.")
@click.option("--record", is_flag=True, help="Also what the real client would deploy (runs the app's top level).")
@document_option("preflight.list/1 or, with --discovered, preflight.discovered/1")
def list_command(app: str | None, discovered: bool, record: bool, is_json: bool) -> int:
    """List every check: step, id, name, stage, title; or, with --discovered, what APP's file says.

    With --discovered nothing of yours is imported or run, unless --record is given.  Exit codes: 0 it was read, 2
    usage, 3 it does not parse, or could not be recorded.
    """
    if discovered:
        return _discovered(app, is_recorded=record, is_json=is_json)
    if app is not None or record:
        raise click.UsageError("an APP and --record belong to --discovered")
    from preflight.engine import index

    checks = index.everything()
    if is_json:
        rows = [{"id": c.id, "name": c.name, "title": c.title, "stage": c.stage, "step": c.step} for c in checks]
        print_document({"schema": "preflight.list/1", "checks": rows})
        return Exit.READY
    from preflight.report.screen import columns, wrapped

    width = columns()
    names = min(26, max(len(c.name) for c in checks))
    for check in checks:
        head = f"{check.step or '':>2} {check.id}  {check.name:<{names}}  {check.stage:<6}  "
        margin = len(head) if width - len(head) >= NARROWEST_TITLE else len("10 MOD001  ")
        lines = wrapped(check.title.split(" "), width - margin)
        if margin < len(head):
            lines = ["", *lines]
        click.echo((head + lines[0]).rstrip())
        for line in lines[1:]:
            click.echo(" " * margin + line)
    return Exit.READY


def _discovered(app: str | None, *, is_recorded: bool, is_json: bool) -> Exit:
    import asyncio
    from pathlib import Path

    from preflight.app import reader
    from preflight.cli.discovered import document
    from preflight.cli.running.target import project_settings, resolve_app
    from preflight.discover.merge import filled
    from preflight.discover.recorder import NotRecorded, RecorderBroken, record_file
    from preflight.discover.recording import Recording
    from preflight.report.places import from_here
    from preflight.report.screens.discovered import lines

    settings = project_settings(app=app)
    file = settings.project / resolve_app(settings, app)
    try:
        recipe = reader.read(file, project=settings.project)
    except OSError as e:
        raise click.UsageError(f"{file} can't be read: {e.strerror or e}") from e
    recording: Recording | NotRecorded | None = None
    if is_recorded and not recipe.broken:
        try:
            recording = asyncio.run(record_file(recipe, settings))
        except RecorderBroken as e:
            warn(f"not recorded: {e}")
            return Exit.INCOMPLETE
    whole = document(filled(recipe, recording) if isinstance(recording, Recording) else recipe, recording)
    if is_json:
        print_document(whole)
    else:
        for line in lines(whole, from_here(settings.project, Path.cwd())):
            click.echo(line)
    return Exit.INCOMPLETE if recipe.broken or isinstance(recording, NotRecorded) else Exit.READY
