"""A stand-in for causal-conv1d."""
