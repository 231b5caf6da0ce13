"""Any bytes, any size: the line numbers hold, memory doesn't grow with a line, secrets don't come through."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.diagnosis import diagnose, records
from preflight.diagnosis.records import blocks
from preflight.diagnosis.rules import rulebook
from preflight.redact import without_secrets

OOM = b"RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB.\n"
NEEDLES = sorted({n for r in rulebook().rule for n in r.needles})


@given(st.lists(st.one_of(st.binary(max_size=200), st.sampled_from([n.encode() for n in NEEDLES])), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_read_to_the_end(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    found = diagnose(data)
    assert found.lines == len(data.split(b"\n")) - (data.endswith(b"\n") or not data)
    assert all(1 <= c.line <= found.lines for c in found.causes)


@given(st.text(max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_text_can_be_redacted(text: str) -> None:
    assert without_secrets(without_secrets(text)) == without_secrets(text)


@pytest.fixture
def short_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 64 KiB: 4,681 lines of 14 bytes."""
    monkeypatch.setattr(records, "BLOCK_BYTES", 1 << 16)


def test_a_line_number_counts_over_many_blocks(short_blocks: None) -> None:
    def log() -> Iterator[bytes]:
        for _ in range(40):
            yield b"step loss 0.1\n" * 1_000
        yield OOM

    found = diagnose(log())
    assert [(c.rule, c.line) for c in found.causes] == [("cuda-oom", 40_001)]


@pytest.mark.parametrize("lines", [4_673, 4_678, 4_681, 4_682, 4_683, 4_688])
def test_a_hit_at_the_edge_of_a_block_is_told_once_with_its_line(short_blocks: None, lines: int) -> None:
    found = diagnose(b"step loss 0.1\n" * lines + OOM + b"row of a tab: 0.1\n" * 4_400)
    assert [(c.line, c.explained_lines) for c in found.causes] == [(lines + 1, 0)]


def test_a_line_without_an_end_is_read_in_bounded_memory() -> None:
    tracemalloc.start()
    found = diagnose(b"x" * (1 << 16) for _ in range(320))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.causes == ()
    assert peak < 20 << 20


def test_a_needle_deep_in_a_very_long_line_is_found_and_its_excerpt_is_short() -> None:
    found = diagnose(b"x" * 3_000_000 + b" " + OOM)
    assert found.causes[0].rule == "cuda-oom"
    assert len(found.causes[0].excerpt) <= 600


def test_blocks_hold_every_byte_once() -> None:
    data = b"".join(b"line %d\n" % n for n in range(300_000))
    assert b"".join(b.data[b.start : b.end] for b in blocks([data])) == data


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLE", "wJalr"),
        ("fatal: https://bob:s3cr3tpass@github.com/x.git", "s3cr3tpass"),
        ("Authorization: Bearer abc.def.ghi", "abc.def"),
        ('"WANDB_API_KEY": "0123456789abcdef"', "0123456789"),
        ("using hf_" + "a" * 34, "aaaaaaaaaa"),
    ],
)
def test_a_secret_does_not_come_through(text: str, secret: str) -> None:
    assert secret not in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "HEAD is now at 3f2504e04f8941d39a0c0305e82c3301a1b2c3d4",
        "Image build for im-3kQ0c2vJx7aZ failed",
        "undefined symbol: _ZN3c104cuda14ExchangeDeviceEa",
        "Token missing. Could not authenticate client",
        "KeyError: 'AWS_ACCESS_KEY_ID'",
        "Secret 'aws-s3-secret' not found in environment 'main'",
        "see https://github.com/state-spaces/mamba/issues/788",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


def test_an_excerpt_is_redacted() -> None:
    log = "ERROR: HTTP error 404 while getting https://me:hunter2hunter2@example.com/a.whl\n"
    assert "hunter2" not in diagnose(log).causes[0].excerpt
    assert "hunter2" not in diagnose(log).causes[0].remedy


CANARY = "wJalrXUtnFEMIK7MDENGbPxRfiCYzEXAMPLE"


@pytest.mark.parametrize("distance", [*range(1, 60, 7), *range(1900, 2150, 3), *range(3990, 4130, 7)])
@pytest.mark.parametrize("error", ["RuntimeError: CUDA out of memory.", "core dumped", "host='x' urlopen error"])
def test_a_secret_in_the_same_long_line_never_comes_through_whole_or_in_part(distance: int, error: str) -> None:
    log = f'{{"AWS_SECRET_ACCESS_KEY":"{CANARY}" {"y " * (distance // 2)}{error}\n'
    told = str(diagnose(log))
    assert not [n for n in range(len(CANARY) - 8) if CANARY[n : n + 8] in told]


@pytest.mark.parametrize(
    "line",
    [
        f"fatal: unable to access 'https://{CANARY}.x@github.com/a.git/': Could not resolve host: github.com",
        f"KeyError: 'AWS_ACCESS_KEY_ID' AWS_SECRET_ACCESS_KEY={CANARY}",
        f"ERROR: HTTP error 404 while getting https://bob:{CANARY}@h.example/a.whl",
        f"OSError: [Errno 28] No space left on device: '/tmp/API_KEY={CANARY}'",
        f"ValueError: bad config TOKEN={CANARY}",
    ],
)
def test_no_field_of_the_answer_carries_a_secret(line: str) -> None:
    assert CANARY not in str(diagnose(line + "\n"))
