"""`preflight bug-report`: how this machine and its Modal differ from what we tested with, and nothing of yours."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import importlib.metadata
import json
import os
import platform
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import click

import preflight
from preflight.cli.running.outputs import Output, look_at, write
from preflight.model import Exit, Json
from preflight.settings import Settings

SCHEMA = "preflight.bug-report/1"
ASK_S = 15.0
PACKAGES = ("modal", "boto3", "botocore", "grpclib", "protobuf", "click", "rich", "httpx", "moto", "tree-sitter")
MOST_TEXT = 500  # characters of an error


@click.command("bug-report")
@click.option("-o", "--output", "path", metavar="FILE", help="Also write it there; it is shown first.")
@click.option("--offline", "is_offline", is_flag=True, help="Ask nobody: versions and settings only.")
@click.option("-e", "--environment", metavar="ENV", help="Modal environment.")
def bug_report_command(path: str | None, is_offline: bool, environment: str | None) -> int:
    """Print one redacted document to attach to an issue: versions, which settings are set, what became of each
    question to Modal, and each RPC's status, the names of the fields that came, the error's text and the time it took.
    No value is in it.
    """
    output = Output("bug report", path) if path else None
    if output is not None:
        look_at([output])
    from preflight.cli.running.stderr import redactor
    from preflight.cli.running.target import project_settings
    from preflight.report.redacted import cleaned
    from preflight.report.text import plain, printable

    settings = project_settings(environment=environment)
    document = plain(cleaned(asyncio.run(_document(settings, is_offline=is_offline)), redactor().text))
    text = printable(json.dumps(document, indent=2, ensure_ascii=False)) + "\n"
    click.echo(text, nl=False)
    if output is not None:
        if sys.stdin.isatty() and sys.stdout.isatty() and not click.confirm(f"write this to {path}?", default=True):
            return Exit.READY
        write(output, text)
        click.echo(f"written to {path}; read it before you attach it", err=True)
    return Exit.READY


async def _document(settings: Settings, *, is_offline: bool) -> dict[str, Json]:
    from preflight.remote.rpcs import observed
    from preflight.state.vector import settings_rows

    project, rows = settings.interpreter, settings_rows(settings).items()
    with observed() as rpcs:
        questions = [] if is_offline else [row async for row in _asked(settings)]
    return {
        "schema": SCHEMA,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "preflight": preflight.__version__,
        "python": platform.python_version(),
        "platform": {"system": platform.system(), "release": platform.release(), "machine": platform.machine()},
        "packages": {name: _version(name) for name in PACKAGES},
        "project": {
            "found_by": project.found_by if project else None,
            "modal": project.version if project else None,
            "builders": list(project.client.builders) if project and project.client else [],
        },
        "settings": sorted({name.replace("_", "-") for name, _ in rows ^ settings_rows(Settings()).items()}),
        "variables": sorted(
            n for n in os.environ if n.startswith(("MODAL_", "AWS_", "PREFLIGHT_")) or "PROXY" in n.upper()
        ),
        "stdout": {"is_terminal": sys.stdout.isatty(), "encoding": sys.stdout.encoding},
        "questions": questions,
        "rpcs": [dataclasses.asdict(r) | {"seconds": round(r.seconds, 3), "error": r.error[:MOST_TEXT]} for r in rpcs],
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


async def _asked(settings: Settings) -> AsyncIterator[dict[str, Json]]:
    """What became of each lookup that needs no app: one after the other, so that each time is its own."""
    from preflight.engine.several import reads_app
    from preflight.lookups import Lookup, LookupFailed, Lookups, World

    module = importlib.import_module("preflight.remote.lookups")
    found = {name: held for name, held in vars(module).items() if isinstance(held, Lookup) and not reads_app(held)}
    async with Lookups(World(now=datetime.now(UTC), settings=settings)) as lookups:
        for name, lookup in found.items():
            began = time.monotonic()
            try:
                async with asyncio.timeout(ASK_S):
                    looked = await lookups.see("bug-report", (), (lookup,))
                value: object = looked.tried(lookup)
            except TimeoutError as e:
                value = e
            row: dict[str, Json] = {"question": name, "seconds": round(time.monotonic() - began, 2)}
            if isinstance(value, LookupFailed) and value.lookup is not lookup:
                row |= {"status": "not asked", "waits_for": value.lookup.name}
            elif isinstance(value, LookupFailed | TimeoutError):
                cause = value.__cause__
                kind = getattr(cause, "kind", None)
                row |= {"status": str(kind or type(cause or value).__name__), "text": str(value)[:MOST_TEXT]}
            else:
                row["status"] = "answered"
            yield row
