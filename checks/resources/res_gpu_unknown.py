"""Every GPU is one that Modal has.

Looks at
    The strings of `gpu=` wherever the text decides them; upper and lower case, a count (`:8`), `H100!` and
    `B200+` are as good as Modal takes them.
Why it matters
    The client sends any string; the service refuses it when the function is created, after the image was built.
Example
    before   @app.function(gpu="A100-80")
    after    @app.function(gpu="A100-80GB")
Source
    modal.com/docs/guide/gpu, read 2026-08-22; modal 1.6.4 parse_gpu_config does not check the name.
"""

import difflib
import re
from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Fix,
    GpuText,
    Recipe,
    counted,
    error,
    gpu_texts,
    quoted_like,
    replaced,
    resource_calls,
    rule,
)

TYPES = ("T4", "L4", "A10", "L40S", "A100", "A100-40GB", "A100-80GB", "RTX-PRO-6000", "H100", "H200", "B200", "B300")
ALSO_TAKEN = ("ANY", "A10G")
SAME = {  # spelled otherwise, and only one thing can be meant
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


def applies(recipe: Recipe) -> str:
    return counted(len(_asked(recipe)), "GPU")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call, gpu in _asked(recipe):
        if gpu.type in TYPES or gpu.type in ALSO_TAKEN or not gpu.type:
            continue
        meant, is_sure = _meant(gpu.type)
        yield error(
            f"Modal has no GPU {gpu.written!r}; it has {', '.join(TYPES)} (read 2026-08-22)",
            f"write {meant}" if meant else "choose one of these",
            gpu.where,
            why=f"{call.name.removeprefix('modal.')} is refused when the app is deployed, after the image was built",
            fix=_fix(gpu, meant, is_sure),
        )


def _asked(recipe: Recipe) -> list[tuple[Call, GpuText]]:
    return [(call, gpu) for call in resource_calls(recipe) for gpu in gpu_texts(recipe, call)]


def _meant(kind: str) -> tuple[str, bool]:
    """The name that was meant, and whether nothing else can have been."""
    plain = re.sub(r"[\s_]+", "-", re.sub(r"^(?:NVIDIA|TESLA)[-_ ]+", "", kind))
    known = plain if plain in TYPES else SAME.get(plain) or SAME.get(plain.replace("-", ""))
    if known:
        return known, True
    near = difflib.get_close_matches(plain, TYPES, n=1, cutoff=0.75)
    return (near[0], False) if near else ("", False)


def _fix(gpu: GpuText, meant: str, is_sure: bool) -> Fix | None:
    if not meant or not gpu.literal:
        return None
    text = meant + (f":{gpu.count}" if gpu.count else "")
    return replaced(gpu.where.path, gpu.span, quoted_like(gpu.literal, text), is_safe=is_sure)


CHECK = rule(
    id="RES560",
    name="res-gpu-unknown",
    title="every GPU is one that Modal has",
    find=find,
    applies=applies,
)
