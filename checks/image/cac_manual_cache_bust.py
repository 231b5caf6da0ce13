"""No step stands there only to break the cache.

Looks at
    `echo` alone in a string of `run_commands`, and variables of `.env()`, whose words are about a cache, a rebuild,
    a version or a date.
Why it matters
    All after it is built again whenever somebody edits the text, extensions included, and the file does not tell
    why.
Example
    before   image.run_commands("echo cache-bust-v9").run_commands("git clone https://github.com/x/y")
    after    image.run_commands("git clone https://github.com/x/y && cd y && git checkout 1f2e3d4")
How to fix
    Pin what has to be new (a commit, a version), or use `force_build=True` for one run.
Source
    modal.com/docs/guide/images, caching; what is meant is a pin, or force_build=True for one run.
"""

import re

from preflight.api import Finding, Findings, Link, Recipe, Where, advice, app, rule
from preflight.rules.subjects import LINKS

WORDS = re.compile(
    r"cache[-_ ]?(?:bust|break|inval|version|key)|\bbust\b|force[-_ ]?(?:re)?build|\brebuild\b|signature"
    r"|build[-_ ]?(?:id|stamp|version|date)|image[-_ ]?version|\b20\d\d-\d\d-\d\d\b",
    re.IGNORECASE,
)
LAYERS = LINKS.only(lambda k: k.step.method in ("run_commands", "env"), "layer of variables or commands")


@rule("IMG821", LAYERS)
def find(recipe: Recipe, link: Link) -> Findings:
    for command in link.step.shell:
        text = " ".join(command.words[1:])
        is_alone = command.operator == "" and not command.redirects
        if command.words[:1] == ("echo",) and is_alone and WORDS.search(text):
            yield _only_new(f"`echo {text[:40]}`", command.where)
    for key in link.step.env:
        if WORDS.search(key):
            yield _only_new(f".env {key}", app.word_where(recipe, link.step, key))


def _only_new(what: str, where: Where) -> Finding:
    return advice(
        f"{what} does nothing but make the layer new",
        "pin what has to be new (a commit, a version), or use force_build=True for one run",
        where,
    )
