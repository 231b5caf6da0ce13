"""`preflight probe`: do the mamba-ssm kernels launch, and are their numbers right?"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from preflight import settings as config
from preflight.model import Exit, Json
from preflight.probe.document import document, not_run
from preflight.probe.expected import table
from preflight.probe.fields import ReadingError
from preflight.probe.launch import Launch
from preflight.probe.local import LocalProbeFailed, probe_here
from preflight.probe.reading import parsed
from preflight.probe.request import DEFAULT_BLOCKS, Request, blocks_in
from preflight.probe.verdict import judge
from preflight.problems import Problem
from preflight.report.probe_screen import show
from preflight.report.text import one_line

REMOTE = "preflight.remote.probe_api"
NARROWEST, WIDEST = 40, 110


@click.command("probe", short_help="Trace the mamba-ssm kernels where the GPU is.")
@click.argument("target", required=False, metavar="[APP[::FUNCTION]]")
@click.option("--gpu", "gpus", multiple=True, metavar="TYPE", help="GPU to ask for instead of the function's own.")
@click.option("--local", "is_local", is_flag=True, help="Run it on this machine's GPU; nothing is billed.")
@click.option("--python", "python", metavar="PATH", help="With --local: the interpreter that has torch.")
@click.option("--model", metavar="MODULE:CALLABLE", help="Also trace up to 3 steps of your own model.")
@click.option("--json", "is_json", is_flag=True, help="Print the document preflight.probe/1 and nothing else.")
def probe_command(
    target: str | None, gpus: tuple[str, ...], is_local: bool, python: str | None, model: str | None, is_json: bool
) -> int:
    """Trace the kernels of Mamba, Mamba2 and Mamba3 while they run, and compare their numbers.

    Exit codes: 0 the kernels launch, 1 partial, fallback or broken, 3 it could not run.
    """
    if python and not is_local:
        raise click.UsageError("--python is for --local; on Modal the function's image has its own")
    if is_local and gpus:
        raise click.UsageError("--gpu is for Modal; --local runs on the GPU of this machine")
    if model and ":" not in model:
        raise click.UsageError(f"--model is {model!r}; wanted MODULE:CALLABLE")
    try:
        settings = config.load(Path.cwd(), environ=os.environ)
    except config.SettingsError as e:
        raise click.UsageError(str(e)) from e
    asked = _request(settings, model)
    if is_local:
        said, where = _local(asked, python or sys.executable, settings)
        return _report([(said, where)], is_json)
    app, _, function = (target or settings.app or "").partition("::")
    if not app:
        raise click.UsageError("which app? give APP[::FUNCTION], set [tool.preflight] app, or use --local")
    function = function or settings.probe.function or ""
    found = [_remote(Path(app), function, gpu, asked, settings) for gpu in gpus or settings.probe.gpus or ("",)]
    return _report(found, is_json)


def _request(settings: config.Settings, model: str | None) -> Request:
    # without a pyproject.toml there is no project, and this folder may hold anything
    found = blocks_in(settings.project) if settings.read_from else ()
    blocks = settings.probe.blocks or found or DEFAULT_BLOCKS
    return Request(
        blocks=blocks,
        model=model or settings.probe.model or "",
        paths=(str(settings.project), str(settings.project / "src")) if model or settings.probe.model else (),
        force_variables=(settings.probe.fallback_env,),
        limit_s=settings.probe.timeout_s,
    )


def _local(asked: Request, python: str, settings: config.Settings) -> tuple[dict[str, Json], str]:
    where = f"this machine, {python}"
    found = shutil.which(python)
    if found is None:
        return not_run(f"there is no interpreter {python}", "give --python the path of one that has torch"), where
    try:
        with _progress() as say:
            given = probe_here(found, asked.as_json(), say=say, environ=settings.environ, folder=settings.project)
        reading = parsed(given)
    except (LocalProbeFailed, ReadingError) as e:
        return not_run(str(e), "give --python the path of a Python 3.9 or newer that has torch"), where
    return document(reading, judge(reading, table())), where


def _remote(
    app: Path, function: str, gpu: str, asked: Request, settings: config.Settings
) -> tuple[dict[str, Json], str]:
    is_sandbox = settings.sandbox is not None
    where = f"{app}{'::' + function if function else ''} on {gpu or 'its own GPU'}"
    launch: Launch = importlib.import_module(REMOTE).launch
    try:
        with _progress() as say:
            limit_s = settings.probe.build_timeout_s + asked.limit_s
            done = asyncio.run(launch(app, function, gpu, asked.as_json(), limit_s=limit_s, say=say))
        reading = parsed(done.document)
    except Problem as e:
        return not_run(str(e), "cure that first: preflight check modal-auth", is_sandbox=is_sandbox), where
    except ReadingError as e:
        return not_run(str(e), "run it again; the function's log holds its output", is_sandbox=is_sandbox), where
    said = document(reading, judge(reading, table()), is_sandbox=is_sandbox)
    return {**said, "gpu_asked": gpu, "spent_usd": float(done.spent_usd)}, where


def _report(found: list[tuple[dict[str, Json], str]], is_json: bool) -> int:
    """One document a GPU; several are a list, in the order they were asked for."""
    documents = [said for said, _ in found]
    if is_json:
        click.echo(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2, ensure_ascii=False))
    else:
        size = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
        width = max(NARROWEST, min(WIDEST, size))
        console = Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)
        for number, (said, where) in enumerate(found):
            if number:
                console.print()
            show(console, said, where=where)
    exits = {Exit(said["exit"]) for said in documents}
    return int(next(e for e in (Exit.FINDINGS, Exit.INCOMPLETE, Exit.READY) if e in exits))


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """One line that changes, on a terminal; nothing elsewhere, so that a pipe holds the verdict alone."""
    console = Console(stderr=True, highlight=False, markup=False)
    if not console.is_terminal:
        yield lambda text: None
        return
    with console.status(Text("probe")) as status:
        yield lambda text: status.update(Text(one_line(text)[: console.width - 4]))
