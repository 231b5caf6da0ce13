"""`preflight init`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from preflight.cli.running.stderr import warn
from preflight.guard import IMAGE_LINE
from preflight.model import Exit

if TYPE_CHECKING:
    from preflight.build.known_good import Wanted

CUDA = re.compile(r"(?:cu)?(\d{2})\.?(\d)?(?:\.\d+)?")
PYTHON = re.compile(r"(3\.\d{1,2})(?:\.\d+)?")
VERSION = re.compile(r"v?(\d+(?:\.\w+)*)")
GUARD_LINES = f"""\
# in the image, last: the guard is one file of the standard library and torch
image = image{IMAGE_LINE}

# in the training function
from preflight.guard import guard
model = guard(model, total_steps=STEPS, hours=24)   # it ends the run with exit code 86 when something is wrong"""
ONLY_RECIPE = ("torch", "cuda", "python", "mamba", "gpu")


@click.command("init")
@click.argument("app", required=False)
@click.option("--force", is_flag=True, help="Replace the [tool.preflight] table that is there.")
@click.option("--diff", is_flag=True, help="Print what would change, and change nothing.")
@click.option("--guard", is_flag=True, help="Print the lines that put the guard into the image and the training loop.")
@click.option("--recipe", is_flag=True, help="Print a known-good image block instead.")
@click.option("--torch", metavar="X.Y[.Z]", help="With --recipe: this torch.")
@click.option("--cuda", metavar="X.Y", help="With --recipe: the CUDA that torch is built for.")
@click.option("--python", metavar="3.Y", help="With --recipe: this Python.")
@click.option("--mamba", metavar="VERSION", help="With --recipe: this release of mamba-ssm.")
@click.option("--gpu", metavar="TYPE", help="With --recipe: it must run on this GPU, as Modal names it.")
def init_command(app: str | None, force: bool, diff: bool, guard: bool, recipe: bool, **asked: str | None) -> int:
    """Write [tool.preflight] into pyproject.toml, from what APP's file says; the rest of the file stays as it is.

    With --recipe: print an image block whose torch, CUDA, Python, mamba-ssm and causal-conv1d are known to go
    together, with release wheels where there are any.
    """
    if guard:
        click.echo(GUARD_LINES)
        return Exit.READY
    if recipe:
        if app is not None or force or diff:
            raise click.UsageError("--recipe prints a block and writes nothing: no APP, --force or --diff with it")
        return _recipe(asked)
    for name in ONLY_RECIPE:
        if asked[name] is not None:
            raise click.UsageError(f"--{name} belongs to --recipe")
    return _table(app, force=force, diff=diff)


def _table(app: str | None, *, force: bool, diff: bool) -> int:
    from preflight.app import reader
    from preflight.cli.init.table import CanNotWrite, table, with_table
    from preflight.cli.running.target import resolve_app
    from preflight.settings import Settings

    project = _project(app)
    file = project / "pyproject.toml"
    found = resolve_app(Settings(project=project), app)
    try:
        text = table(reader.read(project / found, project=project))
        before = file.read_bytes() if file.exists() else b""
        after = with_table(before, text, force=force, file=file)
        if diff:
            _show(before, after, file)
            return Exit.READY
        _write(file, after)
    except CanNotWrite as e:
        raise click.UsageError(str(e)) from e
    except OSError as e:
        raise click.UsageError(f"{e.filename or file}: {e.strerror or e}") from e
    warn(f"{'created' if not before else 'wrote [tool.preflight] to'} {file}")
    warn("next: preflight run")
    return Exit.READY


def _project(app: str | None) -> Path:
    """Where the pyproject.toml is, or will be: at or above the app, else where .git is, else here."""
    from preflight.settings import find_project

    start = Path(app).resolve().parent if app is not None and Path(app).exists() else Path.cwd()
    found = find_project(start)
    if found is not None:
        return found
    top = next((f for f in (start, *start.parents) if (f / ".git").exists()), None)
    return top or (Path.cwd() if start.is_relative_to(Path.cwd()) else start)


def _write(file: Path, content: bytes) -> None:
    from preflight.rules import fixes

    if file.exists():
        fixes.write(file, content)
    else:
        file.write_bytes(content)


def _show(before: bytes, after: bytes, file: Path) -> None:
    import difflib

    from preflight.report.text import printable

    old, new = before.decode("utf-8").splitlines(), after.decode("utf-8").splitlines()
    for line in difflib.unified_diff(old, new, f"a/{file.name}", f"b/{file.name}", lineterm=""):
        click.echo(printable(line))


def _recipe(asked: dict[str, str | None]) -> int:
    from preflight.build.block import block
    from preflight.build.known_good import best, nearest, runs_on, why_not

    wanted = _asked(asked)
    good = best(wanted)
    if good is None:
        near = f"preflight init --recipe {nearest(wanted).options}"
        near += "" if wanted.gpu is None or not runs_on(nearest(wanted), wanted.gpu) else f" --gpu {wanted.gpu}"
        raise click.UsageError(f"no known-good combination: {why_not(wanted)}.  The nearest that works: {near}")
    click.echo(block(good, gpu=wanted.gpu), nl=False)
    return Exit.READY


def _asked(given: dict[str, str | None]) -> Wanted:
    """Raises BadParameter for what is no version or no GPU of Modal."""
    from preflight.build.known_good import Wanted
    from preflight.facts.gpus import gpu, gpu_names

    card = given["gpu"]
    row = gpu(card) if card is not None else None
    if card is not None and row is None:
        raise click.BadParameter(f"Modal names no GPU {card!r}; it has {', '.join(gpu_names())}", param_hint="--gpu")
    cuda = _match(CUDA, given["cuda"], "--cuda", "12.4 or cu124")
    python = _match(PYTHON, given["python"], "--python", "3.11")
    torch = _match(VERSION, given["torch"], "--torch", "2.8 or 2.8.0")
    mamba = _match(VERSION, given["mamba"], "--mamba", "2.2.4")
    return Wanted(
        torch=torch[1] if torch else None,
        cuda=".".join(p for p in cuda.groups() if p) if cuda else None,
        python=python[1] if python else None,
        mamba=mamba[1] if mamba else None,
        gpu=row.name if row else None,
    )


def _match(pattern: re.Pattern[str], value: str | None, option: str, like: str) -> re.Match[str] | None:
    if value is None:
        return None
    found = pattern.fullmatch(value.strip())
    if found is None:
        raise click.BadParameter(f"{value!r} is not a version; wanted like {like}", param_hint=option)
    return found
