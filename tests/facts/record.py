"""Records what the generators read from the package index, reduced to what they look at.

Run: python -m tests.facts.record      (with the package index of this machine's pip; about five minutes)
A page keeps the files that a generator may take.  Of a library the strings that are looked for are kept, of
cpp_extension.py the lines that name a standard, of an sdist setup.py, pyproject.toml, PKG-INFO and the names of the
sources that setup.py names.
"""

from __future__ import annotations

import json
import lzma
import os
import re
import sys
import tempfile
from pathlib import Path

from preflight.facts.refresh import releases, torch
from preflight.facts.refresh.source import IndexFile, by_version
from preflight.facts.wheels import OLDEST, TABLE_OF
from preflight.remote.index.configured import pip_indexes
from preflight.remote.index.packages import PackageIndex

FILE = Path(__file__).parent.parent / "data" / "facts" / "index.json.xz"
WHOLE = ("mamba-ssm", "causal-conv1d", "flash-attn")  # of the others the newest releases
NEWEST = 2
LOOKED_FOR = (torch.ARCHS, torch.GLIBC, re.compile(re.escape(torch.NEW_STRING)), re.compile(rb"numpy\._core"))


def record(index: PackageIndex) -> dict[str, object]:
    pages: dict[str, list[dict[str, object]]] = {}
    members: dict[str, dict[str, str]] = {}

    def page(name: str, files: list[IndexFile]) -> None:
        pages[name] = [
            {
                "filename": f.filename,
                "requires-python": f.requires_python,
                "upload-time": f"{f.uploaded}T00:00:00Z" if f.uploaded else None,
            }
            for f in files
        ]

    of_torch = [
        f
        for f in index.files("torch")
        if f.is_linux_wheel and f.version and f.version >= releases.Version(torch.OLDEST)
    ]
    page("torch", of_torch)
    for patches in torch._minors(index).values():
        wheels = [torch._wheel(files) for files in patches.values()]
        for wheel in wheels:
            members[wheel.filename] = {"torch-0.dist-info/METADATA": index.metadata(wheel)}
        for name, data in index.members(wheels[-1], torch.MEMBERS).items():
            members[wheels[-1].filename][name] = reduced(name, data)
    for name in ("torchvision", "torchaudio"):
        files = [f for f in index.files(name) if f.is_linux_wheel and f.version]
        chosen = [torch._wheel(fs) for v, fs in by_version(files).items() if not v.is_prerelease]
        page(name, chosen)
        members |= {f.filename: {f"{name}-0.dist-info/METADATA": index.metadata(f)} for f in chosen}
    for name in TABLE_OF:
        of = {v: fs for v, fs in by_version(index.files(name)).items() if not v.is_prerelease}
        wanted = [v for v in of if str(v) >= "" and v >= releases.Version(OLDEST.get(name, "0"))]
        wanted = wanted if name in WHOLE else wanted[-NEWEST:]
        chosen = [f for v in wanted for f in of[v] if f.filename.endswith((".tar.gz", ".zip")) or f.is_linux_wheel]
        page(name, chosen)
        for file in chosen:
            members[file.filename] = dict(of_release(index, name, file))
    return {"pages": pages, "members": members}


def of_release(index: PackageIndex, name: str, file: IndexFile) -> dict[str, str]:
    if file.filename.endswith(".whl"):
        return {f"{name}-0.dist-info/METADATA": index.metadata(file)}
    held = {path: data.decode("utf-8", "replace") for path, data in index.members(file, releases.FILES).items()}
    setup = next((text for path, text in held.items() if path.endswith("/setup.py")), "")
    named = releases._sources(releases._parsed(setup))
    there = index.members(file, releases.SOURCES) if named else {}
    return held | {path: "" for path in there if path.partition("/")[2] in named}


def reduced(name: str, data: bytes) -> str:
    if name.endswith(".so"):
        return "\0".join(m[0].decode() for looked in LOOKED_FOR for m in looked.finditer(data)) + "\0"
    if name.endswith("cpp_extension.py"):
        return "\n".join(line for line in data.decode().splitlines() if "-std=" in line)
    if name.endswith("all.h"):
        return "\n".join(line for line in data.decode().splitlines() if "#error" in line)
    return data.decode()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(os.environ.get("KEPT_FOLDER", folder))
        with PackageIndex(pip_indexes(os.environ)[:1], kept) as index:
            text = json.dumps(record(index), indent=0, sort_keys=True)
    FILE.write_bytes(lzma.compress(text.encode(), preset=9))
    sys.stdout.write(f"{FILE.name}: {FILE.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
