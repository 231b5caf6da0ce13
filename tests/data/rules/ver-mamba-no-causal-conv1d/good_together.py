import os

import modal

base = modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11").pip_install("torch==2.2.2")
extra = base.pip_install("mamba-ssm[causal-conv1d]==2.2.2", extra_options="--no-build-isolation")
later = base.pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation").pip_install("causal-conv1d==1.4.0", extra_options="--no-build-isolation")
unknown = base.pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation").pip_install(os.environ["MORE"])
app = modal.App("a", image=later)
