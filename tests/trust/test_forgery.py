"""Names and texts of somebody else's in every field of a report, in every format, and on stderr: no row is forged."""

from __future__ import annotations

import json
import random
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from preflight.changes import Change, Changed
from preflight.cli.running.audience import Shown, audience
from preflight.cli.running.outputs import FORMATS, Output
from preflight.events import Progress
from preflight.model import (
    Answer,
    Check,
    Edit,
    Finding,
    Fix,
    Report,
    Result,
    Severity,
    Stage,
    Status,
    Target,
    Where,
)
from tests.trust.conftest import Typed
from tests.trust.hostile import MARK, OBEYING, forged_lines, text
from tests.trust.table import Tally

INPUTS, IN_A_REPORT, SEED = 1_000, 20, 20261128
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ANNOTATION = re.compile(r"::(error|warning|notice) file=[^,:]*(,(line|endLine|col)=\d+)*,title=[^,:]*::.*")
URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")


async def _unused(looked: object) -> Any:
    raise AssertionError


def checks(name: str) -> tuple[Check, ...]:
    """One of ours and one of a plugin, whose title is anybody's."""
    own = Check(id="TST001", name="own", title="it holds", stage=Stage.STATIC, run=_unused, has_own_line=True)
    plugin = Check(id="TST002", name="plugins", title=name, stage=Stage.STATIC, run=_unused, origin=name, step=9)
    more = [Check(id=f"TST01{n}", name=f"more-{n}", title="x", stage=Stage.REMOTE, run=_unused) for n in range(4)]
    return (own, plugin, *more)


def report(given: list[str], asked: tuple[Check, ...]) -> Report:
    """Each of the texts in a place of its own; ``None`` of them is asked for twice."""
    take: Iterator[str] = iter(given)

    def finding(severity: Severity, *, lines: int = 1) -> Finding:
        edit = Edit(path=next(take) or "x", start=0, end=1, text=next(take))
        return Finding(
            severity=severity,
            message=next(take) or "x",
            remedy=next(take),
            why=next(take),
            where=Where(next(take) or "x", 3, 1),
            evidence=tuple(next(take) for _ in range(lines)),
            fix=Fix(edits=(edit,), is_safe=True),
        )

    own, plugin, *more = asked
    seen = {next(take) or "x": next(take), "list": [next(take)]}
    bad = Answer(summary=next(take) or "x", seen=seen, findings=(finding(Severity.ERROR),))
    rest = Answer(summary="x")
    results = (
        Result(check=own, status=Status.FAIL, seconds=1, reason=bad.summary, answer=bad),
        Result(check=plugin, status=Status.ERROR, seconds=1, reason=next(take) or "x"),
        Result(check=more[0], status=Status.SKIP, seconds=0, reason=next(take) or "x"),
        Result(check=more[1], status=Status.BLOCKED, seconds=0, reason=next(take) or "x", blocked_by="TST001"),
        Result(check=more[2], status=Status.PASS, seconds=0, reason="x", answer=rest),
        Result(check=more[3], status=Status.ERROR, seconds=0, reason="x"),
    )
    target = Target(app=next(take), environment=next(take), workspace=next(take))
    changes = (Change(group="files", name=next(take), before="a", after="b"),)
    return Report(
        target=target, started=NOON, seconds=1.0, results=results, changed=Changed(since=NOON, changes=changes)
    )


def printed(whole: Report, asked: tuple[Check, ...], progress: str, folder: Path) -> dict[str, str]:
    """Every format's document, by the way that a run takes: redacted, with paths, into files."""
    outputs = [Output(form, str(folder / f"r.{form}")) for form in FORMATS]
    heard = audience(Shown(outputs=tuple(outputs), is_verbose=True), base=folder)
    heard.begin(whole.target, asked)
    heard.observe(Progress("own", progress))
    for result in whole.results:
        heard.observe(result)
    heard.finish(whole)
    return {o.format: Path(o.path).read_bytes().decode("utf-8") for o in outputs}


def shape(value: Any) -> Any:
    """Keys and lengths, without the texts and without what a check has seen, whose keys are the check's own."""
    if isinstance(value, dict):
        return {k: shape(v) for k, v in value.items() if k not in ("seen", "properties", "fingerprint", "content")}
    if isinstance(value, list):
        return [shape(v) for v in value]
    return type(value).__name__


def outside_of_code(markdown: str) -> list[str]:
    """The lines outside fenced blocks."""
    lines, fence = [], ""
    for line in markdown.split("\n"):
        ticks = re.match(r"`{3,}", line)
        if fence:
            fence = "" if line == fence else fence
        elif ticks:
            fence = ticks[0]
        else:
            lines.append(line)
    assert not fence
    return lines


def live_markup(line: str) -> list[str]:
    """What GitHub would render: outside code spans, not escaped, with our mark beside it."""
    bare = re.sub(r"(?<!\\)(`+)(?!`).*?(?<!`)\1(?!`)", "", line)
    bare = re.sub(r"\\[!-/:-@\[-`{-~]", "", bare)
    found = re.findall(rf"<[a-z/!][^>]*|\]\(|\*\*{MARK}|~~{MARK}|@{MARK}|&lt;{MARK}|\${MARK}", bare)
    return [f for f in found if not f.startswith(("<details", "</details", "<summary", "</summary", "<!-- preflight"))]


def screen(form: str, document: str) -> str:
    """What of a document a person or a runner reads line by line; the annotations that are ours are left out."""
    if form == "markdown":
        return "\n".join(outside_of_code(document))
    return "\n".join(x for x in document.splitlines() if form != "github" or not ANNOTATION.fullmatch(x))


def faults(form: str, hostile: str, plain: str) -> list[str]:
    """How the document of hostile texts differs in its structure from that of plain ones."""
    found = [f"obeyed: {m[0]!r}" for m in OBEYING.finditer(hostile)]
    if form in ("console", "github", "markdown"):
        found += [f"a line: {line!r}" for line in forged_lines(screen(form, hostile))]
    if form == "github":
        found += ["other lines"] if len(hostile.splitlines()) != len(plain.splitlines()) else []
    elif form == "markdown":
        lines, wanted = outside_of_code(hostile), outside_of_code(plain)
        found += ["other lines"] if len(lines) != len(wanted) else []
        found += [f"rendered: {m}" for line in lines for m in live_markup(line)]
    elif form == "junit":
        trees = [[(e.tag, sorted(e.attrib)) for e in ET.fromstring(x).iter()] for x in (hostile, plain)]
        found += ["other elements"] if trees[0] != trees[1] else []
    elif form != "console":
        found += ["another shape"] if shape(json.loads(hostile)) != shape(json.loads(plain)) else []
    if form == "sarif":
        uris = re.findall(r'"uri": ?"([^"]*)"', hostile)
        found += [f"no URI: {u}" for u in uris if not URI.fullmatch(u)]
    return found


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def test_a_thousand_hostile_texts_forge_no_row_of_any_format(here: Path, tally: Tally) -> None:
    rng, bad = random.Random(SEED), []
    plain = printed(report(["a"] * 30, checks("a")), checks("a"), "a", here)
    texts = [text(rng, n) for n in range(INPUTS)]
    rng.shuffle(texts)
    for start in range(0, INPUTS, IN_A_REPORT):
        given = texts[start : start + IN_A_REPORT]
        asked = checks(given[0])
        documents = printed(report([*given, *given[:10]], asked), asked, given[1], here)
        for form, document in documents.items():
            found = faults(form, document, plain[form])
            bad += [f"{form} {start}: {f}" for f in found]
            for number in range(len(given)):
                tally.add(is_bad=bool(found) and number == 0)
    assert not bad


# --- stderr: usage errors repeat what they were given ---------------------------------------------------------------

WRONG = (
    ["run", "{}"],
    ["run", "-e", "{}", "nothing"],
    ["run", "--only", "{}"],
    ["run", "--stage", "{}"],
    ["run", "-o", "{}"],
    ["run", "-o", "json={}/x"],
    ["run", "--spend-max", "{}"],
    ["run", "--sandbox", "--scenario", "{}"],
    ["run", "--baseline", "{}"],
    ["run", "-C", "{}"],
    ["check", "{}"],
    ["lint", "{}"],
    ["lint", "--builder", "{}", "app.py"],
    ["explain", "{}"],
    ["link", "{}"],
    ["link", "--torch", "{}", "app.py"],
    ["diagnose", "{}"],
    ["estimate", "{}"],
    ["estimate", "app.py::{}"],
    ["probe", "{}", "--local"],
    ["facts", "--stale", "{}"],
    ["gate", "{}", "--", "true"],
    ["gate", "--offline", "app.py", "--", "{}"],
    ["gate", "--", "modal", "run", "{}"],
    ["init", "--recipe", "--torch", "{}"],
    ["lock", "{}"],
    ["radar", "{}"],
    ["apps", "--older-than", "{}"],
    ["sandbox", "--scenario", "{}"],
    ["{}"],
    ["run", "--{}"],
)
SETTINGS = (
    'app = "{}"',
    'environment = "{}"\nskip = ["{}"]',
    'stage = "{}"',
    '"{}" = 1',
    'python = "{}"',
    '[tool.preflight.s3]\nregion = 3\nbucket = "{}"',
    '[tool.preflight.stale-apps]\nolder-than = "{}"',
    '[tool.preflight.budget]\nhours = "{}"',
    '[tool.preflight."{}"]\nx = 1',
)
APP = 'import modal\napp = modal.App("x")\n\n\n@app.function(timeout=108000)\ndef train(): ...\n'


def test_a_usage_error_is_one_line_whatever_it_repeats(typed: Typed, tmp_path: Path, tally: Tally) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    rng, bad = random.Random(SEED), []
    for number in range(3 * len(WRONG)):
        given = text(rng, rng.randrange(200)).replace("\0", "")  # no argument holds a NUL
        given = re.sub("[\ud800-\udc7f\udd00-\udfff]", "", given)  # nor another surrogate than a byte's
        words = [w.replace("{}", given) for w in WRONG[number % len(WRONG)]]
        code, out, err = typed(tmp_path, *words)
        found = forged_lines(out + err) or code not in (2, 3, 5, 127, 1) or "Traceback" in err
        tally.add(bool(found))
        bad += [(words, code, found)] if found else []
    assert not bad


def test_settings_of_any_text_are_one_line(typed: Typed, tmp_path: Path, tally: Tally) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    rng, bad = random.Random(SEED), []
    for number in range(4 * len(SETTINGS)):
        given = re.sub("[\ud800-\udfff]", "", text(rng, rng.randrange(200)))
        escaped = "".join(c if c.isalnum() or c in " -:" else f"\\U{ord(c):08x}" for c in given)
        line = SETTINGS[number % len(SETTINGS)].replace("{}", escaped)
        (tmp_path / "pyproject.toml").write_text(f"[tool.preflight]\n{line}\n", encoding="utf-8")
        code, out, err = typed(tmp_path, "run", "--stage", "static", "--only", "app-syntax")
        found = forged_lines(out + err) or code not in (0, 1, 2, 3) or "Traceback" in err
        tally.add(bool(found))
        bad += [(line, code, found, err[-500:])] if found else []
    assert not bad


# --- from the app's text and its command's lines to every format ----------------------------------------------------


@pytest.mark.parametrize("number", range(8))
def test_names_in_an_app_and_lines_of_its_command_forge_nothing(
    typed: Typed, tmp_path: Path, tally: Tally, number: int
) -> None:
    rng = random.Random(SEED + number)
    texts = [text(rng, rng.randrange(200)) for _ in range(6)]
    quoted = [ascii(t) for t in texts]
    name = re.sub("[\0/\ud800-\udfff]", "", texts[5])[:80] + ".py"
    (tmp_path / name).write_text(
        f"import modal\napp = modal.App({quoted[0]})\nimage = modal.Image.from_registry({quoted[1]})"
        f".pip_install({quoted[2]}).run_commands({quoted[2]}).env({{{quoted[1]}: {quoted[2]}}})\n"
        f"@app.function(image=image, gpu={quoted[3]}, timeout=108000, name={quoted[0]},"
        f" secrets=[modal.Secret.from_name({quoted[4]})],"
        f" volumes={{{quoted[4]}: modal.Volume.from_name({quoted[1]})}})\n"
        "def train(): ...\n",
        encoding="utf-8",
    )
    (tmp_path / "log.txt").write_text("\n".join(t.encode("utf-8", "replace").decode() for t in texts), encoding="utf-8")
    settings = '[tool.preflight.lint]\ncommand = "cat log.txt; exit 1"\n'
    (tmp_path / "pyproject.toml").write_text(settings, encoding="utf-8")
    outputs = [f"{form}={tmp_path / f'r.{form}'}" for form in FORMATS]
    words = ["run", f"./{name}", "--stage", "static", "-v", *(w for o in outputs for w in ("-o", o))]
    code, _, err = typed(tmp_path, *words)
    assert code in (1, 3), err
    for form in FORMATS:
        document = (tmp_path / f"r.{form}").read_bytes().decode("utf-8")
        found = [m[0] for m in OBEYING.finditer(document)]
        if form in ("console", "github", "markdown"):
            found += forged_lines(screen(form, document))
            found += [m for x in outside_of_code(document) for m in live_markup(x)] if form == "markdown" else []
        elif form == "junit":
            ET.fromstring(document)
        else:
            json.loads(document)
        tally.add(bool(found))
        assert not found, form
    assert not forged_lines(err)
