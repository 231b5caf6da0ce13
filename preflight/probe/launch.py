"""The seam between the probe and the place that has a GPU: the payload's text, and what a launch gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Protocol

from preflight.model import Json


@dataclass(frozen=True, kw_only=True)
class Launched:
    """``document`` is what payload.run returned; ``image`` and ``gpu`` are those that it ran on."""

    document: object
    gpu: str
    function: str
    image: str = ""
    spent_usd: Decimal = Decimal(0)


class Launch(Protocol):
    """Runs the payload as a plain function on the image of the app's function.

    ``function`` may be empty where the app has one with a GPU; ``gpu`` empty takes the function's own.  Raises
    Problem when Modal would not do it; ``say`` gets one line of progress at a time.
    """

    async def __call__(
        self,
        app: Path,
        function: str,
        gpu: str,
        request: Mapping[str, Json],
        *,
        limit_s: float,
        say: Callable[[str], None],
    ) -> Launched: ...


def payload_source() -> str:
    """The text of payload.py: one file, standard library only, whose ``run(request, say)`` gives the reading."""
    return files("preflight.probe").joinpath("payload.py").read_text(encoding="utf-8")
