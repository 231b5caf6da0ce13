"""The probe's verdict on the screen: what was found, block by block, and one thing to do."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from preflight.probe.document import Block, Document
from preflight.probe.health_verdict import GpuHealth
from preflight.report.text import in_encoding, one_line, seconds

STYLES = {
    "kernels": ("✓", "green"),
    "partial": ("!", "yellow"),
    "conv1d-fallback": ("✗", "bold red"),
    "broken": ("✗", "bold red"),
    "could-not-run": ("⊘", "magenta"),
}
NAME_WIDTH = 9
SHOWN_PLACES = 3


def show(console: Console, document: Document, *, where: str) -> None:
    """``where`` says on what it ran."""
    _line(console, f"preflight probe · {where}", hanging=2, style="bold")
    if document.sandbox or document.simulated:
        _line(console, "simulated: stand-in packages answered, no GPU was looked at", style="magenta")
    _machine(console, document)
    for block in document.blocks:
        _row(console, block.verdict, block.block, _facts(block, document))
    if document.model:
        _row(console, document.model["verdict"], "model", document.model["reason"])
    else:
        _row(console, "", "model", document.own_model.message, glyph="?")
    for gpu in document.health:
        verdict = "broken" if gpu["is_certain"] else "partial" if gpu["findings"] else "kernels"
        _row(console, verdict, f"gpu {gpu['index']}", "; ".join(gpu["findings"] or _speeds(gpu)))
    console.print()
    _end(console, document)


def _machine(console: Console, document: Document) -> None:
    gpu, versions = document.gpu, document.versions
    if gpu:
        parts = [gpu.get("name", "no name")]
        parts += [f"sm_{gpu['capability'].replace('.', '')}"] if gpu.get("capability") else []
        parts += [f"{gpu['memory_gib']} GiB"] if gpu.get("memory_gib") else []
        parts += [f"driver {gpu['driver']}"] if gpu.get("driver") else []
        _row(console, "", "gpu", ", ".join(parts))
    if versions:
        shown = [_version(name, document) for name in ("torch", "triton", "mamba-ssm", "causal-conv1d")]
        shown += [f"Python {versions['python']}"] if versions.get("python") else []
        _row(console, "", "with", ", ".join(shown))


def _version(name: str, document: Document) -> str:
    if document.versions.get(name):
        return f"{name} {document.versions[name]}"
    is_there = document.loads.get(name.replace("-", "_"), {}).get("outcome") == "ok"
    return f"{name} of unknown version" if is_there else f"no {name}"


def _speeds(gpu: GpuHealth) -> list[str]:
    link = gpu["reduce_gbps"], "GB/s in the all-reduce"
    speeds = ((gpu["tflops"], "TFLOP/s"), (gpu["copy_gbps"], "GB/s copied"), link)
    return [f"{speed:.0f} {unit}" for speed, unit in speeds if speed is not None]


def _facts(block: Block, document: Document) -> str:
    if block.verdict == "could-not-run" and document.reason.endswith(block.reason):
        return "not reached"  # the last line says why, once
    if block.verdict != "kernels":
        return block.reason
    parts = [f"{len(block.launched)} kernels launched"]
    for dtype, numbers in block.numerics.items():
        off = numbers["relative"].get("output")
        parts += [f"{dtype} {off:.1e} off"] if off is not None else []
    if block.first_call_s is not None:
        parts.append(f"first call {seconds(block.first_call_s)}")
    return ", ".join(parts)


def _end(console: Console, document: Document) -> None:
    word, style = document.verdict.upper().replace("-", " "), STYLES[document.verdict][1]
    took = f" · {seconds(document.seconds)}" if document.seconds else ""
    _line(console, f"{document.reason}{took}", (word, style), "   ", hanging=3)
    for place in document.where[:SHOWN_PLACES]:
        _line(console, f"{place}", "   ", ("at  ", "bold"), hanging=7)
    if document.remedy:
        _line(console, document.remedy, "   ", ("fix ", "bold"), hanging=7)


def _row(console: Console, verdict: str, name: str, text: str, *, glyph: str = " ") -> None:
    glyph, style = STYLES.get(verdict, (glyph, ""))
    head = (in_encoding(glyph, console.encoding), style)
    _line(console, text, " ", head, f" {one_line(name):<{NAME_WIDTH}} ", hanging=NAME_WIDTH + 4)


def _line(console: Console, text: str, *head: str | tuple[str, str], hanging: int = 0, style: str = "") -> None:
    """One logical line, folded to the console's width with a hanging indent; data is shown as data."""
    line = Text.assemble(*head, (in_encoding(one_line(text), console.encoding), style))
    for number, row in enumerate(line.wrap(console, max(20, console.width - hanging))):
        row.rstrip()
        console.print(Text(" " * hanging if number else "").append_text(row), soft_wrap=True)
