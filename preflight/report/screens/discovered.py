"""``preflight list --discovered`` on a terminal: one line a fact, with the place it was read at."""

from __future__ import annotations

import functools
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from preflight.report.places import Places
from preflight.report.text import in_encoding, one_line

NARROWEST, WIDEST, OFF_A_TERMINAL = 40, 110, 80
LABEL = 12  # columns of "  timeout   "
RUNS_COMMANDS = frozenset({"run_commands", "dockerfile_commands"})
MOST_BUILDS = 40  # of the client's own commands for one image


def lines(document: dict[str, Any], places: Places) -> list[str]:
    """What the document ``preflight.discovered/1`` holds, no line wider than the terminal where words allow it."""
    size = shutil.get_terminal_size().columns if sys.stdout.isatty() else OFF_A_TERMINAL
    width = max(NARROWEST, min(WIDEST, size))
    encoding = getattr(sys.stdout, "encoding", None)
    rows = _rows(document, places.path(document["path"]))
    shown = ((label, text, place and places.place(place)) for label, text, place in rows)
    return [in_encoding(line, encoding) for row in shown for line in _wrapped(row, width)]


Row = tuple[str, str, str]  # label, text, place; a label of "" is a heading
GOES_ON = " "  # the label of a row that belongs to the one before
GAP = ("", "", "")


def _wrapped(row: Row, width: int) -> list[str]:
    label, text, place = (one_line(part) for part in row)
    if not row[0]:
        if len(text) + len(place) + 2 <= width:
            return [f"{text}  {place}".rstrip()]
        return [*textwrap.wrap(text, width, break_long_words=False), *([f"  {place}"] if place else [])]
    joined = f"{text}  ({place})" if place else text
    head = f"  {label:<{LABEL - 3}} "
    return textwrap.wrap(
        joined,
        width,
        initial_indent=head,
        subsequent_indent=" " * LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [head.rstrip()]


def _rows(document: dict[str, Any], shown: str) -> Iterator[Row]:
    path = document["path"]
    broken = document["broken"]
    yield "", f"{shown} does not parse: {broken}" if broken else shown, ""
    for app in document["apps"]:
        yield "", f"app {_text(app['name']) or '(no name)'}", app["where"]
    for function in document["functions"]:
        yield GAP
        kind = function["kind"].replace("_", " ")
        yield "", f"{'class' if kind == 'cls' else kind} {function['name']}", function["where"]
        yield from _function(function)
    for image in document["images"]:
        yield GAP
        more = " (recorded)" if image["recorded"] else ""
        more += "" if image["complete"] else " (part of it is not in the text)"
        yield "", f"image {image['variable'] or 'without a name'}{more}", image["where"]
        for step in image["steps"]:
            yield from _step(step, path)
    kernels = [
        ("kernels", f"{' '.join(p for p in (e['name'], e['version']) if p)}: {e['said']}", e["where"])
        for e in document["extensions"]
    ]
    for heading, rows in (
        ("what the steps that install the kernels will come to", kernels),
        ("environment variables that the code reads", [*map(_read, document["environ"])]),
        ("not in the text", [("open", each["why"], each["where"]) for each in document["unresolved"]]),
    ):
        if rows:
            yield from (GAP, ("", heading, ""), *rows)
    if document["recording"] is not None:
        yield GAP
        yield from _recording(document["recording"])
    if not broken and not document["apps"] and not document["functions"] and not document["images"]:
        yield "", "no modal.App, function or image is in it", ""


def _read(read: dict[str, Any]) -> Row:
    inside = f" in {read['inside']}" if read["inside"] else ""
    must = "must be set" if read["required"] else "may be set"
    return "reads", f"{read['key']}, {must} ({read['by']}{inside})", read["where"]


def _function(function: dict[str, Any]) -> Iterator[Row]:
    def mark(field: str) -> str:
        return " (recorded)" if field in function["recorded"] else ""

    gpu, image = function["gpu"], function["image"]
    if gpu:
        shown = " or ".join(g["written"] for g in gpu) if isinstance(gpu, list) else _text(gpu)
        yield "gpu", shown + mark("gpu"), ""
    for field, label, text in (
        ("timeout_s", "timeout", _seconds),
        ("startup_timeout_s", "startup", _seconds),
        ("cpu", "cpu", functools.partial(_pair, unit="cores")),
        ("memory_mib", "memory", functools.partial(_pair, unit="MiB")),
        ("retries", "retries", _text),
        ("schedule", "schedule", _text),
    ):
        if function[field] is not None:
            yield label, text(function[field]) + mark(field), ""
    if image:
        yield "image", (" or ".join(image) if isinstance(image, list) else _text(image)) + mark("images"), ""
    for secret in function["secrets"]:
        yield "secret", _secret(secret) + mark("secrets"), _place(secret)
    for path, mount in function["volumes"].items():
        yield from _mount(path, mount, mark("volumes"))


def _mount(path: str, mount: dict[str, Any], mark: str) -> Iterator[Row]:
    if "volume" in mount:
        made = ", made if missing" if mount["create_if_missing"] else ""
        yield "volume", f"{path}  {mount['volume'] or 'of its own'}{made}{mark}", _place(mount)
    elif "bucket" in mount:
        prefix = f"/{_text(mount['prefix'])}" if mount["prefix"] is not None else ""
        more = ", read-only" if mount["read_only"] else ""
        more += f", at {_text(mount['endpoint_url'])}" if mount["endpoint_url"] is not None else ""
        yield "bucket", f"{path}  {_text(mount['bucket'])}{prefix}{more}{mark}", _place(mount)
        if mount["secret"] is not None:
            yield GOES_ON, f"with the secret {_secret(mount['secret'])}", ""
    else:
        yield "mount", f"{path}  {_text(mount)}{mark}", _place(mount)


def _secret(secret: dict[str, Any]) -> str:
    if "unresolved" in secret:
        return _text(secret)
    keys = secret["required_keys"] or secret["keys"]
    name = secret["name"] or "of values"
    return name + (f" with {', '.join(keys)}" if keys else "")


def _step(step: dict[str, Any], path: str) -> Iterator[Row]:
    """Its line as the label; its place too where it stands in another file."""
    file, _, line = step["where"].rpartition(":")
    more = "" if step["complete"] else "(part of it is not in the text)"
    words = step["packages"] or step["apt"] or [_text(a) for a in step["args"]]
    if step["method"] in RUNS_COMMANDS:
        words = [_text(a) for arg in step["args"] for a in (arg if isinstance(arg, list) else [arg])]
    options = ", ".join(f"{k}={_text(v)}" for k, v in step["kwargs"].items())
    together = [", ".join(words)] if step["method"] not in RUNS_COMMANDS else words
    first, *rest = together or [""]
    shown = " ".join(w for w in (f".{step['method']}", first, options, more) if w)
    yield line, shown, step["where"] if file != path else ""
    for each in rest:
        yield GOES_ON, each, ""


def _recording(recording: dict[str, Any]) -> Iterator[Row]:
    if not recording["ok"]:
        yield "", f"not recorded: {recording['said']}", recording["where"] or ""
        if recording["line"]:
            yield "line", recording["line"], ""
        return
    closed = (
        "the kernel" if recording["network_closed_by"] == "kernel" else "Python alone: other programs could reach it"
    )
    yield "", f"recorded for builder {recording['builder']} (network closed by {closed})", ""
    images: dict[tuple[str, ...], list[str]] = {}
    for function in recording["functions"]:
        images.setdefault(tuple(function["image"]), []).append(function["name"])
    for commands, names in images.items():
        yield "image of", ", ".join(names), ""
        for command in commands[:MOST_BUILDS]:
            yield "|", command, ""
        if len(commands) > MOST_BUILDS:
            yield "|", f"… {len(commands) - MOST_BUILDS} more", ""
    for each in recording["differences"]:
        unless = f" unless {each['unless']} is set" if each["unless"] else ""
        text = f"{each['subject']}: read as {each['read']}{unless}, recorded as {each['recorded']}"
        yield "differs", text, each["where"]
    if not recording["differences"]:
        yield "same", "the text says what the client asks for", ""


def _place(value: dict[str, Any]) -> str:
    return str(value.get("where") or "")


def _seconds(value: Any) -> str:
    if not isinstance(value, int | float):
        return _text(value)
    for unit, length in (("h", 3600), ("min", 60)):
        if value >= length and value % length == 0:
            return f"{value:g} s ({value / length:g} {unit})"
    return f"{value:g} s"


def _pair(value: Any, unit: str) -> str:
    if not isinstance(value, list):
        return _text(value)
    request, limit = value
    return f"{request:g} {unit}" + (f", at most {limit:g}" if limit is not None else "")


def _text(value: Any) -> str:
    if isinstance(value, dict):
        if "unresolved" in value:
            return f"not in the text: {value['unresolved']}"
        return ", ".join(f"{k}={_text(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(_text(v) for v in value)
    return "" if value is None else str(value)
