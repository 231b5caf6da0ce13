"""A stand-in for causal-conv1d's CUDA extension."""

import torch


def fwd(x, layout):
    torch.launch(f"causal_conv1d_{layout}fwd_kernel (simulated)")
    return torch.Tensor(x, backward=(f"causal_conv1d_{layout}bwd_kernel (simulated)",))
