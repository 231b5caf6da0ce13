"""What runs where the GPU is: it asks, in child processes, and reports what it saw.  It judges nothing.

Standard library only at module level, relative imports only, parses as Python 3.9: the folder runs by itself
(``python payload --request request.json --out reading.json``) and as this package inside a container.
"""

from __future__ import annotations

from typing import Any


def run(request: dict[str, Any]) -> dict[str, Any]:
    """The reading for ``request``."""
    from .supervise import run as supervised

    return supervised(request)
