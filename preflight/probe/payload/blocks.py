"""One block of the library: its first call, a traced call, steady calls, and its numbers."""

from __future__ import annotations

import time
from typing import Any

from .installed import block_class
from .numbers import numerics, weighed
from .trace import synchronize, traced

BATCH, ROUNDS = 2, 3  # of an input, and of the steady calls


def case(answers: Any, torch: Any, want: dict[str, Any], request: dict[str, Any], untuned: list[str]) -> Any:
    """The answer for one block in one dtype; ``untuned`` are the kernels of which one configuration was tried."""
    del untuned[:]
    answers.at("construction")
    options, kind, device = dict(want["options"]), getattr(torch, want["dtype"]), request["device"]
    width = int(options.pop("d_model", want["width"]))
    shape = (BATCH, int(request["length"] or want["length"]), width)
    make = block_class(want)

    def run(**more: Any) -> dict[str, object]:
        answers.at("construction")
        torch.manual_seed(int(request["seed"]))
        block = make(width, device=device, dtype=kind, **options, **more)
        return dict(exercised(answers, torch, block, shape, kind, device, want["reference"]), held=sorted(set(untuned)))

    try:
        return run()
    except Exception as error:
        # Mamba2's fused path has no way round a missing causal-conv1d; its other path has, and users take it.
        if want["block"] != "Mamba2" or "use_mem_eff_path" in options or not isinstance(error, TypeError):
            raise
        from .child import described

        failed_at = answers.last
        try:
            unfused = run(use_mem_eff_path=False)
        except Exception:
            answers.at(failed_at)
            raise error from None
        return dict(unfused, default_path_error=described(error))


def exercised(
    answers: Any, torch: Any, block: Any, shape: tuple[int, int, int], kind: Any, device: str, reference: str
) -> dict[str, object]:
    u = torch.randn(*shape, device=device, dtype=kind, requires_grad=True)
    pull = torch.randn(*shape, device=device, dtype=kind)
    parameters = dict(block.named_parameters())
    weighed(torch, parameters)

    def step() -> Any:
        u.grad = None
        for p in parameters.values():
            p.grad = None
        answers.at("forward")
        y = block(u)
        answers.at("backward")
        y.backward(pull)
        synchronize(torch, device)
        return y

    began = time.perf_counter()
    step()
    first_call_s = time.perf_counter() - began
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with traced(torch, device) as trace:
        y = step()
    answers.at("steady calls")
    peak = int(torch.cuda.max_memory_allocated()) if device == "cuda" else 0
    began = time.perf_counter()
    for _ in range(ROUNDS):
        step()
    steady_s = (time.perf_counter() - began) / ROUNDS
    answers.at("numbers")
    return {
        "shape": list(shape),
        "first_call_s": round(first_call_s, 4),
        "steady_s": round(steady_s, 6),
        "peak_bytes": peak,
        **trace,
        "without_gradient": [n for n, p in dict(parameters, input=u).items() if p.requires_grad and p.grad is None],
        "numerics": numerics(torch, reference, block, parameters, u, y, pull),
    }


def depthwise_fallback(torch: Any, device: str) -> dict[str, object]:
    """What a model that gives up on the kernels runs instead: one depthwise Conv1d, forward and backward."""
    width = 512
    layer = torch.nn.Conv1d(width, width, 3, padding="same", groups=width, device=device)
    x = torch.randn(BATCH, width, 320, device=device, requires_grad=True)

    def step() -> Any:
        y = layer(x)
        y.sum().backward()
        synchronize(torch, device)
        return y

    step()
    began = time.perf_counter()
    y = step()
    steady_s = time.perf_counter() - began
    with traced(torch, device) as trace:
        step()
    return dict(trace, finite=bool(torch.isfinite(y).all()), steady_s=round(steady_s, 6))
