"""Every GPU is one that Modal has.

Looks at
    The strings of `gpu=` wherever the text decides them. Upper and lower case, a count (`:8`), `H100!` and `B200+`
    are accepted as Modal accepts them.
Why it matters
    The client sends any string; the service refuses it when the function is created, after the image was built.
Example
    before   @app.function(gpu="A100-80")
    after    @app.function(gpu="A100-80GB")
How to fix
    Write one of the names that the message lists.
Source
    modal.com/docs/guide/gpu, read 2026-08-22 (the table of `preflight facts`); modal 1.6.4 parse_gpu_config does
    not check the name.
"""

import difflib
import re

from preflight.api import Call, Findings, Recipe, app, error, facts, rule
from preflight.rules.subjects import GPUS

ANY = "ANY"
SAME = {  # spelled in another way, and only one thing can be meant
    "A100-80": "A100-80GB",
    "A100-80G": "A100-80GB",
    "A100-40": "A100-40GB",
    "A100-40G": "A100-40GB",
    "A10080GB": "A100-80GB",
    "A10040GB": "A100-40GB",
    "H100-80GB": "H100",
    "H100-80": "H100",
    "H200-141GB": "H200",
    "L40-S": "L40S",
    "RTXPRO6000": "RTX-PRO-6000",
    "RTX6000PRO": "RTX-PRO-6000",
}


@rule("RES560", GPUS)
def find(recipe: Recipe, asked: tuple[Call, app.GpuText]) -> Findings:
    call, text = asked
    if text.type in (ANY, "") or facts.gpu(text.type) is not None:
        return
    meant, is_sure = _meant(text.type)
    row = facts.gpu(meant)
    count = str(min(int(text.count), row.most)) if row is not None and text.count.isdecimal() else text.count
    right = meant + (f":{count}" if count else "")
    literal = app.quoted_like(text.literal, right) if text.literal else ""
    newest = max(row.seen for name in facts.gpu_names() if (row := facts.gpu(name)) is not None)
    yield error(
        f"Modal has no GPU {text.written!r}; it has {', '.join(facts.gpu_names())} (read {newest})",
        f"write {right}" if meant else "choose one of these",
        text.where,
        why=f"{call.name.removeprefix('modal.')} is refused when the app is deployed, after the image was built",
        fix=app.replaced(text.where.path, text.span, literal, is_safe=is_sure) if meant and literal else None,
    )


def _meant(kind: str) -> tuple[str, bool]:
    """The name that was meant, and whether nothing else can have been."""
    plain = re.sub(r"[\s_]+", "-", re.sub(r"^(?:NVIDIA|TESLA)[-_ ]+", "", kind))
    known = plain if facts.gpu(plain) is not None else SAME.get(plain) or SAME.get(plain.replace("-", ""))
    if known:
        return known, True
    near = {*difflib.get_close_matches(plain, facts.gpu_names(), n=3, cutoff=0.75)}
    near |= {name for name in facts.gpu_names() if plain.startswith(name) or name.startswith(plain[:4])}
    return (near.pop(), False) if len(near) == 1 else ("", False)
