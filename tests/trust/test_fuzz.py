"""Everything that reads what others wrote, on what others might write: nothing uncaught, nothing slow, nothing large.

In CI 1,000 changes of each; `python -m pytest -m long tests/trust/test_fuzz.py -n 30` takes 100,000 of each, in pieces
of 1,000 that any number of processes may share.  `TRUST_FUZZ="elf 17"` with `-k again` repeats one piece.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import signal
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from preflight import settings
from preflight.app import pip_args, reader, shell
from preflight.binary import elf, fatbin
from preflight.binary.link import Target as LinkTarget
from preflight.binary.link import link
from preflight.cli.running.conduct import all_checks
from preflight.cost.epoch_lines import durations_of
from preflight.diagnosis import diagnose
from preflight.engine.files import static_rules
from preflight.facts import load as facts
from preflight.facts.types import TABLES, Table
from preflight.model import Stage, Where
from preflight.probe.reading import parsed
from preflight.report import baseline
from preflight.report.places import Places
from preflight.rules.form import Context
from preflight.state import follow, machine_key
from preflight.state.ledger import Ledger
from preflight.state.receipt import Entry, Receipt, Receipts, Refused
from preflight.state.sources import Watched
from tests.trust.mutations import of_bytes, of_document, of_json, of_lines
from tests.trust.table import Tally

A_PIECE, PIECES = 1_000, 100
MOST_S, MOST_MB, LONGEST_S = 2.0, 300.0, 30
DATA = Path(__file__).parents[1] / "data"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
Trial = Callable[[random.Random, Path], object]


@cache
def seeds(pattern: str, most_bytes: int) -> tuple[bytes, ...]:
    """The small files of tests/data."""
    found = [p for p in sorted(DATA.glob(pattern)) if p.is_file() and 0 < p.stat().st_size <= most_bytes]
    assert found, pattern
    return tuple(p.read_bytes() for p in found)


SETTINGS = b"""\
[tool.preflight]
app = "app.py"
environment = "main"
skip = ["gpu-probe", "MOD004"]
only-x = 1
accept-unknown = ["torch-abi"]
builder = "2025.06"
volumes = ["results"]
outputs = ["reports/"]
[tool.preflight.image-builder]
minimum = "2025.06"
[tool.preflight.s3]
secret = "aws"
keys = ["AWS_ACCESS_KEY_ID"]
bucket = "b"
sample = 100
inside = true
[tool.preflight.budget]
usd = 100
hours = 25.5
epochs = 100
epoch-minutes = 14
function = "train"
[tool.preflight.lint]
command = "ruff check ."
timeout = 60
[tool.preflight.smoke]
command = "make smoke"
minutes = 15
epoch-pattern = 'epoch (\\d+) took (\\d+) s'
[tool.preflight.probe]
gpus = ["A100-80GB"]
model = "pkg:Model"
model-args = '{"d": 1}'
[tool.preflight.stale-apps]
older-than = "24h"
ignore = ["x*"]
"""
SHELL = (
    b"pip install torch==2.5.1 --index-url https://x/y && python -c 'import torch' || exit 1",
    b"set -e; cd /root/x && CUDA_HOME=/usr MAX_JOBS=4 uv pip install -r requirements.txt 'mamba-ssm[a]>=2.2' | tee log",
    b"for i in 1 2; do apt-get install -y $i \\\n git; done; if [ -f x ]; then . ./env.sh; fi; case $X in a) b;; esac",
    b"cat <<'EOF' > x.sh\necho $HOME\nEOF\nbash -lc \"sh x.sh $(pwd) `ls` ${A:-b} $((1+2))\" 2>&1 >/dev/null &",
    b"git clone --depth 1 https://github.com/a/b && pip3 install --no-build-isolation -e ./b -v && rm -rf b",
)
APPS = (
    b"""import os, modal
app = modal.App("x")
image = (modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .apt_install("git").pip_install("torch==2.5.1", index_url="https://x/cu124").run_commands("pip install a && b")
    .env({"A": os.environ.get("A", "1")}).add_local_dir("src", "/root/src"))
vol = modal.Volume.from_name("v", create_if_missing=True)
N = [f"{i:>3}" for i in range(3)]
for i in range(2):
    image = image.pip_install("p%d" % i)
@app.function(image=image, gpu=["A100-80GB", "H100:2"], timeout=24 * 60 * 60, volumes={"/v": vol},
              secrets=[modal.Secret.from_name("aws", required_keys=["K"])], retries=3, memory=(1, 2), cpu=8.0)
def train(epochs: int = 3) -> None:
    import torch
    for e in range(epochs):
        vol.commit()
@app.local_entrypoint()
def main(action: str = "train"):
    train.remote(1) if action == "train" else print(os.environ["B"])
""",
    b"""from pathlib import Path
from modal import App, Image, Cron, Period, CloudBucketMount, Secret, method, enter, parameter
import modal as m
HERE = Path(__file__).parent
base = Image.micromamba().micromamba_install("cudatoolkit", channels=["conda-forge"])
base = base.uv_pip_install("mamba-ssm", "causal-conv1d>=1.4", extra_options="--no-build-isolation", gpu="L4")
mount = CloudBucketMount("b", key_prefix="p/", secret=Secret.from_dict({"X": "y"}), read_only=True)
a = App("y", image=base, secrets=[Secret.from_dotenv()])
class Mixin: pass
@a.cls(gpu=m.gpu.A100(count=2, size="80GB"), volumes={"/b": mount}, schedule=Cron("0 * * * *"), scaledown_window=60)
class Trainer(Mixin):
    x: int = parameter(default=1)
    @enter()
    def load(self): self.w = (HERE / "w").read_bytes()
    @method()
    def run(self, *, n=1, **k): return {"a": [*range(n)], **k}
if __name__ == "__main__":
    with a.run(): Trainer().run.remote(n=2)
""",
)


def of_settings(rng: random.Random, folder: Path) -> object:
    (folder / "pyproject.toml").write_bytes(of_lines(rng, SETTINGS, (SETTINGS, APPS[0])))
    try:
        return settings.load(folder, environ={})
    except settings.SettingsError as e:
        return str(e)


def of_reader(rng: random.Random, folder: Path) -> object:
    (folder / "requirements.txt").write_bytes(
        of_lines(rng, b"torch==2.5.1\n-r other.txt\nmamba-ssm @ git+https://x\n", SHELL)
    )
    return reader.read(folder / "app.py", project=folder, content=of_lines(rng, rng.choice(APPS), APPS))


def of_rules(rng: random.Random, folder: Path) -> object:
    recipe = reader.read(folder / "app.py", project=folder, content=of_lines(rng, rng.choice(APPS), APPS))
    context = Context("2025.06", folder, NOW)
    return [rule(recipe, context) for rule in all_rules()]


@cache
def all_rules() -> tuple[Any, ...]:
    from preflight.rules.form import Rule

    found = static_rules(all_checks({Stage.STATIC}))
    return tuple(r for r in found if isinstance(r, Rule))


def of_shell(rng: random.Random, folder: Path) -> object:
    text = of_bytes(rng, rng.choice(SHELL), SHELL).decode(
        "utf-8", "surrogateescape" if rng.random() < 0.1 else "replace"
    )
    where = Where("app.py", 1, 1)
    found = shell.commands(text, lambda start, end: (where, None))
    return [(shell.program(c.words), pip_args.of_command(c.words, c.env, where=where, span=None)) for c in found]


def of_log(rng: random.Random, folder: Path) -> object:
    logs = seeds("logs/**/*.log", 20_000) if list(DATA.glob("logs/**/*.log")) else small_logs()
    text = of_lines(rng, rng.choice(logs), logs)
    durations_of(list(enumerate(text.decode("utf-8", "replace").split("\n"))))
    return diagnose(io.BytesIO(text), has_failed=rng.random() < 0.5)


@cache
def small_logs() -> tuple[bytes, ...]:
    rows = [json.loads(line) for p in DATA.glob("logs/*.jsonl") for line in p.read_text("utf-8").splitlines()]
    texts = [max((v for v in row.values() if isinstance(v, str)), key=len, default="") for row in rows]
    return tuple(t.encode() for t in texts if 200 < len(t) < 8_000)


def of_elf(rng: random.Random, folder: Path) -> object:
    data = of_bytes(rng, rng.choice(seeds("binaries/*.so", 30_000)))
    try:
        return elf.shared_library(data), list(elf.exported(data))
    except elf.Unreadable as e:
        return str(e)


def of_fatbin(rng: random.Random, folder: Path) -> object:
    seed = rng.choice(seeds("binaries/p*.so", 30_000))
    at = max(seed.find(bytes.fromhex("50ed55ba")), 0) + rng.randrange(400)
    data = seed[:at] + of_bytes(rng, seed[at : at + 64]) + seed[at + 64 :]
    try:
        return fatbin.archs(data, elf.shared_library(data))
    except (elf.Unreadable, fatbin.DamagedFatbin) as e:
        return str(e)


@cache
def wheel() -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/_c.cpython-311-x86_64-linux-gnu.so", seeds("binaries/no-exports.so", 30_000)[0])
        archive.writestr(
            "a-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: a\nVersion: 1.0\nRequires-Dist: torch\n"
        )
        archive.writestr("a-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: cp311-cp311-linux_x86_64\n")
    return whole.getvalue()


def of_wheel(rng: random.Random, folder: Path) -> object:
    file = folder / "a-1.0-cp311-cp311-linux_x86_64.whl"
    at = rng.choice((0, len(wheel()) - 400))  # where its lists are
    data = wheel()
    file.write_bytes(
        data[:at] + of_bytes(rng, data[at : at + 400]) + data[at + 400 :] if rng.random() < 0.7 else of_bytes(rng, data)
    )
    return link(file, LinkTarget())


REPORT = {
    "schema": "preflight.report/1",
    "target": {"app": "app.py"},
    "results": [
        {"id": "APP001", "name": "app-syntax", "status": "fail", "findings": [
            {"fingerprint": "ab", "severity": "error", "message": "x", "where": {"path": "a", "line": 1}}]},
        {"id": "APP002", "name": "app-x", "status": "pass", "findings": []},
    ],
}  # fmt: skip


def of_baseline(rng: random.Random, folder: Path) -> object:
    (folder / "b.json").write_bytes(of_json(rng, REPORT))
    try:
        return baseline.read(folder / "b.json", Places())
    except baseline.BaselineRefused as e:
        return str(e)


@cache
def readings() -> tuple[Any, ...]:
    return tuple(json.loads(text)["reading"] for text in seeds("probes/*.json", 40_000))


def of_reading(rng: random.Random, folder: Path) -> object:
    try:
        return parsed(of_document(rng, rng.choice(readings())))
    except facts.WrongRow as e:
        return str(e)


def of_state(rng: random.Random, folder: Path) -> object:
    """The ledger, and what was kept of the last pass."""
    ledger = Ledger(folder, folder / "p")
    row = {"at": NOW.isoformat(), "run": "r", "check": "GPU001", "event": "starts", "usd": "0.5"}
    ledger.file.parent.mkdir(parents=True, exist_ok=True)
    ledger.file.write_bytes(b"\n".join(of_json(rng, row) for _ in range(3)))
    ledger.total()
    follow.keep(folder, folder / "p", "app.py", follow.Worked(NOW, Stage.PAID, {"files": {"a": "b"}}))
    (file,) = folder.rglob("worked-*-paid.json")
    file.write_bytes(of_json(rng, json.loads(file.read_bytes())))
    return follow.kept(folder, folder / "p", "app.py")


def of_facts(rng: random.Random, folder: Path) -> object:
    """An overlay of the fact tables."""
    table = rng.choice(TABLES)
    text = shipped(table)
    rows = text.split(b"\n\n")
    start = rng.randrange(len(rows))
    content = of_lines(rng, b"\n\n".join([rows[0], *rows[start : start + 4]]), (text[:5000],))
    try:
        return facts.read(content.decode("utf-8", "replace"), table)
    except (facts.WrongRow, ValueError) as e:
        return str(e)


@cache
def shipped(table: Table) -> bytes:
    return (facts.FOLDER / table.file).read_bytes()


RECEIPT = Receipt(
    run="",
    at=NOW,
    entries=(Entry(id="APP001", name="app-syntax", stage=Stage.STATIC, status="pass", at=NOW),),
    local={"Python": "3.11", "file app.py": "ab 644"},
    cloud={"workspace": "w"},
    watched=Watched(paths=("/a",), variables=("X",)),
    outputs=("r.json",),
)


def of_receipt(rng: random.Random, folder: Path) -> object:
    """Of our own seal with another content, and of another seal."""
    receipts = Receipts(folder, folder / "p", "app.py")
    if not receipts.file.exists():
        receipts.keep(replace(RECEIPT, run=receipts.begin(NOW)), NOW)
    fine = receipts.file.read_bytes(), receipts.newest.read_bytes()
    key = machine_key.load(folder)
    file = rng.choice((receipts.file, receipts.newest))
    try:
        if rng.random() < 0.7:
            machine_key.write_sealed(file, key, of_document(rng, machine_key.read_sealed(file, key)))
        else:
            file.write_bytes(of_json(rng, json.loads(file.read_bytes())))
    except ValueError:  # what JSON can't hold can't be written either
        pass
    try:
        return receipts.read(NOW + timedelta(minutes=1))
    except Refused as e:
        return str(e)
    finally:
        receipts.file.write_bytes(fine[0])
        receipts.newest.write_bytes(fine[1])


TARGETS: dict[str, Trial] = {
    "settings": of_settings,
    "reader": of_reader,
    "shell reader": of_shell,
    "records of a log": of_log,
    "elf": of_elf,
    "fatbin": of_fatbin,
    "wheels": of_wheel,
    "baseline": of_baseline,
    "probe readings": of_reading,
    "ledger and last pass": of_state,
    "fact tables": of_facts,
    "receipts": of_receipt,
}
SLOW_TARGETS: dict[str, tuple[Trial, int]] = {"static rules": (of_rules, 10)}  # and how many are one trial's share


class TooLong(BaseException):
    """A trial that has not ended."""


@contextmanager
def bounded() -> Iterator[None]:
    def stop(number: int, frame: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def piece(name: str, trial: Trial, number: int, count: int, folder: Path, tally: Tally) -> None:
    tally.name, bad = name, []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with bounded():
        for each in range(number * count, (number + 1) * count):
            rng, began, why = random.Random(f"{name} {each}"), time.thread_time(), ""
            signal.alarm(LONGEST_S)
            try:
                trial(rng, folder)
            except (Exception, TooLong) as e:  # noqa: BLE001 - whatever is uncaught is what is looked for
                why = f"{type(e).__name__}: {e}"
            signal.alarm(0)
            seconds = time.thread_time() - began
            why = why or (f"{seconds:.1f} s" if seconds > MOST_S else "")
            tally.add(bool(why), seconds=seconds)
            bad += [f"{name} {each}: {why[:300]}"] if why else []
    tally.most_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert not bad
    assert tally.most_mb < MOST_MB


@pytest.mark.parametrize("name", TARGETS)
def test_a_thousand_changes(name: str, in_memory: Path, tally: Tally) -> None:
    piece(name, TARGETS[name], 0, A_PIECE, in_memory, tally)


@pytest.mark.parametrize("name", SLOW_TARGETS)
def test_fewer_changes_of_what_takes_longer(name: str, in_memory: Path, tally: Tally) -> None:
    trial, share = SLOW_TARGETS[name]
    piece(name, trial, 0, A_PIECE // share, in_memory, tally)


@pytest.mark.long
@pytest.mark.parametrize("number", range(1, PIECES))
@pytest.mark.parametrize("name", [*TARGETS, *SLOW_TARGETS])
def test_a_hundred_thousand_changes(name: str, number: int, in_memory: Path, tally: Tally) -> None:
    trial, share = SLOW_TARGETS.get(name) or (TARGETS[name], 1)
    piece(name, trial, number, A_PIECE // share, in_memory, tally)


@pytest.mark.skipif("TRUST_FUZZ" not in os.environ, reason="TRUST_FUZZ names no trial, such as 'elf 17'")
def test_one_again(in_memory: Path) -> None:
    name, number = os.environ["TRUST_FUZZ"].rsplit(" ", 1)
    trial = TARGETS.get(name) or SLOW_TARGETS[name][0]
    trial(random.Random(f"{name} {number}"), in_memory)
