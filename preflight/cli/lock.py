"""`preflight lock`: the pins that make today's image repeat."""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from preflight.cli.radar import indexes, read_app
from preflight.model import Exit


@click.command("lock")
@click.argument("app", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the constraints there.")
@click.option("--write", "is_written", is_flag=True, help="Also change the app, as the diff says.")
def lock_command(app: str | None, output: Path | None, is_written: bool) -> int:
    """Print the releases that the app's images take today, as a constraints file, and the pins of the app as a diff.

    They are resolved on the package index of this machine's pip, for the image's Python on Linux.  Exit codes: 0 all
    is pinned, 3 something could not be resolved and is not pinned.
    """
    from preflight.app import reader
    from preflight.radar.image import resolved
    from preflight.radar.moves import constraints, pins
    from preflight.rules.fixes import Fixed, difference, edited, write

    read = read_app(app)
    uv = shutil.which("uv")
    with indexes() as of:
        found = [resolved(image, of, uv=uv) for image in read.recipe.images]
    lines = []
    for one in found:
        name = one.image.variable or f"the image at {one.image.where}"
        lines += [f"# {name}, Python {one.python}", *constraints(one), *(f"# not pinned: {u}" for u in one.unknown), ""]
    text = "\n".join(lines)
    if output is None:
        click.echo(text, nl=False)
    else:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as e:
            raise click.UsageError(f"{output} can't be written: {e.strerror}") from e
    content, fix = read.file.read_bytes(), pins(read.recipe, found)
    after = edited(content, read.recipe.source.text, fix) if fix else None
    if after is not None and reader.read(read.file, project=read.settings.project, content=after).source.tree:
        click.echo(difference(Fixed(content, after, (), ()), read.name), nl=False)
        if is_written:
            write(read.file, after)
    return Exit.INCOMPLETE if any(one.unknown for one in found) else Exit.READY
