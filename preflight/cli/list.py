"""`preflight list`."""

from __future__ import annotations

import json

import click


@click.command("list")
@click.argument("app", required=False)
@click.option("--discovered", is_flag=True, help="What the app's file says, with file:line.")
@click.option("--json", "as_json", is_flag=True)
def list_command(app: str | None, discovered: bool, as_json: bool) -> None:
    """List every check: step, id, name, stage, title; or, with --discovered, what APP's file says."""
    if discovered:
        _discovered(app, as_json)
        return
    if app is not None:
        raise click.UsageError("an APP belongs to --discovered")
    from preflight.cli.conduct import all_checks

    checks = all_checks()
    if as_json:
        rows = [{"id": c.id, "name": c.name, "title": c.title, "stage": c.stage, "step": c.step} for c in checks]
        click.echo(json.dumps(rows, indent=2))
        return
    width = max(len(c.name) for c in checks)
    for check in checks:
        click.echo(f"{check.step or '':>2} {check.id}  {check.name:<{width}}  {check.stage:<6}  {check.title}")


def _discovered(app: str | None, as_json: bool) -> None:
    from pathlib import Path

    from preflight.cli.conduct import Options, resolve_app, settings_for
    from preflight.cli.discovered import show
    from preflight.recipe import parse

    settings = settings_for(Options(app=app), start=Path.cwd(), scenario=None)
    file = settings.project / resolve_app(settings, app)
    show(parse.read(file, project=settings.project), as_json=as_json)
