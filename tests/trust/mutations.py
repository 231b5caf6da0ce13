"""Changes of bytes, texts and documents, made with a seed: the same number gives the same change everywhere."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

NUMBERS = (
    0,
    1,
    2,
    7,
    8,
    16,
    0x40,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0xFFFF,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
    1 << 62,
    (1 << 64) - 1,
)
PIECES = (
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b" " * 40,
    b"\xff",
    b"\xc3\x28",
    b"\xed\xa0\x80",
    "秘密\u202e\u2028".encode(),
    b"\x1b[31m",
    b"'",
    b'"',
    b'"""',
    b"\\",
    b"$(",
    b"`",
    b"{",
    b"}",
    b"[",
    b"]",
    b"(" * 50,
    b")" * 50,
    b"<<A\n",
    b"|",
    b"&&",
    b";",
    b"#",
    b"%s",
    b"9" * 400,
    b"-1",
    b"1e999",
    b"nan",
    b"inf",
    b"0x",
    b"1_000",
    b"../",
    b"/dev/null",
    b"~",
    b"*",
    b"None",
    b"True",
    b"lambda: 0",
    b"a" * 5000,
    b"==",
    b"= =",
    b":=",
    b"->",
    b"@",
    b"\\N{DIGIT ONE}",
    b"\x7fELF",
    b"PK\x03\x04",
    b"Traceback (most recent call last):\n",
)
ODD: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    0.5,
    -0.0,
    float("nan"),
    float("inf"),
    -float("inf"),
    10**400,
    1e308,
    2**63,
    "",
    " ",
    "x",
    "\ud800",
    "\0",
    "a\nb",
    "\u202e",
    "x" * 10_000,
    "-1",
    "nan",
    "1e999",
    "9" * 5000,
    "2026-13-45T99:99:99",
    "2026-01-01T00:00:00",
    "2026-01-01T00:00:00+00:00",
    "9999-12-31T23:59:59.999999-23:59",
    [],
    {},
    [[]],
    [None],
    {"": None},
    [1, "a", {}],
    [[[[[[[[]]]]]]]],
    {"x": {"x": {"x": 1}}},
    list(range(1000)),
)


def of_bytes(rng: random.Random, seed: bytes, others: Sequence[bytes] = ()) -> bytes:
    """One to eight changes, of which most keep the length's order."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        how = rng.randrange(9)
        if how == 0 and data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        elif how == 1:
            data[at:at] = rng.choice(PIECES)
        elif how == 2:
            data[at : at + len(piece)] = (piece := rng.choice(PIECES))
        elif how == 3:
            del data[at : at + rng.choice((1, 2, 4, 16, 100))]
        elif how == 4:
            data[at:at] = data[(start := rng.randrange(len(data) + 1)) : start + rng.choice((4, 40, 400))]
        elif how == 5:
            width = rng.choice((1, 2, 4, 8))
            data[at : at + width] = (rng.choice(NUMBERS) & ((1 << 8 * width) - 1)).to_bytes(
                width, rng.choice(("little", "big"))
            )  # type: ignore[arg-type]
        elif how == 6 and rng.random() < 0.3:
            del data[at:]
        elif how == 7 and others:
            other = rng.choice(others)
            data[at : at + 50] = other[(start := rng.randrange(len(other) + 1)) : start + rng.choice((10, 100))]
        else:
            data[at : at + 4] = rng.randbytes(4)
    return bytes(data)


def of_lines(rng: random.Random, seed: bytes, others: Sequence[bytes]) -> bytes:
    """Whole lines moved, doubled, taken from another; then bytes."""
    lines = seed.split(b"\n")
    for _ in range(rng.randrange(4)):
        at, how = rng.randrange(len(lines) + 1), rng.randrange(4)
        if how == 0:
            lines[at:at] = lines[at : at + 3] * rng.choice((1, 2, 50))
        elif how == 1:
            del lines[at : at + rng.choice((1, 5))]
        elif how == 2:
            lines.insert(at, rng.choice(rng.choice(others).split(b"\n")))
        else:
            lines[at:] = reversed(lines[at:])
        lines = lines or [b""]
    return of_bytes(rng, b"\n".join(lines), others) if rng.random() < 0.8 else b"\n".join(lines)


def of_document(rng: random.Random, seed: Any) -> Any:
    """Values of another kind, missing and doubled keys, at any depth."""
    whole = copy.deepcopy(seed)
    for _ in range(rng.choice((1, 1, 2, 4))):
        places = list(_places(whole))
        if not places:
            return rng.choice(ODD)
        holder, key = rng.choice(places)
        how = rng.randrange(5)
        if how == 0:
            del holder[key]
        elif how == 1 and isinstance(holder, dict):
            holder[rng.choice(("", "x", "\ud800", f"{key}s", str(key).upper()))] = holder.pop(key)
        elif how == 2 and isinstance(holder, list):
            holder[:] = holder * rng.choice((0, 2, 100)) if len(holder) < 50 else []
        else:
            holder[key] = copy.deepcopy(rng.choice(ODD))
    return rng.choice(ODD) if rng.random() < 0.02 else whole


def of_json(rng: random.Random, seed: Any) -> bytes:
    """Its text; now and then the text is what is changed."""
    text = json.dumps(of_document(rng, seed)).encode("utf-8", "backslashreplace")
    return of_bytes(rng, text) if rng.random() < 0.2 else text


def _places(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pending = [value]
    while pending:
        each = pending.pop()
        keys = each if isinstance(each, dict) else range(len(each)) if isinstance(each, list) else ()
        for key in keys:
            found.append((each, key))
            pending.append(each[key])
    return found
