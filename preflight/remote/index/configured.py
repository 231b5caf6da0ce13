"""The package indexes that this machine's pip is told to ask, in its order; its own default where it is told none."""

from __future__ import annotations

import ensurepip
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

LIMIT_S = 30.0  # 0.5 s alone, 4 s seen on a machine under load; asked once
SETTING = re.compile(r"^(:env:|install|global)\.((?:extra-)?index-url)='([^']*)'$", re.MULTILINE)
DEFAULT = re.compile(r"\(default\s+(https?://[^\s)]+)\)")
LEVELS = ("global", "install", ":env:")  # the last one wins
UV = ("UV_DEFAULT_INDEX", "UV_INDEX_URL")


class NoIndex(Exception):
    """There is no pip to ask which index it takes, and the environment names none."""


def pip_indexes(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Addresses of simple indexes, http, https or file.  Raises NoIndex."""
    named = next((environ[name] for name in ("PIP_INDEX_URL", *UV) if environ.get(name)), None)
    extra = environ.get("PIP_EXTRA_INDEX_URL")  # set and empty, it is pip's last word too
    if named is None or extra is None:  # pip takes half a second to say
        found = _settings(environ)
        named, extra = named or found.get("index-url"), extra or found.get("extra-index-url", "")
    default = named.split() if named else DEFAULT.findall(_pip("install", "--help", environ=environ))
    urls = tuple(dict.fromkeys(u.rstrip("/") for u in (*default, *extra.split()) if u.startswith(("http", "file://"))))
    if not urls:
        raise NoIndex("no package index is known: there is no pip to ask; PIP_INDEX_URL names one")
    return urls


def index_of_pip(environ: Mapping[str, str]) -> str | None:
    """The one that pip is told to take; None where it is told nothing, or there is no pip."""
    url = (environ.get("PIP_INDEX_URL") or _settings(environ).get("index-url", "")).strip()
    return url if url.startswith(("http://", "https://")) else None


def _settings(environ: Mapping[str, str]) -> dict[str, str]:
    """``index-url`` and ``extra-index-url``, each of the level that pip puts first."""
    listed = SETTING.findall(_pip("config", "list", environ=environ))  # `get` does not see PIP_CONFIG_FILE's
    return {key: value for level in LEVELS for at, key, value in listed if at == level}


def _pip(*words: str, environ: Mapping[str, str]) -> str:
    """What pip prints: our interpreter's, else the one that this Python brings for new environments."""
    bundled = sorted((Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl"))
    for path in ("", *map(str, bundled)):
        try:
            done = subprocess.run(
                (sys.executable, "-m", "pip", *words),
                env={**environ, "COLUMNS": "500", **({"PYTHONPATH": path} if path else {})},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=LIMIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return done.stdout.decode("utf-8", "replace")
    return ""
