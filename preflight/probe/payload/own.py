"""The user's own model: its steps traced one by one, each block's calls, launches and gradients counted, and each
block held against the reference on the input that the model gave it."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import sys
from typing import Any, Callable, Optional

from .choices import Choices
from .given import stepped, tensors_in, value_of
from .installed import library_choices
from .numbers import compared
from .trace import LABEL, traced

KEPT_BYTES = 2**30  # of inputs, for them


class Block:
    """One module of the table: what it was called with, and what came of each step."""

    def __init__(self, number: int, name: str, module: Any, row: dict[str, Any]) -> None:
        self.number, self.name, self.module, self.row = number, name, module, row
        self.parameters = dict(module.named_parameters())
        self.steps: list[dict[str, Any]] = []
        self.given: Any = None
        self.labels: list[Any] = []

    def begin(self) -> None:
        self.steps.append({"calls": 0, "raised": 0, "reruns": 0, "launched": {}, "arrived": [], "bad": [], "zero": []})


class Watch:
    """Hooks on the blocks and on every parameter, for the steps and not after them."""

    def __init__(self, torch: Any, blocks: list[Block], parameters: dict[str, Any]) -> None:
        self.torch, self.blocks, self.is_on, self.kept = torch, blocks, False, 0
        self.flags: list[tuple[str, Any]] = []
        self.handles: list[Any] = []
        for block in blocks:
            before, after = functools.partial(self._before, block), functools.partial(self._after, block)
            self.handles.append(block.module.register_forward_pre_hook(before, with_kwargs=True))
            # also when it raised
            self.handles.append(block.module.register_forward_hook(after, with_kwargs=True, always_call=True))
        for name, p in parameters.items():
            if getattr(p, "requires_grad", False) and hasattr(p, "register_hook"):
                self.handles.append(p.register_hook(functools.partial(self._on_gradient, name)))

    def _is_idle(self) -> bool:
        compiling = getattr(getattr(self.torch, "compiler", None), "is_compiling", None)
        return not self.is_on or bool(compiling is not None and compiling())

    def _before(self, block: Block, module: Any, args: Any, kwargs: Any) -> None:
        if self._is_idle():
            return
        if block.given is None and args and hasattr(args[0], "element_size"):
            size = args[0].numel() * args[0].element_size()
            if self.kept + size <= KEPT_BYTES:
                self.kept += size
                is_cast = self.torch.is_autocast_enabled()
                cast = str(self.torch.get_autocast_gpu_dtype()).replace("torch.", "") if is_cast else ""
                block.given = (args[0].detach().clone(), args[1:], dict(kwargs), cast)
        label = self.torch.profiler.record_function(LABEL + str(block.number))
        label.__enter__()
        block.labels.append(label)

    def _after(self, block: Block, module: Any, args: Any, kwargs: Any, output: Any) -> None:
        if self._is_idle() or not block.labels:
            return
        block.labels.pop().__exit__(None, None, None)
        # activation checkpointing calls the block again inside the backward pass
        is_rerun = getattr(self.torch._C, "_current_graph_task_id", lambda: -1)() != -1
        block.steps[-1]["reruns" if is_rerun else "raised" if output is None else "calls"] += 1

    def _on_gradient(self, name: str, gradient: Any) -> None:
        # a sparse gradient, say, can't be asked
        with contextlib.suppress(RuntimeError, TypeError):
            if self.is_on:
                flags = (self.torch.isfinite(gradient).all(), (gradient != 0).any())
                self.flags.append((name, self.torch.stack(flags)))

    def gradients(self) -> tuple[dict[str, bool], list[str]]:
        """Which parameters a gradient reached in this step, each with whether it is zero; those not finite."""
        arrived: dict[str, bool] = {}
        bad: list[str] = []
        for name, flags in self.flags:
            is_finite, is_some = flags.tolist()
            arrived[name] = arrived.get(name, True) and not is_some
            if not is_finite and name not in bad:
                bad.append(name)
        self.flags = []
        return arrived, bad

    def end(self) -> None:
        self.is_on = False
        for handle in self.handles:
            handle.remove()


def own_model(answers: Any, torch: Any, request: dict[str, Any], described: Callable[..., Any]) -> dict[str, object]:
    """Up to ``model_steps`` steps of what MODULE:CALLABLE makes, the last of them after an optimizer's step.

    It may return (module, inputs), a module with ``example_input_array`` or with ``model_input`` in the request,
    or a function that does one step.
    """
    device = request["device"]
    if not request["paths"]:
        sys.path.insert(0, os.getcwd())
    choices = Choices(request, [row["block"] for row in request["known"]])
    module_name, _, attribute = request["model"].partition(":")
    steps: list[dict[str, Any]] = []
    blocks: list[Block] = []
    made: Any = None
    watch: Optional[Watch] = None
    error = None
    free = torch.cuda.mem_get_info()[0] if device == "cuda" and hasattr(torch.cuda, "mem_get_info") else 0
    try:
        with choices.watching():
            answers.at("import " + module_name)
            target: Any = importlib.import_module(module_name)
            for part in attribute.split("."):
                target = getattr(target, part)
            answers.at("construction")
            given = request["model_args"]
            made, step = stepped(
                torch,
                target(*[value_of(v) for v in given["args"]], **{k: value_of(v) for k, v in given["kwargs"].items()}),
                request,
            )
        blocks = find_blocks(torch, made, request["known"])
        parameters = dict(made.named_parameters()) if made is not None and hasattr(made, "named_parameters") else {}
        for block in blocks:
            known = {id(p) for p in parameters.values()}
            parameters.update({"%s.%s" % (block.name, n): p for n, p in block.parameters.items() if id(p) not in known})
        names = {id(p): name for name, p in parameters.items()}
        watch = Watch(torch, blocks, parameters)
        for number in range(int(request["model_steps"])):
            answers.at("step %d" % (number + 1))
            steps.append(one_step(torch, device, step, blocks, watch, names, choices, request["watch"]))
            if number + 2 == int(request["model_steps"]) and made is not None and hasattr(torch, "optim"):
                answers.at("the optimizer's step")
                nudge(torch, made)
    except Exception as e:
        error = described(e)
    if watch is not None:
        watch.end()
    if error is None:
        answers.at("numbers")
    shapes = [] if error or getattr(torch, "PREFLIGHT_STANDIN", False) else compared(torch, blocks, described)
    return {
        "steps": steps,
        "blocks": [_shown(b) for b in blocks],
        "numbers": shapes,
        "modules": inventory(torch, made, request["known"]),
        "compiled": _is_compiled(made),
        # a GradScaler finds its scale by overflowing: gradients that are not finite are its work in the first steps
        "scaled": any(type(o).__name__ == "GradScaler" and o.is_enabled() for o in gc.get_objects()),
        "free_bytes": free,
        "peak_bytes": int(torch.cuda.max_memory_allocated()) if device == "cuda" else 0,
        "choices": choices.found(),
        "library": library_choices(),
        "error": error,
    }


def one_step(
    torch: Any, device: str, step: Any, blocks: Any, watch: Watch, names: Any, choices: Choices, patterns: Any
) -> dict[str, object]:
    for block in blocks:
        block.begin()
    watch.is_on = True
    inside: dict[str, dict[str, int]] = {}
    with traced(torch, device, patterns, inside) as trace, choices.watching():
        y = step()
    watch.is_on = False
    arrived, bad = watch.gradients()
    for block in blocks:
        mine = {names[id(p)]: n for n, p in block.parameters.items() if id(p) in names}
        now = block.steps[-1]
        now["launched"] = inside.get(str(block.number), {})
        now["arrived"] = [n for name, n in mine.items() if name in arrived]
        now["zero"] = [n for name, n in mine.items() if arrived.get(name)]
        now["bad"] = [n for name, n in mine.items() if name in bad]
    finite = all(bool(torch.isfinite(t).all()) for t in tensors_in(torch, y) if t.is_floating_point())
    return dict(trace, finite=finite, bad_gradients=bad[:20], gradients=len(arrived))


def find_blocks(torch: Any, made: Any, known: list[dict[str, Any]]) -> list[Block]:
    """The blocks of the model, or of everything alive where it is a function of one step."""
    if made is not None:
        modules = list(made.named_modules())
    else:
        alive = [m for m in gc.get_objects() if isinstance(m, torch.nn.Module)]
        modules = [("%s %d" % (type(m).__name__, n + 1), m) for n, m in enumerate(alive)]
    found: list[Block] = []
    for name, module in modules:
        row = _row_of(module, known)
        if row is not None and not any(module is b.module for b in found):
            found.append(Block(len(found), name or type(module).__name__, module, row))
    return found


def _row_of(module: Any, known: list[dict[str, Any]]) -> Optional[dict[str, Any]]:
    labels = ["%s.%s" % (kind.__module__, kind.__qualname__) for kind in type(module).__mro__]
    for row in known:
        if any(label in row["classes"] for label in labels):
            return row
    return None


def _shown(block: Block) -> dict[str, object]:
    trains = [n for n, p in block.parameters.items() if getattr(p, "requires_grad", False)]
    kind = type(block.module)
    return {
        "name": block.name,
        "block": block.row["block"],
        "class": "%s.%s" % (kind.__module__, kind.__qualname__),
        "trains": trains,
        "steps": block.steps,
    }


def nudge(torch: Any, made: Any) -> None:
    """A step of plain SGD, small enough to leave the numbers where they are."""
    moving = [p for p in made.parameters() if p.grad is not None]
    if moving:
        torch.nn.utils.clip_grad_norm_(moving, 1.0)
        torch.optim.SGD(moving, lr=1e-4).step()


def inventory(torch: Any, made: Any, known: list[dict[str, Any]]) -> list[dict[str, object]]:
    """How many of each class that matters here: Mamba blocks and depthwise convolutions outside of them."""
    counts: dict[str, int] = {}
    inside: list[str] = []
    for name, module in made.named_modules() if made is not None else ():
        kind = type(module)
        label = kind.__module__ + "." + kind.__qualname__
        if "mamba" in kind.__qualname__.lower() or kind.__module__.startswith("mamba_ssm") or _row_of(module, known):
            counts[label] = counts.get(label, 0) + 1
            if kind.__module__.startswith("mamba_ssm") or _row_of(module, known):
                inside.append(name + "." if name else "")
        elif isinstance(module, torch.nn.Conv1d) and module.groups == module.in_channels > 1:
            if not name.startswith(tuple(inside) or ("\0",)):
                counts["depthwise Conv1d"] = counts.get("depthwise Conv1d", 0) + 1
    return [{"class": label, "count": n} for label, n in sorted(counts.items())]


def _is_compiled(made: Any) -> bool:
    """Inside compiled code no hook runs: launches are counted for a whole step only."""
    modules = [m for _, m in made.named_modules()] if made is not None else []
    by_class = any(type(m).__name__ == "OptimizedModule" or getattr(m, "_compiled_call_impl", None) for m in modules)
    dynamo = sys.modules.get("torch._dynamo.utils")
    return by_class or bool(dynamo is not None and dict(dynamo.counters.get("frames", {})).get("ok"))
