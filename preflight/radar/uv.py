"""The same answer from uv, where it is installed: faster, and for what comes as a wheel alone."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from packaging.version import Version

LIMIT_S = 60.0
PLATFORM = "x86_64-manylinux_2_40"
LINE = re.compile(r"([A-Za-z0-9._-]+)==(\S+)(?:\s+# via (\S+?),?(?:\s|$))?")


def compiled(
    uv: str,
    urls: Sequence[str],
    wanted: Sequence[str],
    installed: Mapping[str, Version],
    *,
    python: str,
    day: date | None,
    has_prereleases: bool,
) -> dict[str, tuple[Version, str]] | None:
    """Name → release, and who asked for it.  None where uv finds none, or would have to build something."""
    with tempfile.TemporaryDirectory(prefix="preflight-") as folder:
        asked, found = Path(folder) / "asked.in", Path(folder) / "found.txt"
        asked.write_text("\n".join(wanted), "utf-8")
        found.write_text("".join(f"{name}=={version}\n" for name, version in installed.items()), "utf-8")
        command = [
            *(uv, "pip", "compile", str(asked), "--output-file", str(found), "--quiet", "--no-config", "--no-header"),
            *("--no-build", "--annotation-style", "line", "--index-strategy", "unsafe-best-match"),
            *("--python-version", python, "--python-platform", PLATFORM, "--index-url", urls[0]),
            *(word for url in urls[1:] for word in ("--extra-index-url", url)),
            *(("--exclude-newer", f"{day}T23:59:59Z") if day else ()),
            *(("--prerelease", "allow") if has_prereleases else ()),
        ]
        try:
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S, check=False, cwd=folder
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        if done.returncode != 0:
            return None
        lines = [LINE.match(line) for line in found.read_text("utf-8").splitlines()]
    return {m[1].lower(): (Version(m[2]), "" if (m[3] or "-r") == "-r" else m[3]) for m in lines if m}
