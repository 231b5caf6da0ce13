"""`preflight sandbox`."""

from __future__ import annotations

import click


@click.command("sandbox")
@click.option(
    "--scenario", metavar="NAME", default="healthy", show_default=True, help="A shipped world, or a TOML file."
)
@click.option("--list", "list_them", is_flag=True, help="Name the shipped worlds and what is wrong in each.")
def sandbox_command(scenario: str, list_them: bool) -> int:
    """Serve a local Modal control plane and S3 until Ctrl-C; print the exports that point a shell at them."""
    try:
        from preflight.sandbox import serve, state
    except ImportError as e:
        raise click.UsageError(f"the sandbox needs `pip install 'modal-preflight[sandbox]'` ({e})") from e
    if list_them:
        names = state.names()
        width = max(len(n) for n in names)
        for name in names:
            click.echo(f"{name:<{width}}  {state.load(name).title}")
        return 0
    try:
        return serve.serve_forever(scenario, click.echo)
    except ValueError as e:
        raise click.UsageError(str(e)) from e
    except serve.SandboxFailed as e:
        raise click.ClickException(str(e)) from e
