import modal

base = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CC": "gcc", "CXX": "g++"})
    .pip_install("torch==2.2.2", "packaging", "wheel", "numpy<2", "transformers<5")
)
new = base.pip_install("mamba-ssm==2.3.2.post1", extra_options="--no-build-isolation")  # expect: ver-ext-torch-floor
crossed = base.pip_install("causal-conv1d==1.5.2", extra_options="--no-build-isolation").pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation")  # expect: ver-ext-torch-floor
forced = base.env({"MAMBA_FORCE_BUILD": "TRUE"}).pip_install("mamba-ssm==2.2.2", extra_options="--no-build-isolation")  # expect: ver-ext-torch-floor
mislabelled = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .pip_install("torch==2.6.0", "packaging", "wheel")
    .run_commands("CXX=g++ pip install --no-build-isolation mamba-ssm==2.3.0")  # expect: ver-ext-torch-floor
)
transformers5 = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .pip_install("torch==2.2.2", "packaging", "wheel", "transformers")
    .run_commands("CXX=g++ pip install --no-build-isolation mamba-ssm==2.2.2")  # expect: ver-ext-torch-floor
)
cpp20 = (
    modal.Image.from_registry("nvidia/cuda:13.0.1-devel-ubuntu22.04", add_python="3.11")
    .pip_install("torch==2.14.1", "packaging", "wheel")
    .run_commands("CXX=g++ pip install --no-build-isolation mamba-ssm==2.3.2.post1")  # expect: ver-ext-torch-floor
)
app = modal.App("a", image=new)
