"""The child that launches the probe: it imports the user's app, as `modal run` does, and runs our payload on its image.

It runs the user's top level, so it is a process of its own: bounded, ended by group, with nothing of ours to harm.
It is asked with one JSON object on standard input and tells with JSON lines on the descriptor that is its first
argument; standard output is the client's own (image builds).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

APP = "preflight-probe"
SPARE_S = 60  # beyond the payload's own limit: it ends by itself, and says what it saw
LOG_ENTRIES = 2_000  # the line that made a compiler fail stands far above the end

Tell = Callable[..., None]


def main() -> None:
    with os.fdopen(int(sys.argv[1]), "w", encoding="utf-8") as out:

        def tell(event: str, **more: Any) -> None:
            out.write(json.dumps({"event": event, **more}) + "\n")
            out.flush()

        asked = json.load(sys.stdin)
        _launch(asked, tell)


def _launch(asked: dict[str, Any], tell: Tell) -> None:
    import modal
    import modal.exception

    payload = importlib.import_module(asked["payload"])
    try:
        image = _image(_import(Path(asked["app"])), asked["function"], asked["variables"])
    except NotThere as e:
        tell("failed", kind="app", error=str(e))
        return
    except Exception as e:  # noqa: BLE001 - the user's top level can raise anything; it is told, not swallowed
        tell("failed", kind="app", error=f"importing the app raises {type(e).__name__}: {e}")
        return
    app = modal.App(APP)
    limit_s = int(asked["request"]["limit_s"]) + SPARE_S
    made = [
        app.function(image=image, gpu=gpu, timeout=limit_s, name=f"probe_{n}", max_containers=1)(payload.run)
        for n, gpu in enumerate(asked["gpus"])
    ]
    try:
        with modal.enable_output(), app.run(environment_name=asked["environment"]):
            tell("started", app_id=app.app_id)
            calls = [function.spawn(asked["request"]) for function in made]
            for gpu, call in zip(asked["gpus"], calls, strict=True):
                tell("reading", gpu=gpu, reading=call.get(timeout=asked["wait_s"]))
    except modal.exception.ImageBuildError as e:
        tell("failed", kind="build", error=str(e), log=_log_of(e))
    except (modal.exception.Error, TimeoutError, OSError) as e:
        tell("failed", kind=type(e).__name__, error=" ".join(str(e).split()) or type(e).__name__)


def _log_of(e: Any) -> list[str]:
    """The end of the failed build's log, when the client can still fetch it."""
    import modal

    try:
        entries = modal.Image.from_id(e.image_id).logs.tail(LOG_ENTRIES)
    except (AttributeError, TypeError, ValueError, OSError, modal.exception.Error):
        return []
    return [line for entry in entries for line in entry.message.splitlines()]


class NotThere(Exception):
    """The app has no such function, or no image that can be told."""


def _import(file: Path) -> ModuleType:
    """As `modal run FILE` imports it: its folder first on the path, the working directory too."""
    sys.path.insert(0, "")
    sys.path.insert(0, str(file.parent))
    name = inspect.getmodulename(str(file))
    spec = importlib.util.spec_from_file_location(name or "app", file)
    if spec is None or spec.loader is None:
        raise NotThere(f"{file} can't be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _image(module: ModuleType, function: str, variables: list[str]) -> Any:
    """The image that the function runs on: by the variable the text binds it to, else from the function itself."""
    import modal

    for variable in variables:
        found = getattr(module, variable, None)
        if isinstance(found, modal.Image):
            return found
    bound = getattr(module, function, None)
    image = getattr(getattr(bound, "_spec_", None), "image", None)
    if image is None:
        raise NotThere(f"the image of {function} can't be told; bind it to a variable of the app's module")
    return image


if __name__ == "__main__":
    main()
