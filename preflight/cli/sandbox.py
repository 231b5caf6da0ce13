"""`preflight sandbox`."""

from __future__ import annotations

from pathlib import Path

import click

from preflight.cli.running.rehearsal import need_sandbox, rehearsed
from preflight.cli.running.target import project_settings, resolve_app


@click.command("sandbox")
@click.argument("app", required=False)
@click.option("--scenario", metavar="NAME", help="A shipped world, or a TOML file.  [default: healthy]")
@click.option("--list", "list_them", is_flag=True, help="Name the shipped worlds and what is wrong in each.")
@click.option(
    "--print-world", "is_printed", is_flag=True, help="Print APP's world as TOML, to edit, and serve nothing."
)
@click.option("-e", "--environment", metavar="ENV", help="Modal environment.")
def sandbox_command(
    app: str | None, scenario: str | None, list_them: bool, is_printed: bool, environment: str | None
) -> int:
    """Serve a local Modal control plane and S3 until Ctrl-C; print the exports that point a shell at them.

    With APP, the world holds what APP names, and the shell stays where it is; without, it is that of the bundled
    example, and the shell moves to a copy of it.
    """
    need_sandbox()
    from preflight.sandbox import serve, worlds

    if list_them:
        names = worlds.names()
        width = max(len(n) for n in names)
        for name in names:
            click.echo(f"{name:<{width}}  {worlds.load(name).title}")
        return 0
    if app is None and is_printed:
        raise click.UsageError("--print-world is of an app; name its file")
    try:
        if app is None:
            return serve.serve_forever(scenario or "healthy", click.echo)
        settings = project_settings(start=Path.cwd(), scenario=None, app=app, environment=environment)
        world = rehearsed(settings, (resolve_app(settings, app),), scenario).world
        if is_printed:
            click.echo(worlds.write(world), nl=False)
            return 0
        return serve.serve_forever(world, click.echo, project=settings.project)
    except ValueError as e:
        raise click.UsageError(str(e)) from e
    except serve.SandboxFailed as e:
        raise click.ClickException(str(e)) from e
