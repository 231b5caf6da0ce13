"""What MODULE:CALLABLE of the user gives: made with its arguments, and as a function of one step."""

from __future__ import annotations

import dataclasses
import importlib
import json
from typing import Any, Callable


class Config(dict):  # type: ignore[type-arg]
    """A mapping read from a file, whose keys are attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            value = self[name]
        except KeyError:
            raise AttributeError(name) from None
        return Config(value) if isinstance(value, dict) else value


def value_of(given: Any) -> Any:
    """A plain value, or what is in the file that {"file": path} names."""
    if not (isinstance(given, dict) and set(given) == {"file"}):
        return given
    with open(given["file"], "rb") as f:
        text = f.read()
    if given["file"].endswith(".json"):
        return Config(json.loads(text))
    reader = importlib.import_module("tomllib" if given["file"].endswith(".toml") else "yaml")
    return Config(reader.loads(text.decode()) if hasattr(reader, "loads") else reader.safe_load(text))


def stepped(torch: Any, made: Any, request: dict[str, Any]) -> tuple[Any, Callable[[], Any]]:
    """The module, if one was given, and a function for one forward and backward pass."""
    inputs: Any = None
    if isinstance(made, tuple) and len(made) == 2:
        made, inputs = made
    elif request["model_input"]:
        inputs = _random(torch, **request["model_input"])
    elif getattr(made, "example_input_array", None) is not None:
        inputs = made.example_input_array
    elif not isinstance(made, torch.nn.Module) and callable(made):
        return None, made
    if inputs is None or not isinstance(made, torch.nn.Module):
        raise TypeError(
            "the callable gave %s; wanted (module, inputs), a module with example_input_array, "
            "or a function that does one step" % type(made).__name__
        )
    made = made.to(request["device"])
    inputs = _moved(torch, inputs, request["device"])

    def step() -> Any:
        for p in made.parameters() if hasattr(made, "parameters") else ():
            p.grad = None
        y = made(**inputs) if isinstance(inputs, dict) else made(*inputs) if isinstance(inputs, tuple) else made(inputs)
        _loss(torch, y).backward()
        return y

    return made, step


def _random(torch: Any, shape: list[int], dtype: str) -> Any:
    kind = getattr(torch, dtype)
    return torch.randn(*shape).to(kind) if kind.is_floating_point else torch.randint(0, 256, tuple(shape), dtype=kind)


def _loss(torch: Any, y: Any) -> Any:
    loss = y.get("loss") if isinstance(y, dict) else getattr(y, "loss", None)
    if isinstance(loss, torch.Tensor) and loss.requires_grad:
        return loss
    parts = [t.float().sum() for t in tensors_in(torch, y) if t.requires_grad]
    if not parts:
        raise TypeError("nothing in what the model gives (%s) requires a gradient" % type(y).__name__)
    return sum(parts[1:], parts[0])


def tensors_in(torch: Any, value: Any) -> list[Any]:
    if isinstance(value, torch.Tensor):
        return [value]
    if dataclasses.is_dataclass(value) and not isinstance(value, (type, dict)):
        value = [getattr(value, f.name) for f in dataclasses.fields(value)]
    elif isinstance(value, dict):
        value = list(value.values())
    elif not isinstance(value, (list, tuple)):
        value = list(vars(value).values()) if hasattr(value, "__dict__") and not callable(value) else []
    return [t for v in value for t in tensors_in(torch, v)]


def _moved(torch: Any, value: Any, device: str) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(device)
    if isinstance(value, dict):
        return {k: _moved(torch, v, device) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_moved(torch, v, device) for v in value)
    return value
