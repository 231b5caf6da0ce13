"""A stand-in for mamba-ssm's CUDA extension."""

import torch

BACKWARD = ("selective_scan_bwd_kernel (simulated)",)


def fwd() -> None:
    torch.launch("selective_scan_fwd_kernel (simulated)")  # type: ignore[attr-defined]
