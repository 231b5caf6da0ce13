"""`preflight link`: with which torch, and on which GPU, does this library load?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click

from preflight.binary.document import document
from preflight.binary.link import Linked, Target, Verdict, WantedGpu, link, whole
from preflight.cli.running.options import document_option, print_document
from preflight.facts.gpus import gpu, gpu_names
from preflight.model import Exit

TORCH = re.compile(r"\d{1,3}\.\d{1,3}(?:\.\d{1,3})?(?:\.?(?:a|b|rc|dev|post)\d*)?(?:\+\w{1,20})?")


@click.command("link", short_help="Say with which torch, and on which GPU, a library loads.")
@click.argument("files", nargs=-1, required=True, metavar="FILE.so|FILE.whl...", type=click.Path(path_type=Path))
@click.option("--torch", "torch", metavar="X.Y.Z", help="The torch it shall load with; PyPI's build, or 2.6.0+cu126.")
@click.option("--gpu", "gpus", multiple=True, metavar="TYPE", help="A GPU it shall run on.  [default: the app's]")
@document_option("preflight.link/1")
def link_command(files: tuple[Path, ...], torch: str | None, gpus: tuple[str, ...], is_json: bool) -> int:
    """Read shared libraries, and those in wheels, and say what the loader would say, before anything is imported.

    Of libraries in a wheel whose names differ in digits alone, one is chosen at run time: one must load.
    Exit codes: 0 all load, 1 one does not, 3 one can't be read, or is not known to load.
    """
    if torch is not None and not TORCH.fullmatch(torch):
        raise click.BadParameter(f"{torch!r} is no release of torch; wanted like 2.5.1 or 2.6.0+cu126")
    target = Target(torch, tuple(_named(gpus) if gpus else _of_app(Path.cwd())))
    linked: dict[Path, tuple[Linked, ...]] = {}
    for file in files:
        try:
            linked[file] = link(file, target)
        except FileNotFoundError as e:
            raise click.UsageError(f"{file} is not there") from e
        except ValueError as e:  # a path with a NUL byte in it
            raise click.UsageError(f"{str(file)!r} is no path") from e
    if is_json:
        print_document(document(linked, target))
    else:
        from preflight.report.plain_console import stdout_console
        from preflight.report.screens.link import show

        show(stdout_console(off_terminal=120), linked, target)
    verdicts = {whole(libraries) for libraries in linked.values()}
    if Verdict.DOES_NOT_LOAD in verdicts:
        return Exit.FINDINGS
    return Exit.READY if verdicts == {Verdict.LOADS} else Exit.INCOMPLETE


def _named(gpus: tuple[str, ...]) -> Iterator[WantedGpu]:
    for written in gpus:
        row = gpu(written)
        if row is None:
            raise click.BadParameter(f"--gpu {written!r} is none of Modal's GPUs: {', '.join(gpu_names())}")
        yield WantedGpu(row.name, row.sm, "--gpu")


def _of_app(start: Path) -> Iterator[WantedGpu]:
    """The GPUs of the one app of this folder's project; none where there is no project or no one app."""
    from preflight.app import reader
    from preflight.cli.running.target import project_settings, resolve_app

    settings = project_settings(start=start, scenario=None)
    if not settings.read_from:
        return  # without a pyproject.toml there is no project, and this folder may hold anything
    try:
        app = resolve_app(settings, None)
    except click.UsageError:
        return
    recipe = reader.read(settings.project / app, project=settings.project)
    found: dict[str, WantedGpu] = {}
    for function in recipe.functions:
        for asked in function.gpu if isinstance(function.gpu, tuple) else ():
            if row := gpu(asked.type):
                found.setdefault(row.name, WantedGpu(row.name, row.sm, f"{app}, {function.name}"))
    yield from found.values()
