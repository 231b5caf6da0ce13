"""The facts of this machine that a pass stands on, as text by name.  Nothing is asked of anybody.

Values that may be secrets (variables, the profile's tokens) are blurred with the machine's key.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import preflight
from preflight.facts.in_force import digest
from preflight.interpreter import client_of
from preflight.redact import without_secrets
from preflight.settings import Settings
from preflight.state import fingerprint
from preflight.state.machine_key import blurred
from preflight.state.sources import Watched, variables

PAYLOAD = Path(preflight.__file__).parent / "probe" / "payload"


def local(
    settings: Settings, watched: Watched, key: bytes, *, left_out: tuple[str, ...], fail_on: str
) -> dict[str, str]:
    """Whatever can't be read is a fact of its own.  Raises TooLarge."""
    environ = os.environ
    found = {
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
    }
    found |= dict(_profile(environ, key))
    found |= {f"variable {n}": blurred(key, v) for n, v in sorted(variables(environ, watched).items())}
    for name, value in fingerprint.settings_of(settings).items():
        found[f"setting {name}"] = value if without_secrets(value) == value else blurred(key, value)
    files = fingerprint.files_of(settings, watched)
    return found | {f"file {_printable(name)}": value for name, value in files.items()}


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


def _printable(name: str) -> str:
    """A file name as JSON can hold it; names that are no text stay apart from each other."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")
