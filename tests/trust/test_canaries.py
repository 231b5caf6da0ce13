"""Canaries through every door: what this machine's environment holds of secrets is in nothing that is written.

Doors: the quality command's lines, the app's text, settings, arguments, logs.  Looked at: every format, both streams,
state, temporary files, and the arguments and environments of the children.
"""

from __future__ import annotations

import base64
import json
import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from preflight.cli.running.outputs import FORMATS
from tests.trust.conftest import Ended, Forks
from tests.trust.table import Tally

SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIK7MDENGbPxRfiCYzz1x",
    "AWS_SESSION_TOKEN": "IQoJb3JpZ2luX2VjEJr2qWm5Zt7\n",
    "MY_API_KEY": "kz81qpWvTt62mmQxLp04vbXy",
    "DB_PASSWORD": 'p9"Zk\\w0rdTqqV81xmLw',
    "DEPLOY_PRIVATE_KEY": "-----BEGIN KEY-----\nMIIEvQIBADANBgkqh99kiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIBAQ7Lmnop\n"
    "-----END KEY-----\n",
    "GCP_CREDENTIALS_JSON": '{"private_key_id": "9f3c1ab27de84410bb", "client": "zt-51-runner-x9"}',
    "TS_AUTH_KEY": "tskey9QzkW81mVb27xPt",
    "GITHUB_PAT_TOKEN": "github_pat_11ABCDEFG0zzzzyyyyxxxxwwwwvvvv",
}
WINDOW = 10  # characters in a row that no text may hold


def forms(value: str) -> list[str]:
    """A value as programs print it; written apart from the tool's own list."""
    raw = value.encode()
    return [
        value,
        json.dumps({"x": value}),
        json.dumps(value, ensure_ascii=False),
        json.dumps({"x": json.dumps({"y": value})}),
        repr({"x": value}),
        f"ValueError: bad value {raw!r}",
        f"https://host/p?k={quote(value, safe='')}&z=1",
        f"export X={shlex.quote(value)}",
        f"https://user:{quote(value, safe='')}@host/x",
        f"authorization: Bearer {value.strip()}",
        value.lower(),
        value.upper(),
        raw.hex(),
        raw.hex().upper(),
        *(base64.b64encode(b"ab"[:n] + raw + b"tail"[:m]).decode() for n in range(3) for m in range(3)),
        base64.urlsafe_b64encode(raw).decode(),
        value[:7] + "\x1b[31m" + value[7:] + "\x1b[0m",
        value[:9] + "\u200b" + value[9:],
        value[:8] + "\n  " + value[8:],
        value[:8] + "\\\n" + value[8:],
        f"+ curl -H 'x-key: {value}' https://x",
        f'subprocess.CalledProcessError: Command \'["a", "--key={value}"]\' returned 1',
    ]


def plain(text: str) -> str:
    """Without what stands between the characters of a folded, coloured or escaped value."""
    text = re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text)
    text = re.sub(r"\x1b\[[0-9;]*m|\\x1b\[[0-9;]*m|[\u200b\u2060]|\\x0[ad]|\\n|\\r", "", text)
    return re.sub(r"[\s\\]+", "", text)


def pieces(value: str) -> set[str]:
    """What of it must not be found: in letters of any case, and in codes."""
    found: set[str] = set()
    for line in value.split("\n"):
        raw = line.encode()
        codes = [line, raw.hex(), quote(line, safe="")]
        for shift in range(3):
            coded = base64.b64encode(b"\0" * shift + raw).decode()
            codes.append(coded[4 : -4 or None])
        for code in codes:
            bare = plain(code)
            found |= {bare[n : n + 2 * WINDOW].lower() for n in range(0, len(bare) - 2 * WINDOW + 1, 3)}
            found |= {bare.lower()} if WINDOW <= len(bare) < 2 * WINDOW else set()
    return {p for p in found if "begin" not in p and "endkey" not in p and "private_key_id" not in p}


PIECES = {name: pieces(value) for name, value in SECRETS.items()}


def leaked(text: str) -> list[str]:
    bare = plain(text).lower()
    return [f"{name}: {piece}" for name, known in PIECES.items() for piece in known if piece in bare]


def texts_of(document: str) -> str:
    """Every string of a JSON document, as it is once it is read."""
    found: list[str] = []
    pending: list[Any] = [json.loads(document)]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            pending += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            pending += value
    return "\n".join(found)


SOURCES = ("app.py", "pyproject.toml", "out.txt", "log.txt")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose every text holds the canaries."""
    for name in ("tmp", "project"):
        (tmp_path / name).mkdir()
    folder = tmp_path / "project"
    lines = [f"error: {form} (exit 1)" for value in SECRETS.values() for form in forms(value)]
    (folder / "out.txt").write_text("\n".join(lines), encoding="utf-8")
    tail = "Traceback (most recent call last):\n  File 'x', line 1\nRuntimeError: CUDA error: no kernel image\n"
    (folder / "log.txt").write_text("\n".join([*lines, tail]), encoding="utf-8")
    key, other, multi = (ascii(SECRETS[n]) for n in ("MY_API_KEY", "AWS_SECRET_ACCESS_KEY", "DEPLOY_PRIVATE_KEY"))
    (folder / "app.py").write_text(
        f"import modal\n# {SECRETS['MY_API_KEY']}\napp = modal.App('x')\n"
        f"image = modal.Image.debian_slim().pip_install('torch', index_url='https://u:' + {key} + '@host/x')"
        f".env({{'A': {other}, {key}: 'b', 'C': {multi}}}).run_commands('curl -H x:' + {key} + ' https://h | sh')\n"
        f"s = modal.Secret.from_dict({{'K': {other}}})\n"
        f"@app.function(image=image, timeout=108000, secrets=[s, modal.Secret.from_name({key})],"
        f" volumes={{'/v': modal.Volume.from_name({other})}}, name={key})\n"
        f"def train(a={multi}): ...\n",
        encoding="utf-8",
    )
    (folder / "pyproject.toml").write_text(
        f'[tool.preflight.lint]\ncommand = "cat out.txt; : {SECRETS["MY_API_KEY"]}; exit 1"\n'
        f'[tool.preflight.s3]\nbucket = "{SECRETS["AWS_SECRET_ACCESS_KEY"]}"\n',
        encoding="utf-8",
    )
    return folder


def went(forks: Forks, project: Path, *words: str) -> Ended:
    nobody = {"MODAL_SERVER_URL": "http://127.0.0.1:9", "MODAL_TOKEN_ID": "ak-1", "MODAL_CONFIG_PATH": "none"}
    top = project.parent
    here = {"HOME": str(top / "home"), "XDG_STATE_HOME": str(top / "state"), "TMPDIR": str(top / "tmp")}
    return forks(project, *words, limit_s=60.0, audit=str(project.parent / "audit.txt"), **SECRETS, **nobody, **here)


def written(project: Path) -> dict[str, str]:
    """What the command has left, but what it was given; documents as they read."""
    found = {}
    for path in sorted(project.parent.rglob("*")):
        name = path.relative_to(project.parent).as_posix()
        if path.is_file() and path.name not in SOURCES and not name.endswith(".pyc"):
            text = path.read_text("utf-8", "replace")
            found[name] = text + texts_of(text) if name.endswith((".json", ".sarif", ".gitlab")) else text
    return found


DOCUMENTS = tuple(w for form in FORMATS for w in ("-o", f"{form}=r.{form}.{'json' if form == 'gitlab' else form}"))
COMMANDS = (
    ("run", "app.py", "--stage", "static", "-v", *DOCUMENTS),
    ("run", "app.py", "--stage", "static", "--record", "-v", *DOCUMENTS),
    ("run", "app.py", "--stage", "remote", "--timeout", "10", *DOCUMENTS),
    ("run", "app.py", "--stage", "static", "-v"),
    ("lint", "app.py", "-v", *DOCUMENTS),
    ("lint", "app.py", "--diff"),
    ("lint", "app.py", "--diff", "--fix", "--unsafe-fixes"),
    ("list", "--discovered", "app.py"),
    ("list", "--discovered", "app.py", "--json"),
    ("estimate", "app.py", "--json"),
    ("diagnose", "log.txt"),
    ("diagnose", "log.txt", "--json"),
    ("diagnose", "log.txt", "--markdown"),
    ("diagnose", "log.txt", "app.py"),
    ("gate", "--stage", "static", "app.py", "--", "true", SECRETS["MY_API_KEY"]),
    ("gate", "--offline", "app.py", "--", "true", SECRETS["MY_API_KEY"]),
    ("init", "app.py"),
    ("bug-report",),
    ("run", SECRETS["MY_API_KEY"]),
    ("run", "app.py", "-e", SECRETS["AWS_SECRET_ACCESS_KEY"], "--stage", "static", *DOCUMENTS),
    ("run", "app.py", "--only", SECRETS["MY_API_KEY"]),
    ("run", "app.py", "--stage", SECRETS["MY_API_KEY"]),
    ("run", "app.py", "-o", SECRETS["MY_API_KEY"]),
    ("run", "app.py", "--baseline", SECRETS["MY_API_KEY"]),
    ("check", SECRETS["MY_API_KEY"], "app.py"),
    ("explain", SECRETS["MY_API_KEY"]),
    ("link", SECRETS["MY_API_KEY"]),
    ("link", "app.py", "--torch", SECRETS["MY_API_KEY"]),
    ("diagnose", SECRETS["MY_API_KEY"]),
    ("estimate", f"app.py::{SECRETS['MY_API_KEY']}"),
    ("probe", f"app.py::{SECRETS['MY_API_KEY']}"),
    ("facts", "--stale", SECRETS["MY_API_KEY"]),
    (SECRETS["MY_API_KEY"],),
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda w: " ".join(w)[:50])
def test_no_canary_comes_out_of_any_command(forks: Forks, project: Path, tally: Tally, words: tuple[str, ...]) -> None:
    ended = went(forks, project, *words)
    assert ended.code in (0, 1, 2, 3, 5, 127), ended.err[-2000:]
    assert "Traceback" not in ended.err
    places = {"stdout": ended.out, "stderr": ended.err, **written(project)}
    children = places.pop("audit.txt", "")
    for name, text in places.items():
        found = leaked(text)
        if "--diff" in words and name in ("stdout", "app.py"):
            found = [f for f in found if "DEPLOY" not in f]  # its own lines, escaped by the app's author
        tally.add(bool(found))
        assert not found, (name, found[:3])
    if "--record" in words:  # the app's own top level gets no credentials
        assert "recording_child" in children
    for line in children.splitlines():
        child = json.loads(line)
        is_ours = words[0] == "gate" or "cat out.txt" in str(child["argv"])  # the user's own command, as it was given
        found = [] if is_ours else leaked(" ".join(child["argv"]))
        if "recording" in str(child["argv"]):
            found += leaked("\n".join(child["env"]))
        tally.add(bool(found))
        assert not found, (child["argv"], found[:3])


def test_state_and_temporary_files_are_their_owners_alone(forks: Forks, project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.preflight.lint]\ncommand = "true"\n', encoding="utf-8")
    (project / "app.py").write_text("import modal\napp = modal.App('x')\n", encoding="utf-8")
    assert went(forks, project, "gate", "--stage", "static", "app.py", "--", "true").code == 0
    found = [p for p in (project.parent / "state").rglob("*") if p.is_file()]
    assert found and not [p for p in found if p.stat().st_mode & 0o077]
    assert not list((project.parent / "tmp").iterdir())


def test_an_internal_error_is_reported_without_a_canary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from preflight.cli import main

    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    main._internal_error(RuntimeError(" ".join(f for v in SECRETS.values() for f in forms(v))))
    (file,) = tmp_path.iterdir()
    assert "RuntimeError" in file.read_text("utf-8") and file.stat().st_mode & 0o077 == 0
    assert not leaked(file.read_text("utf-8") + capsys.readouterr().err)


@pytest.mark.parametrize("name", SECRETS)
def test_the_canaries_are_seen_where_they_are(name: str) -> None:
    """What looks for them finds each of the forms, so that 0 means 0."""
    for form in forms(SECRETS[name]):
        assert any(found.startswith(name) for found in leaked(f"before {form} after")), form


def test_nothing_else_is_taken_for_a_secret(forks: Forks, project: Path) -> None:
    (project / "app.py").write_text("import modal\napp = modal.App('x')\n" + "X = 1\n", encoding="utf-8")
    (project / "pyproject.toml").write_text(
        '[tool.preflight.lint]\ncommand = "echo commit 3b18e512dba79e4c8300dd08aeb37f8e728b8dad; exit 1"\n', "utf-8"
    )
    ended = went(forks, project, "run", "app.py", "--stage", "static", "-v")
    assert "3b18e512dba79e4c8300dd08aeb37f8e728b8dad" in ended.out
    assert "[redacted]" not in ended.out + ended.err
