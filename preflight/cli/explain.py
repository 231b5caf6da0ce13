"""`preflight explain`."""

from __future__ import annotations

import click

from preflight.engine.index import Listed


@click.command("explain")
@click.argument("check", metavar="ID_OR_NAME")
def explain_command(check: str) -> None:
    """Print a check's page: what it looks at, why it matters, how to fix, and the sources."""
    from preflight.engine import index
    from preflight.engine.select import UnknownCheck

    try:
        found = index.found(check)
    except UnknownCheck as e:
        raise click.UsageError(str(e)) from e
    from preflight.report.screen import columns, paged

    for number, page in enumerate(map(_page, found)):
        click.echo(("\n" if number else "") + "\n".join(paged(page, columns())))


def _page(check: Listed) -> str:
    step = f"step {check.step}, " if check.step else ""
    return f"{check.id}  {check.name}   ({step}{check.stage})\n\n{check.doc or check.title}"
