"""The edges of the arithmetic and the words of its reasons: a minute, a second, a cent or a row to either side."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from preflight.app import reader
from preflight.cost.allowance import Allowance, allowance
from preflight.cost.epoch_lines import Durations, Seen, durations_of
from preflight.cost.estimate import Resources
from preflight.cost.keeping import Keeping, Resumes, keeping_of
from preflight.cost.pace import NoPace, Pace, PatternRefused, pace_of, pattern_of
from preflight.cost.plan import Finishes, Work, fits_one_attempt, hours_text, outlook, sessions_needed
from preflight.cost.rates import CPU, RateRefused, Rates
from preflight.cost.resources import NotSaid, gpu_named, resources_of
from preflight.lookups import LookupFailed
from preflight.model import Where
from preflight.remote.lookups import SPEND
from preflight.remote.modal_types import Environment, Spend
from tests.cost.test_keeping import kept
from tests.kept import assert_kept

# --- will it finish --------------------------------------------------------------------------------------------------

YES, NO = Keeping(Resumes.YES, "resume in app.py:3"), Keeping(Resumes.NO, "nothing resumes")
OPEN = Keeping(Resumes.UNKNOWN, "fit.py is not among the files that were read")
OFF = replace(YES, condition="it resumes only when resume is given, which is False by default")


def work(hours: Fraction | int, epochs: int | None = None, **more: Any) -> Work:
    total = Fraction(hours)
    each = None if epochs is None else total / epochs
    return Work(hours=total, basis="given", epochs=epochs, epoch_hours=each, startup_hours=Fraction(1), **more)


@pytest.mark.parametrize(
    ("hours", "epochs", "sessions"),
    [
        *[(23, None, 1), (Fraction(2301, 100), None, 2), (46, None, 2), (47, None, 3), (44, 44, 2), (45, 45, 2)],
        *[(46, 46, 3), (46, 2, None), (47, 2, None), (Fraction(45), 2, 45)],
    ],
)
def test_the_sessions_of_a_run_that_resumes(hours: Fraction | int, epochs: int | None, sessions: int | None) -> None:
    """An attempt of 24 h has 23 h after its start-up, of which a cut-off loses an epoch."""
    assert sessions_needed(work(hours, epochs), Fraction(24), resumes=True) == sessions
    assert sessions_needed(work(hours, epochs), Fraction(24), resumes=False) == (1 if sessions == 1 else None)


def asks(hours: float = 24, attempts: int = 1, *, is_known: bool = True) -> Resources:
    seconds = Decimal(str(hours * 3600))
    return Resources(function="train", timeout_s=seconds, attempts=attempts, is_timeout_known=is_known)


def test_what_is_over_well_before_the_limit_needs_no_look_at_resuming() -> None:
    assert fits_one_attempt(work(Fraction("20.6")), asks())  # 0.9 × 24 h, less an hour of start-up
    assert not fits_one_attempt(work(Fraction("20.61")), asks())
    assert not fits_one_attempt(work(1), asks(is_known=False))
    assert not fits_one_attempt(work(60), asks(attempts=9))


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        ("24", "24 h"),
        ("25.05", "25.05 h"),
        ("25.5", "25.5 h"),
        ("1", "1 h"),
        ("0.99", "59.4 min"),
        ("0.205", "12.3 min"),
        ("100", "100 h"),
        ("0.0166", "0.996 min"),
        ("1.5", "1.5 h"),
    ],
)
def test_hours_are_shown_in_the_unit_that_one_speaks_of(hours: str, text: str) -> None:
    assert hours_text(Fraction(hours)) == text


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("attempts", [1, 3])
def test_every_outlook_is_as_it_was_read_and_kept(attempts: int, is_known: bool) -> None:
    rows = {}
    for hours in (23, 25, 60):
        for epochs in (None, 2, 50):
            for name, keeping in (("resumes", YES), ("forgets", NO), ("open", OPEN), ("off", OFF)):
                for limit in (12, 24):
                    found = outlook(work(hours, epochs), asks(limit, attempts, is_known=is_known), keeping, Fraction(4))
                    why = found.keeping.why if found.keeping != keeping else ""
                    numbers = " ".join(str(n) for n in (found.sessions, found.hours, found.usd, found.lost_hours))
                    text = f"{found.finishes}: {found.why} -> {found.remedy} ({numbers}) {'; '.join(found.assumptions)}"
                    rows[f"{hours} h, {epochs} epochs, {name}, {limit} h"] = f"{text} {why}".strip()
                    assert (found.attempts, found.limit_hours) == (attempts, limit)
    assert_kept(f"outlooks-{attempts}{'' if is_known else '-open'}", rows)


def test_a_plan_keeps_its_own_assumptions_first() -> None:
    found = outlook(work(20, 20, assumptions=("mine",)), asks(), YES, Fraction(4))
    assert found.assumptions == ("mine", "a checkpoint is kept every epoch, so a cut-off loses one epoch at most")
    assert found.finishes is Finishes.YES


def test_a_start_up_longer_than_the_hours_that_hold_it_is_all_of_them() -> None:
    short = work(Fraction(1, 2), has_startup=True)
    assert (short.startup, short.steps_hours) == (Fraction(1, 2), 0)
    assert (work(2, has_startup=True).startup, work(2, has_startup=True).steps_hours) == (1, 1)
    assert (work(2).startup, work(2).steps_hours) == (1, 2)
    assert work(100_000).hours == 100_000
    with pytest.raises(ValueError, match=r"^100001 hours of work; wanted more than 0, and 100,000 at most$"):
        work(100_001)
    with pytest.raises(ValueError, match="hours of work"):
        Work(hours=Fraction(1), basis="", startup_hours=Fraction(-1))
    assert Work(hours=Fraction(1), basis="", startup_hours=Fraction(0)).startup == 0


# --- what is left ----------------------------------------------------------------------------------------------------

HERE = Environment(
    name="main",
    is_default=True,
    builder=None,
    budget_usd=Decimal(1000),
    spend_limit_usd=None,
    spent_usd=Decimal(30),
    is_spend_limit_reached=True,
)


def test_an_allowance_is_whole() -> None:
    spent = Spend(metered_usd=Decimal(35))
    assert allowance(HERE, spent, None) == Allowance(
        environment="main",
        spent_usd=Decimal(35),
        left_usd=Decimal(970),
        of="the $1,000.00 budget",
        is_limit_reached=True,
    )
    free = replace(HERE, budget_usd=None)
    assert allowance(free, LookupFailed(SPEND, "no"), None) == Allowance(
        environment="main", spent_usd=Decimal(30), is_limit_reached=True
    )
    why = "the amounts of environment main make no sense: spent is nan"
    unclear = replace(HERE, unclear="spent is nan")
    assert allowance(unclear, spent, None) == Allowance(environment="main", unknown=why, is_unclear=True)
    assert allowance(unclear, spent, Decimal(1)) == Allowance(
        environment="main", left_usd=Decimal(1), of="the $1.00 you allow", unknown=why, is_unclear=True
    )


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (Allowance(left_usd=Decimal(0), of="x"), "$0.00 left of x"),
        (Allowance(left_usd=Decimal("-1234.5"), of="x"), "nothing is left of x, $1,234.50 more is spent"),
        (Allowance(left_usd=Decimal(1234), of="x", unknown="y"), "$1,234.00 left of x"),
        (Allowance(), "no budget is set"),
        (Allowance(spent_usd=Decimal(1234)), "$1,234.00 spent this cycle, no budget is set"),
        (Allowance(unknown="refused"), "the budget could not be read"),
    ],
)
def test_an_allowance_in_words(given: Allowance, text: str) -> None:
    assert given.text == text


# --- rates -----------------------------------------------------------------------------------------------------------

A100, NEW = "gpu_hour_cost_a100_80gb", "gpu_hour_cost_r300"


@pytest.mark.parametrize(
    ("key", "value", "is_rate"),
    [
        *[(A100, "50", True), (A100, "50.01", False), (A100, "0.125", True), (A100, "0.1249", False)],
        *[(NEW, "0.05", True), (NEW, "0.049", False), (NEW, "100", True), (NEW, "100.01", False)],
        *[(A100, Decimal(0), False), (CPU, Decimal(0), True), (CPU, Decimal("-0"), True)],
        *[(CPU, Decimal("0.0473" + "0" * 25), True), (CPU, Decimal("0.0473" + "0" * 26), False)],
        *[(CPU, "0." + "0" * 18, True), (CPU, "0." + "0" * 19, False)],
    ],
)
def test_the_least_and_the_most_of_a_rate(key: str, value: object, is_rate: bool) -> None:
    try:
        assert Rates({key: value}, "live").of(key) == Decimal(str(value)) and is_rate
    except RateRefused:
        assert not is_rate


@pytest.mark.parametrize(
    ("value", "source", "text"),
    [
        ("n/a", "live", f"{A100} in Modal's live rates is 'n/a', wanted dollars an hour"),
        (None, "the list", f"{A100} in the list is None, wanted dollars an hour"),
        (Decimal("-1.5"), "live", f"{A100} in Modal's live rates is -1.5, wanted dollars an hour"),
        ("x" * 38, "live", f"{A100} in Modal's live rates is '{'x' * 38}', wanted dollars an hour"),
        ("x" * 39, "live", f"{A100} in Modal's live rates is '{'x' * 38}…, wanted dollars an hour"),
        (2**64, "live", f"{A100} in Modal's live rates is a number of more than 19 digits, wanted dollars an hour"),
        (
            2**64 - 1,
            "live",
            f"{A100} in Modal's live rates is {2**64 - 1}, wanted dollars an hour",
        ),
        (
            "0.0007",
            "live",
            f"{A100} in Modal's live rates is '0.0007'; dollars an hour would be 0.125 to 50.00, so it may be in"
            " another unit",
        ),
    ],
)
def test_a_refused_rate_is_named_with_what_was_wanted(value: object, source: str, text: str) -> None:
    with pytest.raises(RateRefused) as e:
        Rates({A100: value}, source).of(A100)
    assert str(e.value) == text


# --- what the decorator asks for -------------------------------------------------------------------------------------

HEAD = "import modal\napp = modal.App('x')\n"
DECORATORS: dict[str, str] = {
    "nothing": "",
    "a GPU": "gpu='a100'",
    "several GPUs": "gpu=['H100:8', 'A100-80GB:2']",
    "no such GPU count": "gpu='H100:0'",
    "an open GPU": "gpu=g()",
    "cores and memory": "cpu=2.5, memory=4096",
    "the least cores": "cpu=0.01",
    "limits": "cpu=(1, 4), memory=(1024, 8192)",
    "a limit of memory alone": "memory=(1024, 8192)",
    "a limit of cores alone": "cpu=(1, 4)",
    "open cores": "cpu=c()",
    "open memory": "memory=m()",
    "disk": "ephemeral_disk=524288",
    "disk that costs less than the memory": "ephemeral_disk=20480, memory=2048",
    "disk, a fraction": "ephemeral_disk=2048.5",
    "disk that is on": "ephemeral_disk=True",
    "open disk": "ephemeral_disk=d()",
    "disk in words": "ephemeral_disk='1'",
    "a timeout": "timeout=7200",
    "the longest timeout": "timeout=86400",
    "a timeout that is too long": "timeout=90000",
    "an open timeout": "timeout=t()",
    "retries": "retries=3",
    "no retries": "retries=0",
    "retries below none": "retries=-2",
    "open retries": "retries=r()",
    "a region": "region='us'",
    "a region and no preemption": "region='us', nonpreemptible=True",
    "preemption": "nonpreemptible=False",
    "kept warm": "min_containers=1",
    "kept warm in two ways": "keep_warm=2, buffer_containers=1",
    "none kept warm": "min_containers=0",
}
CLUSTERS = {
    "a cluster": "@modal.experimental.clustered(size=4)\n",
    "a cluster by place": "@modal.experimental.clustered(2)\n",
    "a cluster of one": "@modal.experimental.clustered(1)\n",
    "a cluster of none": "@modal.experimental.clustered(0)\n",
    "an open cluster": "@modal.experimental.clustered(n())\n",
    "a cluster of true": "@modal.experimental.clustered(True)\n",
    "a cluster of nothing": "@modal.experimental.clustered()\n",
}
LATER = {
    "options at a call": "train.with_options(gpu='B200', timeout=5, max_containers=2).remote()",
    "options that cost nothing": "train.with_options(max_containers=2).remote()",
    "open options": "train.with_options(**more()).remote()",
}


def requested(decorator: str, above: str = "", below: str = "") -> str:
    text = f"{HEAD}@app.function({decorator})\n{above}def train():\n    pass\n\n\ndef main():\n    {below or 'pass'}\n"
    recipe = reader.read(Path("app.py"), project=Path(), content=text.encode())
    try:
        return repr(resources_of(recipe.functions[0], recipe=recipe))
    except NotSaid as e:
        return f"NotSaid: {e}"


def test_every_request_is_as_it_was_read_and_kept() -> None:
    rows = {name: requested(decorator) for name, decorator in DECORATORS.items()}
    rows |= {name: requested("gpu='H100'", above=above) for name, above in CLUSTERS.items()}
    rows |= {name: requested("gpu='H100'", below=below) for name, below in LATER.items()}
    assert_kept("requests", rows)


@pytest.mark.parametrize(
    ("written", "found"),
    [("A100-80GB", ("A100-80GB", 1)), ("h100:8", ("H100", 8)), ("H100!:64", ("H100", 64)), ("T4:1", ("T4", 1))],
)
def test_a_gpu_in_words(written: str, found: tuple[str, int]) -> None:
    assert gpu_named(written) == found


@pytest.mark.parametrize("written", ["", "H100:", "H100:0", "H100:65", "H100:99999", "two words", ":8"])
def test_what_names_no_gpu_is_refused_in_words(written: str) -> None:
    with pytest.raises(NotSaid) as e:
        gpu_named(written)
    assert str(e.value) == f"{written!r} names no GPU; wanted like A100-80GB or H100:8"


# --- whether it resumes ----------------------------------------------------------------------------------------------

VOLUME = "@app.function(volumes={'/ckpt': vol})\n"
LOST = "def train(resume=True):\n    fit(resume)\n    torch.save(m, '/tmp/a.pt')\n    torch.save(m, '/tmp/b.pt')\n"
RUN = "def train():\n    import subprocess\n    subprocess.run({})\n"
TRAINERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "no mount": ("@app.function()\n", "def train():\n    pass\n", {}),
    "no mount, and it uploads": ("@app.function()\n", "def train(resume):\n    x.push_to_hub(resume)\n", {}),
    "a read-only Volume": (
        "@app.function(volumes={'/v': vol.read_only()})\n",
        "def train():\n    pass\n",
        {},
    ),
    "saved beside the mount": (VOLUME, LOST, {}),
    "saved in both": (VOLUME, LOST.replace("/tmp/b", "/ckpt/b"), {}),
    "saved beside a mount of nearly that name": (VOLUME, LOST.replace("/tmp/", "/ckpt2/"), {}),
    "saved at a relative place": (VOLUME, LOST.replace("/tmp/b", "b"), {}),
    "saved at an open place": (VOLUME, LOST.replace("'/tmp/b.pt'", "where"), {}),
    "saved in an open mount": ("@app.function(volumes={where(): vol})\n", LOST, {}),
    "saved in a mount with a slash": ("@app.function(volumes={'/tmp/': vol})\n", LOST, {}),
    "it resumes, and nothing saves": (VOLUME, "def train(resume):\n    fit(resume)\n", {}),
    "it saves": (VOLUME, "def train():\n    torch.save(m, '/ckpt/x')\n", {}),
    "it saves in a module": (
        VOLUME,
        "def train():\n    import loop\n",
        {"loop": "\n\nimport torch\ntorch.save(1, '/ckpt/x')\n"},
    ),
    "neither": (VOLUME, "def train():\n    pass\n", {}),
    "neither, in two files": (VOLUME, "def train():\n    import a, b\n", {"a": "", "b": ""}),
    "a script that is not there": (VOLUME, RUN.format("['python', 'fit.py']"), {}),
    "two scripts, of which the first is not there": (VOLUME, RUN.format("'python a.py; python b.py'"), {"b": ""}),
    "a script under /root": (VOLUME, RUN.format("['python', '/root/sub/fit.py']"), {"sub__fit": "resume_from = 1\n"}),
    "a script by its name alone": (VOLUME, RUN.format("['python', '/opt/fit.py']"), {"fit": "x.save_state()\n"}),
    "a module that is run": (VOLUME, RUN.format("['python', '-m', 'pkg.fit']"), {"pkg__fit": "x.save_state()\n"}),
    "a module that is not there": (VOLUME, RUN.format("['python', '-m', 'pkg.fit']"), {}),
    "a launcher of nothing known": (VOLUME, RUN.format("['accelerate launch', 'fit']"), {}),
    "a plain command": (VOLUME, RUN.format("['nvidia-smi']"), {}),
    "a module that does not parse": (VOLUME, "def train():\n    import loop\n", {"loop": "def (\n"}),
    "a module of src": (VOLUME, "def train():\n    from mine import loop\n", {"src__mine__loop": "load_checkpoint()"}),
    "a module that imports one": (VOLUME, "def train():\n    import a\n", {"a": "import b\n", "b": "x.save_state()\n"}),
    "an import at the top": ("import a\nimport b\n" + VOLUME, "def train():\n    a.go()\n", {"a": "x.save_state()\n"}),
    "an import at the top under another name": (
        "import a.c as z\n" + VOLUME,
        "def train():\n    z.go()\n",
        {"a__c": "x.save_state()\n"},
    ),
    "a part of a package at the top": (
        "import a.c\n" + VOLUME,
        "def train():\n    a.c.go()\n",
        {"a__c": "x.save_state()\n"},
    ),
    "an import at the top that is not used": ("import a\n" + VOLUME, "def train():\n    go()\n", {"a": "save_state()"}),
    "helpers of the file": (
        VOLUME,
        "def train():\n    one()\n\ndef one():\n    two()\n\ndef two():\n    s.save_state()\n",
        {},
    ),
    "a function of Modal's that it calls": (
        VOLUME,
        "def train():\n    other()\n\n@app.function()\ndef other():\n    s.save_state()\n",
        {},
    ),
    "a word that is off": (VOLUME, "def train():\n    fit(save_state=False, resume=None)\n", {}),
    "a word of a command": (VOLUME, RUN.format("['x', '--save-steps', '5', '--resume-from', 'y']"), {}),
    "a download that resumes": (VOLUME, "def train():\n    get(resume_download=True)\n    s.save_state()\n", {}),
    "off by default": (VOLUME, "def train(n, resume=False):\n    fit(resume)\n    s.save_state()\n", {}),
    "off by default, by its name": (
        VOLUME,
        "def train(n=1, *, a, resume_from=''):\n    fit(resume_from)\n    save()\n",
        {},
    ),
    "another word that is off": (VOLUME, "def train(n=0, resume=1):\n    fit(resume)\n    save()\n", {}),
}


def test_whether_it_resumes_is_told_as_it_was_read_and_kept(tmp_path: Path) -> None:
    rows = {}
    for n, (name, (above, body, files)) in enumerate(TRAINERS.items()):
        folder = tmp_path / str(n)
        folder.mkdir()
        found = kept(folder, body, above=above, **files)
        why = found.why.replace(str(folder), "…")
        rows[name] = f"{found.resumes}: {why} | {found.where} | {found.condition}"
    assert_kept("keeping", rows)


def test_a_package_is_read_from_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("load_checkpoint()\nx.save_state()\n", encoding="utf-8")
    found = kept(tmp_path, "def train():\n    import mine\n")
    where = Where("mine/__init__.py", 1)
    assert found == Keeping(Resumes.YES, "load_checkpoint in mine/__init__.py:1", where)


@pytest.mark.parametrize("over", ["MOST_FILES", "MOST_BYTES"])
def test_more_files_than_are_read_leave_it_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: str) -> None:
    body, files = "def train():\n    import a\n", {"a": "import b  \n", "b": "import os\n"}
    monkeypatch.setattr(f"preflight.cost.keeping.{over}", {"MOST_FILES": 2, "MOST_BYTES": 11}[over])
    assert kept(tmp_path, body, **files).resumes is Resumes.NO
    monkeypatch.setattr(f"preflight.cost.keeping.{over}", {"MOST_FILES": 1, "MOST_BYTES": 10}[over])
    found = kept(tmp_path, body, **files)
    file = {"MOST_FILES": "b.py", "MOST_BYTES": "a.py"}[over]
    assert found == Keeping(Resumes.UNKNOWN, f"{tmp_path / file} is not among the files that were read")


def test_an_app_that_was_not_parsed_has_nothing_to_follow(tmp_path: Path) -> None:
    content = f"{HEAD}vol = modal.Volume.from_name('v')\n{VOLUME}def train():\n    pass\n".encode()
    recipe = reader.read(tmp_path / "app.py", project=tmp_path, content=content)
    found = keeping_of(recipe.functions[0], recipe, tmp_path)
    assert found == Keeping(Resumes.NO, "nothing in train's body saves or resumes", recipe.functions[0].where)
    assert isinstance(found.where, Where)


# --- the pace of a log -----------------------------------------------------------------------------------------------

BAR = "Epoch 1: 100%|██| 10/10 [01:00<00:00,  6.0s/it]"
LOGS: dict[str, tuple[str, str | None]] = {
    "nothing": ("", None),
    "one epoch": ("x\nepoch 1 took 30.04s", None),
    "three epochs": ("epoch 1 took 40s\nepoch 2 took 30s\nepoch 3 took 32s", None),
    "a second time within two percent": ("epoch 1 took 50s\nepoch 1 took 49s", None),
    "a second time beyond it": ("epoch 1 took 50s\n\nepoch 1 took 48.9s", None),
    "times that grow": ("epoch 1 took 30s\nepoch 2 took 60s\nepoch 3 took 90s", None),
    "two that grow, just": ("epoch 1 took 10s\nepoch 2 took 24s", None),
    "two that do not": ("epoch 1 took 10s\nepoch 2 took 24.1s", None),
    "two that grow too slowly": ("epoch 1 took 10s\nepoch 2 took 15.9s", None),
    "three that grow by the least": ("epoch 1 took 100s\nepoch 2 took 115s\nepoch 3 took 130s", None),
    "three that grow by less": ("epoch 1 took 100s\nepoch 2 took 114s\nepoch 3 took 129s", None),
    "three that grow twice as fast": ("epoch 1 took 100s\nepoch 2 took 150s\nepoch 3 took 250s", None),
    "three that grow faster": ("epoch 1 took 100s\nepoch 2 took 150s\nepoch 3 took 251s", None),
    "two ways within five percent": (f"{BAR}\nEpoch 1 finished in 63.1 s", None),
    "two ways beyond it": (f"{BAR}\nEpoch 1 finished in 63.2 s", None),
    "two ways, the greater first": (f"Epoch 1 finished in 62 s\n{BAR}", None),
    "validation of five percent": ("epoch 1 took 100s\nvalidation took 5s", None),
    "validation of more": ("epoch 1 took 100s\nvalidation took 5.1s", None),
    "validation of two epochs": ("epoch 1 took 100s\nepoch 2 took 100s\nvalidation took 10s", None),
    "steps": ("Training:  8%|▊ | 50/625 [01:12<13:47,  1.44s/it]", None),
    "one step": ("Training:  8%|▊ | 1/625 [01:12<13:47,  1.44s/it]", None),
    "two steps, then more": (
        "Training: 1%|▊ | 2/625 [00:02<13:47, 1.44s/it]\rTraining: 2%|▊ | 4/625 [00:06<13:47, 1.44s/it]",
        None,
    ),
    "an epoch of one step": ("Epoch 1: 100%|██| 1/1 [01:00<00:00,  6.0s/it]", None),
    "an epoch of two steps": ("Epoch 1: 100%|██| 2/2 [01:00<00:00,  6.0s/it]", None),
    "all epochs": ("Epochs: 100%|██| 4/4 [01:00<00:00,  6.0s/it]", None),
    "eight states": ("\r".join(["x"] * 6 + [BAR, "y"]), None),
    "nine states": ("\r".join(["epoch 2 took 9s"] + ["x"] * 6 + [BAR, "y"]), None),
    "its end, past nine states": ("\r".join(["epoch 2 took 9s"] + ["x"] * 9 + ["epoch 1 took 7s"]), None),
    "a line that is too long": ("." * 1_990 + " epoch 1 took 30s", None),
    "its own pattern": ("x\npass 1: 7.5", r"pass \d+: ([\d.]+)"),
    "its own pattern, in vain": ("x", r"pass \d+: ([\d.]+)"),
    "its own pattern by epoch": ("p 1: 9\np 1: 5", r"p (?P<epoch>\d+): (?P<seconds>\d+)"),
    "its own pattern without epochs": ("p: 9\np: 5\np: 6", r"p: (?P<seconds>\d+)"),
    "its own steps": ("p 4: 9\np 8: 20", r"p (?P<steps>\d+): (?P<seconds>\d+)"),
    "its own steps, none": ("p 0: 9", r"p (?P<steps>\d+): (?P<seconds>\d+)"),
    "its own clock": ("p 1:02:03", r"p (?P<clock>[\d:]+)"),
    "its own hours": ("p 2", r"p (?P<hours>\d+)"),
    "its own minutes": ("p 2", r"p (?P<minutes>\d+)"),
    "its own, and nothing in it": ("p  x\np 3 x", r"p (\d*) x"),
    "the guard's": (
        'x preflight.guard {"step_s": 0.25, "step": 300}\npreflight.guard {"step_s": 0.5, "step": 400}',
        None,
    ),
    "the guard's, of nothing": ('preflight.guard {"step_s": 0, "step": 3}\nepoch 1 took 5s', None),
    "the guard's, null": ('preflight.guard {"step_s": null, "step": 3}\nepoch 1 took 5s', None),
    "the guard's, broken, then whole": (
        'preflight.guard {"step": 3}\npreflight.guard []\npreflight.guard {"step_s": 2, "step": 3}',
        None,
    ),
    "the trainer of no epoch": ("{'train_runtime': 10.0, 'epoch': 0.0}\nepoch 1 took 5s", None),
    "Keras before any epoch": ("9/9 [==] - 30s 5ms/step\n", None),
    "a key of validation": ("val epoch_time_s: 61.5", None),
}


def test_the_pace_of_every_log_is_as_it_was_read_and_kept() -> None:
    rows = {}
    for name, (log, pattern) in LOGS.items():
        found = pace_of(log.split("\n"), None if pattern is None else pattern_of(pattern))
        if isinstance(found, Pace):
            rows[name] = f"epoch {found.epoch_s} s, step {found.step_s} s: {found.basis}"
        else:
            assert isinstance(found, NoPace)
            rows[name] = f"none: {found.why}"
    assert_kept("paces", rows)


def test_a_refused_pattern_says_why() -> None:
    refused = {}
    for text in ("(", "epoch took", r"(?P<fortnights>\d)(?P<clock>\d)"):
        with pytest.raises(PatternRefused) as e:
            pattern_of(text)
        refused[text] = str(e.value)
    assert refused == {
        "(": "epoch-pattern is no regular expression: missing ), unterminated subpattern at position 0",
        "epoch took": "epoch-pattern 'epoch took' has no group; wanted one around the seconds",
        r"(?P<fortnights>\d)(?P<clock>\d)": (
            "epoch-pattern has a group 'fortnights'; there are seconds, minutes, hours, clock, steps"
        ),
    }
    every = r"(?P<seconds>.)(?P<minutes>.)(?P<hours>.)(?P<clock>.)(?P<epoch>.)(?P<steps>.)"
    assert pattern_of(every).groups == 6


def test_each_way_of_writing_a_duration_has_its_kind_epoch_and_line() -> None:
    lines = [
        (1, "Epoch 3"),
        (2, "469/469 [====] - 33s 5ms/step"),
        (3, "epoch_time_s: 61.5"),
        (4, "epoch 4 took 12s"),
        (5, "validation epoch 4 took 2s"),
        (6, "Epoch 5: 100%|█| 10/10 [01:00<00:00, 6.0s/it]"),
        (7, "Val epoch 5: 100%|█| 10/10 [00:10<00:00, 1.0s/it]"),
        (8, "Validation: 100%|█| 10/10 [00:09<00:00, 1.0s/it]"),
        (9, "Validation: 90%|█| 9/10 [00:09<00:01, 1.0s/it]"),
        (10, "Epochs: 100%|█| 4/4 [01:00<00:00, 15.0s/it]"),
        (11, "Epochs: 50%|█| 2/4 [00:30<00:30, 15.0s/it]"),
        (12, "Training: 50%|█| 5/10 [00:30<00:30, 6.0s/it]"),
        (13, "{'train_runtime': 1830.0, 'epoch': 2.0}"),
        (14, "Epoch Duration: 7 min"),
        (15, "nothing of time, epoch 9"),
        (16, "12/12 [==] - 8s 5ms/step"),
    ]
    assert durations_of(lines) == Durations(
        epochs=(
            Seen("keras", 3, Fraction(33), 2),
            Seen("key", 3, Fraction(123, 2), 3),
            Seen("took", 4, Fraction(12), 4),
            Seen("bar", 5, Fraction(60), 6),
            Seen("bar of all epochs", None, Fraction(15), 10),
            Seen("trainer", None, Fraction(915), 13),
            Seen("took", None, Fraction(420), 14),
            Seen("keras", 9, Fraction(8), 16),
        ),
        asides=(
            Seen("aside", 4, Fraction(2), 5),
            Seen("aside", 5, Fraction(10), 7),
            Seen("aside", None, Fraction(9), 8),
        ),
        steps=(Seen("steps", None, Fraction(30), 12, 5),),
    )
