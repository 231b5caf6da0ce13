"""Mamba and Mamba2 over a real torch on the CPU: right numbers by another way than the payload's reference.

Everything is reckoned in float64 as a recurrence over chunks of one step with an outer product, and rounded once at
the end.  Launches are record_function labels that begin with ``simulated::``.  PROBE_FAULT in the environment makes
one thing wrong.
"""

import os

import torch
from torch import nn

__version__ = "2.3.2.post1"
FAULT = os.environ.get("PROBE_FAULT", "")
SSD_FORWARD = (
    "_chunk_cumsum_fwd_kernel",
    "_chunk_state_fwd_kernel",
    "_state_passing_fwd_kernel",
    "_bmm_chunk_fwd_kernel",
    "_chunk_scan_fwd_kernel",
)
SSD_BACKWARD = (
    "_chunk_cumsum_bwd_kernel",
    "_state_passing_bwd_kernel",
    "_bmm_chunk_bwd_kernel",
    "_chunk_scan_bwd_dstates_kernel",
    "_chunk_scan_chunk_state_bwd_dx_kernel",
    "_chunk_state_bwd_db_kernel",
    "_chunk_scan_bwd_dc_kernel",
    "_chunk_scan_bwd_ddAcs_stable_kernel",
)


def launch(*names):
    for name in names:
        with torch.profiler.record_function("simulated::" + name):
            pass


class Marked(torch.autograd.Function):
    """Passes its input on, and launches ``behind`` when the gradient comes back."""

    @staticmethod
    def forward(ctx, x, behind):
        ctx.behind = behind
        return x.view_as(x)

    @staticmethod
    def backward(ctx, gradient):
        launch(*ctx.behind)
        return (torch.zeros_like(gradient) if FAULT == "zero-gradient" else gradient), None


def faulty(y):
    if FAULT == "zeros":
        return y * 0
    if FAULT == "nan":
        return y + torch.where(torch.arange(y.shape[1]) == 5, torch.nan, 0.0)[:, None].to(y.dtype)
    if FAULT == "wrong":
        # what a kernel does that loses the state between two chunks
        return torch.cat([y[:, :-16], y[:, -16:] * 0.7], dim=1)
    if FAULT == "detached":
        return y.detach() + 0 * y.sum()
    return y


def conv(x, layer):
    taps = layer.weight.shape[-1]
    wide = torch.nn.functional.conv1d(
        x.transpose(1, 2), layer.weight.double(), layer.bias.double(), padding=taps - 1, groups=layer.weight.shape[0]
    )
    return torch.nn.functional.silu(wide[..., : x.shape[1]].transpose(1, 2))


class Mamba(nn.Module):
    def __init__(self, d_model, d_state=8, d_conv=4, expand=2, device=None, dtype=None):
        super().__init__()
        inner, rank = expand * d_model, max(1, d_model // 16)
        about = {"device": device, "dtype": dtype}
        self.rank, self.d_state = rank, d_state
        self.in_proj = nn.Linear(d_model, 2 * inner, bias=False, **about)
        self.conv1d = nn.Conv1d(inner, inner, d_conv, groups=inner, padding=d_conv - 1, **about)
        self.x_proj = nn.Linear(inner, rank + 2 * d_state, bias=False, **about)
        self.dt_proj = nn.Linear(rank, inner, **about)
        self.A_log = nn.Parameter(torch.arange(1.0, d_state + 1).log().repeat(inner, 1))
        self.D = nn.Parameter(torch.ones(inner))
        self.out_proj = nn.Linear(inner, d_model, bias=False, **about)

    def forward(self, u):
        launch("causal_conv1d_fwd_kernel", "selective_scan_fwd_kernel")
        x, z = (u.double() @ self.in_proj.weight.double().T).chunk(2, -1)
        x = conv(x, self.conv1d)
        mixed = x @ self.x_proj.weight.double().T
        dt, b, c = mixed.split([self.rank, self.d_state, self.d_state], -1)
        dt = torch.nn.functional.softplus(dt @ self.dt_proj.weight.double().T + self.dt_proj.bias.double())
        a = -self.A_log.double().exp()
        state, out = 0.0, []
        for t in range(u.shape[1]):
            step = dt[:, t, :, None]
            state = (step * a).exp() * state + torch.einsum("bdi,bn->bdn", step * x[:, t, :, None], b[:, t])
            out.append(torch.einsum("bdn,bn->bd", state, c[:, t]) + self.D.double() * x[:, t])
        y = torch.stack(out, 1) * torch.nn.functional.silu(z) @ self.out_proj.weight.double().T
        behind = ("selective_scan_bwd_kernel", "causal_conv1d_bwd_kernel")
        return Marked.apply(faulty(y.to(u.dtype)), behind)


class Mamba2(nn.Module):
    def __init__(self, d_model, d_state=16, headdim=32, expand=2, use_mem_eff_path=True, device=None, dtype=None):
        super().__init__()
        inner, about = expand * d_model, {"device": device, "dtype": dtype}
        self.headdim, self.d_state, self.ngroups, self.rmsnorm = headdim, d_state, 1, True
        self.nheads, self.dt_limit = inner // headdim, (0.0, float("inf"))
        width = inner + 2 * d_state
        self.in_proj = nn.Linear(d_model, 2 * inner + 2 * d_state + self.nheads, bias=False, **about)
        self.conv1d = nn.Conv1d(width, width, 4, groups=width, padding=3, **about)
        self.dt_bias = nn.Parameter(torch.linspace(-4, -1, self.nheads, **about))
        self.A_log = nn.Parameter(torch.linspace(0, 2, self.nheads, **about))
        self.D = nn.Parameter(torch.ones(self.nheads, **about))
        self.norm = nn.Module()
        self.norm.weight = nn.Parameter(torch.linspace(0.5, 1.5, inner, **about))
        self.norm.eps, self.norm.norm_before_gate = 1e-5, False
        self.norm_before_gate = False
        self.out_proj = nn.Linear(inner, d_model, bias=False, **about)

    def forward(self, u):
        launch("causal_conv1d_channellast_fwd_kernel", *SSD_FORWARD)
        inner = self.nheads * self.headdim
        mixed = u.double() @ self.in_proj.weight.double().T
        z, xbc, dt = mixed.split([inner, inner + 2 * self.d_state, self.nheads], -1)
        x, b, c = conv(xbc, self.conv1d).split([inner, self.d_state, self.d_state], -1)
        x = x.unflatten(-1, (self.nheads, self.headdim))
        dt = torch.nn.functional.softplus(dt + self.dt_bias.double())
        decay = (dt * -self.A_log.double().exp()).exp()
        state, out = 0.0, []
        for t in range(u.shape[1]):
            drive = torch.einsum("bh,bhp,bn->bhpn", dt[:, t], x[:, t], b[:, t])
            state = decay[:, t, :, None, None] * state + drive
            out.append(torch.einsum("bhpn,bn->bhp", state, c[:, t]) + self.D.double()[:, None] * x[:, t])
        y = torch.stack(out, 1).flatten(2) * torch.nn.functional.silu(z)
        y = y / (y.square().mean(-1, keepdim=True) + 1e-5).sqrt() * self.norm.weight.double()
        y = y @ self.out_proj.weight.double().T
        return Marked.apply(faulty(y.to(u.dtype)), (*SSD_BACKWARD, "causal_conv1d_channellast_bwd_kernel"))
