"""What the payload is asked, and which blocks an app uses."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from preflight.app.find import MOST_BYTES, content_of, python_files
from preflight.model import Json

DEFAULT_BLOCKS = ("Mamba", "Mamba2")
LIMIT_S = 540.0
STEP_LIMIT_S = 180.0


@dataclass(frozen=True, kw_only=True)
class Request:
    """``model`` is MODULE:CALLABLE, imported from ``paths``; ``force_variables`` switch the app to its fallback.

    ``model_args`` as own_model.arguments gives them; ``model_input`` is {shape, dtype} or None.
    """

    blocks: tuple[str, ...] = DEFAULT_BLOCKS
    dtypes: tuple[str, ...] = ("float32", "bfloat16")
    model: str = ""
    model_args: Json = None
    model_input: Json = None
    paths: tuple[str, ...] = ()
    force_variables: tuple[str, ...] = ()
    full_autotune: bool = False
    gpu_health: bool = False
    limit_s: float = LIMIT_S

    def as_json(self) -> dict[str, Json]:
        from preflight.probe.expected import table

        blocks = table().blocks
        return asdict(self) | {
            "blocks": [block_json(name) for name in self.blocks],
            # how the blocks of a model are recognised, and which reference each of them has
            "known": [{"block": b.name, "classes": b.classes, "reference": b.reference} for b in blocks]
            + [{"block": b.name, "classes": b.unreferenced, "reference": ""} for b in blocks],
            "watch": table().watched,
            "model_args": self.model_args or {"args": [], "kwargs": {}},
            "step_limit_s": min(STEP_LIMIT_S, self.limit_s),
        }


def block_json(name: str, **options: Json) -> dict[str, Json]:
    """One block to run by itself; of one that no row knows only what it does can be reported."""
    from preflight.probe.expected import table

    row = table().block(name)
    about: dict[str, Json] = {"block": name, "options": options}
    if row is None:
        return about | {"width": 256, "length": 832, "reference": "", "class": ""}
    return about | {"width": row.width, "length": row.length, "reference": row.reference, "class": row.classes[0]}


def blocks_in(root: Path) -> tuple[str, ...]:
    """The blocks that the Python files under ``root`` take from mamba_ssm, in the order of the table; () for none."""
    from preflight.probe.expected import table

    names = tuple(b.name for b in table().blocks)
    found: set[str] = set()
    for _, text in sources(root):
        tree = parsed(text) if b"mamba_ssm" in text else None
        found.update(_blocks_used(tree, names) if tree is not None else ())
    return tuple(name for name in names if name in found)


def sources(root: Path) -> Iterator[tuple[Path, bytes]]:
    """The project's Python files that can be read and are not too large to be written by hand."""
    for path in python_files(root):
        with contextlib.suppress(OSError):
            text = content_of(path, MOST_BYTES)
            if len(text) <= MOST_BYTES:
                yield path, text


def parsed(text: bytes) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _blocks_used(tree: ast.AST, names: tuple[str, ...]) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "mamba_ssm":
            yield from (a.name for a in node.names if a.name in names)
        elif isinstance(node, ast.Attribute) and node.attr in names:
            inner = node.value
            while isinstance(inner, ast.Attribute):
                inner = inner.value
            if isinstance(inner, ast.Name) and inner.id == "mamba_ssm":
                yield node.attr
