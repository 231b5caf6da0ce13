import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++"})
    .pip_install("torch==2.2.2")
    .pip_install("mamba-ssm>=2.0.0", "causal-conv1d", extra_options="--no-build-isolation")  # expect: ver-ext-unpinned
    .run_commands("pip install --no-build-isolation flash-attn")  # expect: ver-ext-unpinned
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:18 warning: mamba-ssm is not pinned; today that means mamba-ssm NEWEST
#     evidence: mamba-ssm>=2.0.0
#     why: the same file builds something else next month, or compiles for 5 to 60 min
#     remedy: pin it with == to a release that has a wheel for this torch: mamba-ssm==2.2.4
#     fix (unsafe):
#         line 7: 'mamba-ssm>=2.0.0' -> 'mamba-ssm==2.2.4'
# 7:38 warning: causal-conv1d is not pinned; today that means causal-conv1d NEWEST
#     evidence: causal-conv1d
#     why: the same file builds something else next month, or compiles for 5 to 60 min
#     remedy: pin it with == to a release that has a wheel for this torch: causal-conv1d==1.5.0.post8
#     fix (unsafe):
#         line 7: 'causal-conv1d' -> 'causal-conv1d==1.5.0.post8'
# 8:20 warning: flash-attn is not pinned
#     evidence: flash-attn
#     why: the same file builds something else next month, or compiles for 5 to 60 min
#     remedy: pin it with == to a release that has a wheel for this torch: flash-attn==2.7.4.post1
