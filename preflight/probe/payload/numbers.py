"""How far a block's output and gradients are from the reference.

``relative`` is the L2 norm of the difference over that of the reference; ``scale`` is the reference's share in what
came (1 where it is right): rounding cancels in it, so that it shows a wrong factor far below ``relative``.
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from typing import Any, Callable

from .references import REFERENCES

NUMBERS_S = 40.0  # for the comparisons of a model, one block after another
MOST_WORK = 2048 * 512  # positions x width of one reference: about 5 s on two cores


def weighed(torch: Any, p: dict[str, Any]) -> None:
    """Makes what a scan remembers weigh more than what it passes through; changes the tensors in place.

    As initialised, Mamba2 forgets within a few steps: dropping the state between its chunks changes the output by
    0.9 %, less than bfloat16 rounds.  With slow decay, steps of 0.1 and a small skip it changes by 31 % (measured
    on the reference, d_model 256, length 320), while computing everything in bfloat16 changes it by 0.7 %.
    """
    if "A_log" not in p:
        return
    with torch.no_grad():
        a = p["A_log"]
        a.copy_(torch.linspace(0.02, 0.5, a.numel()).log().reshape(a.shape))
        p["D"].fill_(0.1)
        if "conv1d.weight" in p:
            p["conv1d.weight"].mul_(3)
        for name in ("dt_bias", "dt_proj.bias"):
            if name in p:
                p[name].fill_(math.log(math.expm1(0.1)))


@contextlib.contextmanager
def exact_products(torch: Any) -> Any:
    """The projections around a kernel are not the subject: TF32 is off for them here."""
    places = [(torch.backends.cuda.matmul, "allow_tf32"), (torch.backends.cudnn, "allow_tf32")]
    before = [getattr(*place) for place in places]
    for owner, name in places:
        setattr(owner, name, False)
    try:
        yield
    finally:
        for (owner, name), value in zip(places, before):
            setattr(owner, name, value)


def numerics(
    torch: Any, reference: str, block: Any, p: dict[str, Any], u: Any, y: Any, pull: Any, keep: Any = None
) -> dict[str, object]:
    """``p`` and ``u`` hold gradients of y.backward(pull); ``keep`` (samples, positions) bounds what is compared,
    which is right where ``pull`` is zero beyond it: the blocks are causal and the samples independent."""
    size = y.detach().float()
    about: dict[str, Any] = {
        "finite": bool(torch.isfinite(size).all()),
        "zero": not bool(size.any()),
        "compared": [],
        "without_reference": "",
    }
    pair = None if getattr(block, "is_mimo", False) else REFERENCES.get(reference)
    if pair is None or getattr(torch, "PREFLIGHT_STANDIN", False):
        about["without_reference"] = "stand-in tensors hold no numbers" if pair else "there is no reference for it"
        return about
    function, parts_of = pair
    torch.set_num_threads(max(2, (os.cpu_count() or 2) // 4))  # several children do this at once
    samples, positions = keep or u.shape[:2]

    def cut(tensor: Any) -> Any:
        return tensor.detach()[:samples, :positions].float().cpu()

    with torch.enable_grad():
        wanted_p = {n: v.detach().float().cpu().requires_grad_() for n, v in p.items()}
        x = cut(u).requires_grad_()
        wanted = function(torch, block, wanted_p, x)
        grads = torch.autograd.grad(wanted, [x, *wanted_p.values()], cut(pull), allow_unused=True)
    have, wanted = cut(y), wanted.detach()
    last = max(1, positions // 8)
    rows = [("output", have, wanted), ("the last eighth of the output", have[:, -last:], wanted[:, -last:])]
    rows.append(("gradient of the input", None if u.grad is None else cut(u.grad), grads[0]))
    parts = parts_of(block, p)
    for name, g in zip(p, grads[1:]):
        if g is not None:
            got = p[name].grad
            rows += list(_parts("gradient of " + name, got, g, parts.get(name, [])))
    about["compared"] = [_distance(what, got, want) for what, got, want in rows]
    return about


def _parts(what: str, got: Any, wanted: Any, parts: list[tuple[str, int]]) -> Any:
    if not parts or got is None:
        yield what, got, wanted
        return
    got, first = got.detach().float().cpu(), 0
    for name, size in parts:
        yield "%s %s" % (what, name), got[first : first + size], wanted[first : first + size]
        first += size


def _distance(what: str, got: Any, wanted: Any) -> dict[str, object]:
    size = float(wanted.norm())
    row: dict[str, Any] = {"what": what, "relative": None, "scale": None, "reference_norm": size, "norm": None}
    if got is not None:
        have, wanted = got.detach().double().cpu(), wanted.double()
        floor = max(size, 1e-30)
        found = {
            "relative": float((have - wanted).norm()) / floor,
            "scale": float((have * wanted).sum()) / floor**2,
            "norm": float(have.norm()),
        }
        row.update({name: value for name, value in found.items() if math.isfinite(value)})
    return row


# --- a model's own blocks, at its own shape ----------------------------------------------------------------


def compared(torch: Any, blocks: Any, described: Callable[..., Any]) -> list[dict[str, object]]:
    """Each block on its own input with its own weights, and on a normal input with weights that make the state
    weigh: one of every shape first, the others while there is time."""
    until, rows = time.monotonic() + NUMBERS_S, list[dict[str, Any]]()
    given, first = [b for b in blocks if b.given], dict[Any, Any]()
    for b in given:
        first.setdefault((b.row["block"], tuple(b.given[0].shape), str(b.given[0].dtype), b.given[3]), b)
    for block in [*first.values(), *(b for b in given if b not in first.values())]:
        for weights in ("own", "weighed"):
            if time.monotonic() > until:
                return rows
            row = {"module": block.name, "block": block.row["block"], "weights": weights, "shape": [], "dtype": ""}
            rows.append(row)
            try:
                row.update(_compared(torch, block, weights == "weighed"))
            except Exception as error:
                row.update(positions=0, error=described(error))
    return rows


def _compared(torch: Any, block: Any, is_weighed: bool) -> dict[str, object]:
    u, rest, kwargs, autocast = block.given
    shape, device = list(u.shape), str(u.device).partition(":")[0]
    p = {n: v.detach().clone().requires_grad_() for n, v in block.parameters.items()}
    dtype = autocast + " autocast" if autocast else str(p.get("in_proj.weight", u).dtype).replace("torch.", "")
    if len(shape) != 3 or not u.is_floating_point() or any(v is not None for v in (*rest, *kwargs.values())):
        raise TypeError("its input is not one tensor of (batch, length, width)")
    if is_weighed:
        weighed(torch, p)
        u = torch.randn_like(u)
    u = u.clone().requires_grad_()
    positions = max(1, min(shape[1], MOST_WORK // shape[2]))
    with torch.enable_grad(), exact_products(torch):
        with torch.autocast(device, dtype=getattr(torch, autocast)) if autocast else contextlib.nullcontext():
            y = torch.func.functional_call(block.module, p, (u, *rest), kwargs)
        y = y[0] if isinstance(y, tuple) else y
        pull = torch.zeros_like(y)
        pull[:1, :positions].normal_()
        y.backward(pull)
        found = numerics(torch, block.row["reference"], block.module, p, u, y, pull, (1, positions))
    return {"shape": shape, "dtype": dtype, "positions": positions, "numerics": found}
