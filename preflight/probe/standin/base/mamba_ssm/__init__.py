"""A stand-in for mamba-ssm: it takes the same turns as the real one when causal-conv1d is missing."""

__version__ = "2.3.2.post1"

from mamba_ssm.modules.mamba2 import Mamba2 as Mamba2
from mamba_ssm.modules.mamba_simple import Mamba as Mamba
