"""The Modal client's public names and parameters, as one release of it has them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

import msgspec

from preflight.facts.in_force import FOLDER, kept
from preflight.facts.types import Row
from preflight.toml_rows import typed

TABLE = "modal_api.toml"
NOT_CALLED = ("-",)


class ModalApi(Row, frozen=True, kw_only=True):
    """``classes`` has class → member → parameters; ``NOT_CALLED`` for an attribute that is not called."""

    version: str
    names: frozenset[str] = msgspec.field(name="modal")  # of `modal.X`
    submodules: frozenset[str]
    experimental: frozenset[str]
    functions: Mapping[str, tuple[str, ...]]
    classes: Mapping[str, Mapping[str, tuple[str, ...]]]

    def parameters(self, name: str) -> tuple[str, ...] | None:
        """Of ``modal.App``, ``modal.Image.pip_install`` or ``modal.fastapi_endpoint``; None: not in the table."""
        parts = name.split(".")[1:]
        if len(parts) == 1:
            return self.functions.get(parts[0], self.classes.get(parts[0], {}).get("__init__"))
        found = self.classes.get(parts[0], {}).get(parts[1]) if len(parts) == 2 else None
        return None if found == NOT_CALLED else found


@kept
def modal_api() -> ModalApi:
    return typed(tomllib.loads((FOLDER / TABLE).read_text("utf-8")), ModalApi, TABLE)
