"""What the blocks compute, in plain PyTorch, float32, on the CPU: what judges the GPU is not the GPU.

One entry of ``REFERENCES`` a block: the function, and the parts of its parameters whose gradients are held
against it one by one, so that an error in one of them is not diluted by the rest of a projection.
"""

from __future__ import annotations

import math
from typing import Any, Callable

CHUNK = 64  # of the references' own sums; the kernels' chunks are 256 (Mamba2) and 64 (Mamba3)


def _linear(p: dict[str, Any], name: str, x: Any) -> Any:
    y = x @ p[name + ".weight"].t()
    return y + p[name + ".bias"] if name + ".bias" in p else y


def _causal_conv(torch: Any, p: dict[str, Any], x: Any) -> Any:
    """Depthwise over (batch, length, channel): each output sees its own position and those before it."""
    weight = p["conv1d.weight"].squeeze(1)
    taps, length = weight.shape[1], x.shape[1]
    padded = torch.nn.functional.pad(x, (0, 0, taps - 1, 0))
    y = sum(padded[:, k : k + length] * weight[:, k] for k in range(taps))
    return torch.nn.functional.silu(y + p["conv1d.bias"] if "conv1d.bias" in p else y)


def reference_mamba(torch: Any, block: Any, p: dict[str, Any], u: Any) -> Any:
    """The selective scan as a loop over time: h = exp(dt A) h + dt B x, y = C h + D x, gated by silu(z)."""
    functional = torch.nn.functional
    x, z = _linear(p, "in_proj", u).chunk(2, dim=-1)
    x = _causal_conv(torch, p, x)
    states = p["A_log"].shape[1]
    rank = p["dt_proj.weight"].shape[1]
    dt, b, c = torch.split(_linear(p, "x_proj", x), [rank, states, states], dim=-1)
    dt = functional.softplus(_linear(p, "dt_proj", dt))
    decay = torch.exp(dt.unsqueeze(-1) * -torch.exp(p["A_log"])).unbind(1)
    drive = ((dt * x).unsqueeze(-1) * b.unsqueeze(2)).unbind(1)
    h = torch.zeros_like(drive[0])
    states_seen = []
    for t in range(u.shape[1]):
        h = torch.addcmul(drive[t], decay[t], h)
        states_seen.append(h)
    seen = (torch.stack(states_seen, dim=1) @ c.unsqueeze(-1)).squeeze(-1)
    return _linear(p, "out_proj", (seen + p["D"] * x) * functional.silu(z))


def parts_of_mamba(block: Any, p: dict[str, Any]) -> dict[str, list[tuple[str, int]]]:
    inner, states = p["A_log"].shape
    return {
        "in_proj.weight": [("x", inner), ("z", inner)],
        "x_proj.weight": [("dt", p["dt_proj.weight"].shape[1]), ("B", states), ("C", states)],
    }


def _ssd_sizes(block: Any) -> tuple[int, int, int, int]:
    """Heads, groups, head size and states, under the names of mamba_ssm or those of transformers."""
    names = (("nheads", "num_heads"), ("ngroups", "n_groups"), ("headdim", "head_dim"), ("d_state", "ssm_state_size"))
    heads, groups, size, states = (getattr(block, a) if hasattr(block, a) else getattr(block, b) for a, b in names)
    return heads, groups, size, states


def reference_mamba2(torch: Any, block: Any, p: dict[str, Any], u: Any) -> Any:
    """State-space duality over chunks of its own size, which is not the kernels'."""
    functional = torch.nn.functional
    heads, groups, size, states = _ssd_sizes(block)
    inner = heads * size
    mixed = _linear(p, "in_proj", u)
    plain = (mixed.shape[-1] - 2 * inner - 2 * groups * states - heads) // 2
    z0, x0, z, xbc, dt = torch.split(mixed, [plain, plain, inner, inner + 2 * groups * states, heads], dim=-1)
    x, b, c = torch.split(_causal_conv(torch, p, xbc), [inner, groups * states, groups * states], dim=-1)
    batch, length = u.shape[:2]
    x = x.reshape(batch, length, heads, size)
    b = b.reshape(batch, length, groups, states).repeat_interleave(heads // groups, dim=2)
    c = c.reshape(batch, length, groups, states).repeat_interleave(heads // groups, dim=2)
    limit = getattr(block, "dt_limit", None) or getattr(block, "time_step_limit", None) or (0.0, math.inf)
    dt = functional.softplus(dt + p["dt_bias"]).clamp(*limit)
    y = _decayed_attention(torch, c, b, dt, dt * -torch.exp(p["A_log"]), x)
    y = (y + p["D"].reshape(heads, -1) * x).reshape(batch, length, inner)
    norm = getattr(block, "norm", None) if getattr(block, "rmsnorm", True) else None
    if norm is not None:
        eps = norm.eps if hasattr(norm, "eps") else norm.variance_epsilon
        y = _gated_norm(torch, y, z, p["norm.weight"], eps, inner // groups, getattr(block, "norm_before_gate", False))
    else:
        y = y * functional.silu(z)
    if plain:
        y = torch.cat([functional.silu(z0) * x0, y], dim=-1)
    return _linear(p, "out_proj", y)


def parts_of_mamba2(block: Any, p: dict[str, Any]) -> dict[str, list[tuple[str, int]]]:
    heads, groups, size, states = _ssd_sizes(block)
    inner, keys = heads * size, groups * states
    plain = (p["in_proj.weight"].shape[0] - 2 * inner - 2 * keys - heads) // 2
    conv = [("x", inner), ("B", keys), ("C", keys)]
    mixed = [("mlp", 2 * plain)] * bool(plain) + [("z", inner), *conv, ("dt", heads)]
    return {"in_proj.weight": mixed, "in_proj.bias": mixed, "conv1d.weight": conv, "conv1d.bias": conv}


def _decayed_attention(
    torch: Any, q: Any, k: Any, scale: Any, log_decay: Any, v: Any, earlier_only: bool = False
) -> Any:
    """y[t] = sum over s <= t (or s < t) of exp(log_decay[s+1] + ... + log_decay[t]) (q[t] . k[s]) scale[s] v[s]."""
    length = q.shape[1]
    state = torch.zeros(q.shape[0], q.shape[2], q.shape[3], v.shape[3], device=q.device, dtype=q.dtype)
    out = []
    for first in range(0, length, CHUNK):
        part = slice(first, min(first + CHUNK, length))
        total = log_decay[:, part].cumsum(dim=1)
        size = total.shape[1]
        between = total.unsqueeze(2) - total.unsqueeze(1)
        hidden = torch.ones(size, size, dtype=torch.bool, device=q.device).triu(0 if earlier_only else 1)
        decay = between.masked_fill(hidden.reshape(1, size, size, 1), -math.inf).exp()
        keys, values = k[:, part] * scale[:, part].unsqueeze(-1), v[:, part]
        here = torch.einsum("bthn,bshn->btsh", q[:, part], keys) * decay
        before = torch.einsum("bthn,bhnp->bthp", q[:, part] * total.exp().unsqueeze(-1), state)
        out.append(torch.einsum("btsh,bshp->bthp", here, values) + before)
        left = (total[:, -1:] - total).exp().unsqueeze(-1)
        state = state * total[:, -1].exp()[..., None, None] + torch.einsum("bshn,bshp->bhnp", keys * left, values)
    return torch.cat(out, dim=1)


def _gated_norm(torch: Any, y: Any, z: Any, weight: Any, eps: float, group: int, norm_first: bool) -> Any:
    gate = torch.nn.functional.silu(z)
    if not norm_first:
        y = y * gate
    parts = y.reshape(*y.shape[:-1], -1, group)
    y = (parts * torch.rsqrt(parts.square().mean(-1, keepdim=True) + eps)).reshape(y.shape) * weight
    return y * gate if norm_first else y


def reference_mamba3(torch: Any, block: Any, p: dict[str, Any], u: Any) -> Any:
    """SISO: a trapezoidal step (each input enters with its own dt and the next one's), keys and queries rotated."""
    functional = torch.nn.functional
    heads, size, states, groups = block.nheads, block.headdim, block.d_state, block.num_bc_heads
    inner, turns = heads * size, block.num_rope_angles
    sizes = [inner, inner, states * groups, states * groups, heads, heads, heads, turns]
    z, x, k, q, dt, a, trap, angles = torch.split(_linear(p, "in_proj", u), sizes, dim=-1)
    batch, length = u.shape[:2]
    x = x.reshape(batch, length, heads, size)
    k = _head_keys(torch, k, p["B_norm.weight"], p["B_bias"], block.B_norm.eps, groups)
    q = _head_keys(torch, q, p["C_norm.weight"], p["C_bias"], block.C_norm.eps, groups)
    dt = functional.softplus(dt + p["dt_bias"])
    log_decay = dt * (-functional.softplus(a)).clamp(max=-block.A_floor)
    trap = torch.sigmoid(trap)
    own = dt * trap
    ahead = functional.pad((dt * (1 - trap))[:, 1:], (0, 0, 0, 1))
    itself = (q * k).sum(-1) * own  # a position meets itself before its rotation, which would cancel
    angle = (torch.tanh(angles).unsqueeze(2) * math.pi * dt.unsqueeze(-1)).cumsum(dim=1)
    k, q = _rotated(torch, k, angle), _rotated(torch, q, angle)
    y = _decayed_attention(torch, q, k, own + ahead, log_decay, x, earlier_only=True)
    y = y + (p["D"] + itself).unsqueeze(-1) * x
    y = y.reshape(batch, length, inner)
    if block.is_outproj_norm:
        y = _gated_norm(torch, y, z, p["norm.weight"], block.norm.eps, size, True)
    else:
        y = y * functional.silu(z)
    return _linear(p, "out_proj", y)


def _head_keys(torch: Any, x: Any, weight: Any, bias: Any, eps: float, groups: int) -> Any:
    """(batch, length, head, state): normed per group, then a bias per head."""
    x = x.reshape(*x.shape[:2], groups, -1)
    x = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + eps) * weight
    return x.repeat_interleave(bias.shape[0] // groups, dim=2) + bias.squeeze(1)


def _rotated(torch: Any, x: Any, angle: Any) -> Any:
    """Pairs of neighbours turned by ``angle``; the states behind the last angle stay."""
    moving = x[..., : 2 * angle.shape[-1]]
    even, odd = moving[..., 0::2], moving[..., 1::2]
    cos, sin = torch.cos(angle), torch.sin(angle)
    turned = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1).flatten(-2)
    return torch.cat([turned, x[..., moving.shape[-1] :]], dim=-1)


def parts_of_mamba3(block: Any, p: dict[str, Any]) -> dict[str, list[tuple[str, int]]]:
    inner, keys, heads = block.nheads * block.headdim, block.d_state * block.num_bc_heads, block.nheads
    names = ("z", "x", "B", "C", "dt", "A", "trap", "angles")
    sizes = (inner, inner, keys, keys, heads, heads, heads, block.num_rope_angles)
    return {"in_proj.weight": list(zip(names, sizes))}


REFERENCES: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "mamba": (reference_mamba, parts_of_mamba),
    "mamba2": (reference_mamba2, parts_of_mamba2),
    "mamba3": (reference_mamba3, parts_of_mamba3),
}
