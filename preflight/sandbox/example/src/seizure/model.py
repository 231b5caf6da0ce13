"""Mamba blocks over multi-channel recordings, or a Conv1d where Mamba can't be had."""

import os

import torch
from torch import nn

FORCE_FALLBACK = "SEIZURE_MAMBA_FORCE_FALLBACK"


def block(width: int) -> nn.Module:
    """Batch x time x width in and out."""
    if os.environ.get(FORCE_FALLBACK) == "1":
        return Conv(width)
    try:
        from mamba_ssm import Mamba2
    except ImportError as e:
        print(f"WARNING mamba-ssm does not load ({e}); a Conv1d takes its place", flush=True)
        return Conv(width)
    return Mamba2(d_model=width, d_state=64, d_conv=4, expand=2, headdim=32)


class Conv(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, kernel_size=5, padding=2, groups=width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x.transpose(1, 2)).transpose(1, 2)


class Detector(nn.Module):
    def __init__(self, channels: int = 19, width: int = 256, depth: int = 4) -> None:
        super().__init__()
        self.enter = nn.Linear(channels, width)
        self.blocks = nn.ModuleList(block(width) for _ in range(depth))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(depth))
        self.leave = nn.Linear(width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.enter(x)
        for norm, mix in zip(self.norms, self.blocks, strict=True):
            x = x + mix(norm(x))
        return self.leave(x.mean(dim=1)).squeeze(-1)


def preflight_model() -> tuple[nn.Module, torch.Tensor]:
    """What `preflight probe` runs of this project: a block as `block` chooses it, and its input."""
    return block(256), torch.randn(2, 768, 256)
