"""Where the stand-in packages of the sandbox lie.  Every reading made with them says that it is simulated."""

from __future__ import annotations

from pathlib import Path

STANDIN = Path(__file__).with_name("standin")


def pythonpath(*, has_causal_conv1d: bool = True) -> tuple[Path, ...]:
    """Folders for PYTHONPATH: stand-ins for torch and mamba-ssm, and for causal-conv1d unless it is to be missing."""
    return (STANDIN / "base", STANDIN / "conv") if has_causal_conv1d else (STANDIN / "base",)
