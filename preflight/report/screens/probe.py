"""The probe's verdict on the screen: what was found, block by block, and one thing to do."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from preflight.model import Json
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


def show(console: Console, document: dict[str, Json], *, where: str) -> None:
    """``document`` is a preflight.probe/1; ``where`` says on what it ran."""
    _print(console, Text(f"preflight probe · {where}", style="bold"), hanging=2)
    if document["sandbox"] or document["simulated"]:
        _print(console, Text("simulated: stand-in packages answered, no GPU was looked at", style="magenta"))
    _machine(console, document)
    for block in document["blocks"]:
        _part(console, block["block"], block, _facts(block, document))
    if document["model"]:
        _part(console, "model", document["model"], document["model"]["reason"])
    else:
        _print(console, Text(f" ? {'model':<{NAME_WIDTH}} {document['own_model']['said']}"), hanging=NAME_WIDTH + 4)
    for gpu in document["health"]:
        _health(console, gpu)
    console.print()
    _end(console, document)


def _machine(console: Console, document: dict[str, Json]) -> None:
    gpu, versions = document["gpu"], document["versions"]
    if gpu:
        parts = [gpu.get("name", "no name")]
        parts += [f"sm_{gpu['capability'].replace('.', '')}"] if gpu.get("capability") else []
        parts += [f"{gpu['memory_gib']} GiB"] if gpu.get("memory_gib") else []
        parts += [f"driver {gpu['driver']}"] if gpu.get("driver") else []
        _print(console, Text(f"   {'gpu':<{NAME_WIDTH}} {', '.join(parts)}"), hanging=NAME_WIDTH + 4)
    shown = [_version(name, document) for name in ("torch", "triton", "mamba-ssm", "causal-conv1d")]
    shown += [f"Python {versions['python']}"] if versions.get("python") else []
    if versions:
        _print(console, Text(f"   {'with':<{NAME_WIDTH}} {', '.join(shown)}"), hanging=NAME_WIDTH + 4)


def _health(console: Console, gpu: dict[str, Json]) -> None:
    measured = (("tflops", "TFLOP/s"), ("copy_gbps", "GB/s copied"), ("reduce_gbps", "GB/s in the all-reduce"))
    said = [f"{gpu[key]:.0f} {unit}" for key, unit in measured if gpu[key] is not None]
    bad = gpu["findings"]
    glyph, style = STYLES["broken" if gpu["is_certain"] else "partial" if bad else "kernels"]
    line = Text.assemble(" ", (glyph, style), f" {'gpu ' + str(gpu['index']):<{NAME_WIDTH}} ", "; ".join(bad or said))
    _print(console, line, hanging=NAME_WIDTH + 4)


def _version(name: str, document: dict[str, Json]) -> str:
    if document["versions"].get(name):
        return f"{name} {document['versions'][name]}"
    loads = document["loads"].get(name.replace("-", "_"), {})
    return f"{name} of unknown version" if loads.get("outcome") == "ok" else f"no {name}"


def _facts(block: dict[str, Json], document: dict[str, Json]) -> str:
    if block["verdict"] == "could-not-run" and document["reason"].endswith(block["reason"]):
        return "not reached"  # the last line says why, once
    if block["verdict"] != "kernels":
        return str(block["reason"])
    parts = [f"{len(block['launched'])} kernels launched"]
    for dtype, numbers in block["numerics"].items():
        off = numbers["relative"].get("output")
        parts += [f"{dtype} {off:.1e} off"] if off is not None else []
    if block["first_call_s"] is not None:
        parts.append(f"first call {seconds(block['first_call_s'])}")
    return ", ".join(parts)


def _part(console: Console, name: str, part: dict[str, Json], said: str) -> None:
    glyph, style = STYLES[part["verdict"]]
    line = Text.assemble(" ", (glyph, style), " ", f"{name:<{NAME_WIDTH}} ", said)
    _print(console, line, hanging=NAME_WIDTH + 4)


def _end(console: Console, document: dict[str, Json]) -> None:
    style = STYLES[document["verdict"]][1]
    word = document["verdict"].upper().replace("-", " ")
    took = f" · {seconds(document['seconds'])}" if document["seconds"] else ""
    _print(console, Text.assemble((word, style), f"   {document['reason']}{took}"), hanging=3)
    for place in document["where"][:SHOWN_PLACES]:
        _print(console, Text.assemble("   ", ("at  ", "bold"), f"{place['path']}:{place['line']}"), hanging=7)
    if document["remedy"]:
        _print(console, Text.assemble("   ", ("fix ", "bold"), document["remedy"]), hanging=7)


def _print(console: Console, line: Text, *, hanging: int = 0) -> None:
    """One logical line, folded to the console's width with a hanging indent; data is shown as data."""
    plain = in_encoding(_kept(line.plain), console.encoding)
    safe = Text(plain, style=line.style)
    if len(plain) == len(line.plain):
        safe.spans = list(line.spans)
    rows = safe.wrap(console, max(20, console.width - hanging))
    for number, row in enumerate(rows):
        row.rstrip()
        console.print(Text(" " * hanging if number else "").append_text(row), soft_wrap=True)


def _kept(text: str) -> str:
    """The text on one line with its leading spaces."""
    body = text.lstrip(" ")
    return " " * (len(text) - len(body)) + " ".join(part for part in _split(body))


def _split(body: str) -> list[str]:
    return [one_line(part) if part else "" for part in body.split(" ")]
