"""No step stands there only to break the cache.

Looks at
    `echo` alone in a string of `run_commands`, and variables of `.env()`, that speak of a cache, a rebuild, a
    version or a date.
Why it matters
    All after it is built again whenever somebody edits the text, extensions included, and nobody knows why it is there.
Example
    before   image.run_commands("echo cache-bust-v9").run_commands("git clone https://github.com/x/y")
    after    image.run_commands("git clone https://github.com/x/y && cd y && git checkout 1f2e3d4")
Source
    modal.com/docs/guide/images, caching; what is meant is a pin, or force_build=True for one run.
"""

import re
from collections.abc import Iterator

from preflight.api import Context, Finding, Recipe, Step, Where, advice, counted, image_links, rule, word_where

WORDS = re.compile(
    r"cache[-_ ]?(?:bust|break|inval|version|key)|\bbust\b|force[-_ ]?(?:re)?build|\brebuild\b|signature"
    r"|build[-_ ]?(?:id|stamp|version|date)|image[-_ ]?version|\b20\d\d-\d\d-\d\d\b",
    re.IGNORECASE,
)


def applies(recipe: Recipe) -> str:
    steps = [k for k in image_links(recipe) if k.step.method in ("run_commands", "env")]
    return counted(len(steps), "layer of variables or commands", "layers of variables or commands")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for link in image_links(recipe):
        for what, where in _busts(recipe, link.step):
            yield advice(
                f"{what} does nothing but make the layer new",
                "pin what has to be new (a commit, a version), or use force_build=True for one run",
                where,
            )


def _busts(recipe: Recipe, step: Step) -> Iterator[tuple[str, Where]]:
    for command in step.shell:
        if command.words[:1] == ("echo",) and command.operator == "" and not command.redirects:
            text = " ".join(command.words[1:])
            if WORDS.search(text):
                yield f"`echo {text[:40]}`", command.where
    for key in step.env:
        if WORDS.search(key):
            yield f".env {key}", word_where(recipe, step, key)


CHECK = rule(
    id="IMG821",
    name="cac-manual-cache-bust",
    title="no step stands there only to break the cache",
    find=find,
    applies=applies,
)
