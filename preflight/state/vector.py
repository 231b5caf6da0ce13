"""What a run stands on, as text by group and name: versions, settings, variables, files, and what Modal answered.

One vector for three questions: is the smoke test's pass about this very project (``fingerprint``), does the gate's
pass still hold (``of_machine``), and what differs from the last run that worked (``run_facts``).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path

import preflight
from preflight.changes import Group
from preflight.facts.in_force import digest
from preflight.interpreter import client_of
from preflight.redact import without_secrets
from preflight.settings import GIVEN_BY_US, Settings
from preflight.state import sources
from preflight.state.machine_key import blurred
from preflight.state.sources import Watched, variables

Rows = dict[str, str]
Vector = dict[str, Rows]

NO_MATTER = frozenset({"spend_max", "outputs", "watch", "record"})  # how it is looked at changes nothing of it
PAYLOAD = Path(preflight.__file__).parent / "probe" / "payload"
NOUNS = {
    Group.FILES: "file ",
    Group.VARIABLES: "variable ",
    Group.SETTINGS: "setting ",
    Group.SECRETS: "secret ",
    Group.RATES: "rate ",
}


def flat(vector: Vector) -> Rows:
    """``secret wandb`` → its value: every fact under one name."""
    facts = ((NOUNS.get(Group(group), ""), rows) for group, rows in vector.items())
    return {f"{noun}{name}": value for noun, rows in facts for name, value in rows.items()}


def fingerprint(settings: Settings, *, facts: Mapping[str, str | None], watched: Watched) -> str:
    """SHA-256 of the project's sources, its settings, what the app takes from this machine, and ``facts``.

    Raises TooLarge.
    """
    taken: Vector = {
        Group.SETTINGS: settings_rows(settings, besides=NO_MATTER),
        Group.VARIABLES: variables(settings.environ, watched),
        Group.FILES: files_of(settings, watched),
    }
    whole = hashlib.sha256()
    for name, value in sorted({**{f"fact {n}": str(v) for n, v in facts.items()}, **flat(taken)}.items()):
        for part in (os.fsencode(name), os.fsencode(value)):  # with its length: no two lists give the same bytes
            whole.update(len(part).to_bytes(8, "big") + part)
    return whole.hexdigest()


def files_of(settings: Settings, watched: Watched) -> Rows:
    """Every file that counts, with its digest.  Raises TooLarge."""
    named = [settings.project / p for p in settings.watch]
    return sources.read(
        settings.project, watched=[*map(Path, watched.paths), *named], outputs=settings.outputs, state=settings.state
    )


def can_miss(settings: Settings, watched: Watched) -> str:
    """Why a change could go unseen; "" when it could not, or the user has named the paths to watch."""
    return "" if settings.watch or not watched.unseen else watched.unseen[0]


def of_machine(settings: Settings, watched: Watched, key: bytes, *, left_out: tuple[str, ...], fail_on: str) -> Vector:
    """For the gate.  Nothing is asked of anybody, and whatever can't be read is a fact of its own.  Raises TooLarge.

    Values that may be secrets (variables, the profile's tokens) are blurred with the machine's key.
    """
    environ = os.environ
    given = settings_rows(settings, besides=NO_MATTER)
    return {
        Group.VERSIONS: {
            "preflight": preflight.__version__,
            "fact tables": digest(),
            "probe": hashlib.sha256(b"".join(p.read_bytes() for p in sorted(PAYLOAD.glob("*.py")))).hexdigest()[:16],
            "plugins": _plugins(),
            "left out": ", ".join(sorted(left_out)) or "nothing",
            "--fail-on": fail_on,
            "working folder": str(Path.cwd()),  # Modal's client takes relative paths from there
            "Python": platform.python_version(),
            "Modal client": _version("modal"),
            "modal command": modal_command(settings.environ.get("PATH")),
        },
        Group.CLIENT: dict(_profile(environ, key)),
        Group.VARIABLES: {n: blurred(key, v) for n, v in sorted(variables(environ, watched).items())},
        Group.SETTINGS: {n: v if without_secrets(v) == v else blurred(key, v) for n, v in given.items()},
        Group.FILES: {printable(name): value for name, value in files_of(settings, watched).items()},
    }


def settings_rows(settings: Settings, besides: frozenset[str] = frozenset()) -> Rows:
    """``budget.hours`` → ``25``: every setting that is set."""

    def rows(prefix: str, value: object) -> Iterator[tuple[str, str]]:
        if is_dataclass(value) and not isinstance(value, type):
            for each in fields(value):
                if prefix or each.name not in GIVEN_BY_US | besides:
                    yield from rows(f"{prefix}.{each.name}".lstrip("."), getattr(value, each.name))
        elif value not in (None, ()):
            yield prefix, str(value)

    return dict(rows("", settings))


def modal_command(path: str | None) -> str:
    """The `modal` that a command of this shell would run: where, of which version, under which Python."""
    found = shutil.which("modal", path=path)
    if found is None:
        return "not on the PATH"
    client = client_of(Path(found))
    return f"{found} {client.version}" if client else found


def _profile(environ: Mapping[str, str], key: bytes) -> Iterator[tuple[str, str]]:
    """The client's profile in use, as it reads its own file (1.6.4: MODAL_PROFILE, else the active one)."""
    file = Path(environ.get("MODAL_CONFIG_PATH") or "~/.modal.toml").expanduser()
    try:
        content = file.read_bytes()
    except OSError:
        yield "Modal profile", "no file"
        return
    try:
        profiles = {n: p for n, p in tomllib.loads(content.decode()).items() if isinstance(p, dict)}
    except ValueError:
        yield "Modal profile", f"unreadable {blurred(key, content.hex())}"
        return
    active = next((n for n, p in profiles.items() if p.get("active")), "default")
    name = environ.get("MODAL_PROFILE") or (next(iter(profiles)) if len(profiles) == 1 else active)
    yield "Modal profile", name
    for field, value in sorted(profiles.get(name, {}).items()):
        yield f"Modal profile {field}", blurred(key, repr(value))


def _plugins() -> str:
    found = importlib.metadata.entry_points(group="preflight.checks")
    return ", ".join(sorted(f"{p.name} {p.dist.version if p.dist else ''}" for p in found)) or "none"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def printable(name: str) -> str:
    """A file name as JSON can hold it; names that are no text stay apart from each other."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
