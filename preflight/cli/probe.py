"""`preflight probe`: do the mamba-ssm kernels launch, and are their numbers right?"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import click
from msgspec import structs
from rich.console import Console
from rich.text import Text

from preflight import settings as config
from preflight.cli.running.audience import Audience, all_checks
from preflight.cli.running.conduct import run_selection
from preflight.cli.running.options import Options, parse_dollars
from preflight.cli.running.rehearsal import standing
from preflight.cli.running.stderr import redactor, warn
from preflight.cli.running.target import project_settings, resolve_app
from preflight.engine.select import select
from preflight.events import Event, Priced, Progress, Reporter
from preflight.model import Exit, Status
from preflight.probe.document import Document, not_run, parsed
from preflight.probe.local import LocalProbeFailed, probe_here
from preflight.probe.on_modal import judged, request_for, with_candidates
from preflight.probe.request import DEFAULT_BLOCKS, blocks_in
from preflight.report.redacted import cleaned
from preflight.report.screen import stdout_console
from preflight.report.screens.probe import show
from preflight.report.text import one_line


@click.command("probe", short_help="Trace the mamba-ssm kernels where the GPU is.")
@click.argument("target", required=False, metavar="[APP[::FUNCTION]]")
@click.option("--gpu", "gpus", multiple=True, metavar="TYPE", help="GPU to ask for instead of the function's own.")
@click.option("--local", "is_local", is_flag=True, help="Run it on this machine's GPU; nothing is billed.")
@click.option("--python", "python", metavar="PATH", help="With --local: the interpreter that has torch.")
@click.option("--model", metavar="MODULE:CALLABLE", help="Also trace up to 3 steps of your own model.")
@click.option("--model-args", metavar="ARGS", help="Its arguments: 'd_model=64, config=@config.json'.")
@click.option("--model-input", metavar="SHAPE", help="Its input, where it comes without: 2x960x64, 2x960:int64.")
@click.option("--full-autotune", is_flag=True, help="Let Triton try every configuration, as training does.")
@click.option("--gpu-health", is_flag=True, help="Measure products, copies and the link of every GPU.")
@click.option("-e", "--environment", metavar="ENV", help="Modal environment.")
@click.option("--spend-max", metavar="USD", callback=parse_dollars, help="Dollars it may spend.  [default: 2.00]")
@click.option("--sandbox", "use_sandbox", is_flag=True, help="On the local Modal, simulated.")
@click.option("--scenario", metavar="NAME", help="The sandbox's world.")
@click.option("--json", "is_json", is_flag=True, help="Print the document preflight.probe/1 and nothing else.")
def probe_command(
    target: str | None,
    gpus: tuple[str, ...],
    is_local: bool,
    python: str | None,
    model: str | None,
    model_args: str | None,
    model_input: str | None,
    full_autotune: bool,
    gpu_health: bool,
    environment: str | None,
    spend_max: Decimal | None,
    use_sandbox: bool,
    scenario: str | None,
    is_json: bool,
) -> int:
    """Trace the kernels of Mamba, Mamba2 and Mamba3 while they run, and compare their numbers.

    Exit codes: 0 the kernels launch, 1 partial, fallback or broken, 3 it could not run.
    """
    if python and not is_local:
        raise click.UsageError("--python is for --local; on Modal the function's image has its own")
    if is_local and (gpus or use_sandbox):
        raise click.UsageError("--gpu and --sandbox are for Modal; --local runs on the GPU of this machine")
    if scenario is not None and not use_sandbox:
        raise click.UsageError("--scenario belongs to --sandbox")
    if model and ":" not in model:
        raise click.UsageError(f"--model is {model!r}; wanted MODULE:CALLABLE")

    def with_options(settings: config.Settings, function: str = "") -> config.Settings:
        set_before = settings.probe
        probe = replace(
            set_before,
            function=function or set_before.function,
            gpus=gpus or set_before.gpus,
            model=model or set_before.model,
            model_args=model_args or set_before.model_args,
            model_input=model_input or set_before.model_input,
            full_autotune=full_autotune or set_before.full_autotune,
            gpu_health=gpu_health or set_before.gpu_health,
        )
        return replace(settings, probe=probe)

    if is_local:
        return _local(with_options(project_settings(start=Path.cwd(), scenario=None)), python, is_json)
    app, _, function = (target or "").partition("::")
    options = Options(
        app=app or None,
        environment=environment,
        spend_max=spend_max,
        only=("gpu-probe",),
        is_sandbox=use_sandbox,
        scenario=scenario,
    )
    with standing(options) as ground:
        settings = with_options(replace(ground.settings, app=resolve_app(ground.settings, options.app)), function)
        return _remote(settings, options, is_json)


def _local(settings: config.Settings, python: str | None, is_json: bool) -> int:
    wanted, remedy = python or sys.executable, "give --python the path of a Python 3.9 or newer that has torch"
    # without a pyproject.toml there is no project, and this folder may hold anything
    blocks = settings.probe.blocks or (blocks_in(settings.project) if settings.read_from else ()) or DEFAULT_BLOCKS
    try:
        asked = request_for(settings, blocks, (str(settings.project), str(settings.project / "src")))
    except ValueError as e:
        raise click.UsageError(str(e)) from e
    found = shutil.which(wanted)
    if found is None:
        document = not_run(f"there is no interpreter {wanted}", "give --python the path of one that has torch")
    else:
        try:
            with _progress() as say:
                document = judged(
                    probe_here(found, asked.as_json(), say=say, environ=settings.environ, folder=settings.project)
                )
        except LocalProbeFailed as e:
            document = not_run(str(e), remedy)
    return _report([(with_candidates(document, settings), f"this machine, {wanted}")], is_json)


def _remote(settings: config.Settings, options: Options, is_json: bool) -> int:
    """Through the engine, so that the price is shown and bounded as in `preflight run`."""
    selection = select(all_checks(), only=options.only)
    with _progress() as say:
        report = run_selection(selection, settings, options, Audience([_Progress(say)]))
    result = report.results[0]
    where = f"{settings.app}" + (f"::{settings.probe.function}" if settings.probe.function else "")
    if report.is_interrupted:
        raise KeyboardInterrupt
    if result.answer is None or "probes" not in result.answer.seen:
        remedy = "preflight explain gpu-probe" if result.status is Status.SKIP else "cure that first, then probe again"
        return _report([(not_run(result.reason, remedy, is_sandbox=settings.sandbox is not None), where)], is_json)
    documents = [parsed(document) for document in result.answer.seen["probes"]]
    usd = float(result.spent_usd)
    return _report([(structs.replace(d, spent_usd=usd), f"{where} on {d.gpu_asked}") for d in documents], is_json)


class _Progress(Reporter):
    """The engine's events as the one changing line; the price is on a line that stays."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say

    def observe(self, event: Event) -> None:
        if isinstance(event, Priced):
            warn(f"up to ${event.price.usd:.2f} ({event.price.basis})")
        elif isinstance(event, Progress):
            self.say(event.text)


def _report(found: Sequence[tuple[Document, str]], is_json: bool) -> int:
    """One document a GPU; several are a list, in the order they were asked for."""
    documents = [cleaned(document.as_json(), redactor().text) for document, _ in found]
    if is_json:
        click.echo(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2))
    else:
        console = stdout_console(off_terminal=80)
        for number, (document, (_, where)) in enumerate(zip(documents, found, strict=True)):
            if number:
                console.print()
            show(console, parsed(document), where=redactor().text(where))
    exits = {document.verdict.exit for document, _ in found}
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
