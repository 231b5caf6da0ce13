"""The Modal client's public names and parameters, as one release of it has them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from preflight.facts.in_force import kept

TABLE = Path(__file__).with_name("modal_api.toml")
NOT_CALLED = ("-",)


@dataclass(frozen=True)
class ModalApi:
    """``classes`` has class → member → parameters; None instead of parameters for an attribute that is not called."""

    version: str
    source: str
    names: frozenset[str]  # of `modal.X`
    submodules: frozenset[str]
    experimental: frozenset[str]
    functions: Mapping[str, tuple[str, ...]]
    classes: Mapping[str, Mapping[str, tuple[str, ...] | None]]

    def parameters(self, name: str) -> tuple[str, ...] | None:
        """Of ``modal.App``, ``modal.Image.pip_install`` or ``modal.fastapi_endpoint``; None: not in the table."""
        parts = name.split(".")[1:]
        if len(parts) == 1:
            return self.functions.get(parts[0], self.classes.get(parts[0], {}).get("__init__"))
        if len(parts) == 2:
            return self.classes.get(parts[0], {}).get(parts[1])
        return None


@kept
def modal_api() -> ModalApi:
    table = tomllib.loads(TABLE.read_text("utf-8"))
    return ModalApi(
        version=table["version"],
        source=table["source"],
        names=frozenset(table["modal"]),
        submodules=frozenset(table["submodules"]),
        experimental=frozenset(table["experimental"]),
        functions={name: tuple(given) for name, given in table["functions"].items()},
        classes={
            kind: {member: None if tuple(given) == NOT_CALLED else tuple(given) for member, given in members.items()}
            for kind, members in table["classes"].items()
        },
    )
