"""Texts that would like to be more than text: made with a seed, so that every run tries the same."""

from __future__ import annotations

import random
import re

MARK = "FORGED"
BREAKS = ("\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\n\n", "\t\n ", "\0")
ROWS = (
    " 2 ✓ modal-auth  {}",
    "READY   140 ✓ passed {}",
    "CLEAN   (static) {}",
    "NOT READY {}",
    "next    {}",
    "Error: {}",
    "gate: the pass of {} holds",
    "::error file=a.py,line=1::{}",
    "::warning::{}",
    "::set-output name=x::{}",
    "::add-mask::{}",
    "##[error]{}",
    "preflight: ready ({})",
    "# {}",
    "{}\n===",
    "{}\n---",
    "---",
    "- {}",
    "1. {}",
    "> {}",
    "| PRJ001 | {} | pass | well |",
    "<details><summary>{}</summary>",
    "</details>",
    "```\n{}\n```",
    "~~~\n{}",
    "    {}",
    "<img src=x onerror={}>",
    "<!-- {} -->",
    "[{}](https://evil.example)",
    "![{}](https://evil.example)",
    "@{}",
    "~~{}~~",
    "**{}**",
    "`{}`",
    "$\\rm {}$",
    "&lt;{}&gt;",
    "</failure></testcase><testcase name='{}'/>",
    "]]><testcase name='{}'/>",
    '","verdict":"{}',
    '"}}],"x":[{{"name":"{}"',
    "\\u000a{}",
)
OBEYED = (  # by terminals, log viewers and parsers
    "\x1b[2J", "\x1b[1A\x1b[2K", "\x1b[31m", "\x1b]8;;https://evil.example\x07", "\x1b]8;;x\x1b\\", "\x1b]0;title\x07",
    "\x1bP1\x1b\\", "\x9b31m", "\x9d0;x\x9c", "\x08" * 12, "\x07", "\x7f", "\x0e", "\u202e", "\u202d", "\u2066",
    "\u2067", "\u2069", "\u200e", "\u200f", "\u061c", "\ufeff", "\ufffe", "\uffff", "\ud800", "\udfff", "\udc80",
    "\U000e0041", "\0", "\x01", "%0A", "%0D", "{0}", "%s", "\\n",
)  # fmt: skip
PLAIN = ("app.py", "train", "a b", "torch 2.5.1", "x" * 90, "", "秘密", "kernel", "' or 1=1", '"', "\\", "src/lib.py")


def text(rng: random.Random, number: int) -> str:
    """One of any number: each break and each row comes first, then all of them in any order."""
    row = ROWS[number % len(ROWS)].format(MARK) if number < 2 * len(ROWS) else rng.choice(ROWS).format(MARK)
    parts = [rng.choice(PLAIN), rng.choice(BREAKS), row]
    for _ in range(rng.randrange(3)):
        parts.insert(rng.randrange(len(parts) + 1), rng.choice((*OBEYED, *BREAKS)))
    return "".join(parts)


# What must not stand in a text that is printed: written apart from the tool's own table, which could be wrong.
OBEYING = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
FIRST_LINES = [row.format(MARK).split("\n")[0] for row in ROWS if not row.startswith("    ")]
HEADS = tuple(
    {head for line in FIRST_LINES if MARK in line and line != MARK for head in (line, " ".join(line.split()))}
)


def forged_lines(printed: str) -> list[str]:
    """Lines that begin as a row of ours would, or hold what a terminal obeys."""
    return [
        line
        for line in printed.splitlines()
        if line.startswith(HEADS) or line.lstrip().startswith("::") or "##[" in line or OBEYING.search(line)
    ]
