import modal


def recipe(toolkit: str, torch: str, mamba: str) -> modal.Image:
    image = modal.Image.from_registry(f"nvidia/cuda:{toolkit}-devel-ubuntu22.04", add_python="3.11")
    image = image.env({"CC": "gcc", "CXX": "g++"})
    image = image.pip_install(f"torch=={torch}", "packaging", "wheel", "transformers<5")
    return image.pip_install(f"mamba-ssm=={mamba}", extra_options="--no-build-isolation")  # expect: ver-ext-torch-floor


below = recipe("12.8.1", "2.8.0", "2.3.2.post1")
first = recipe("12.8.1", "2.9.1", "2.3.2.post1")
app = modal.App("a", image=below)

# What the rule says of this file:
# 8:30 error: mamba-ssm NEWEST needs triton >=3.5.0, and torch 2.8.0 brings 3.4.0: its kernels and its metadata want a newer triton, and pip replaces the one that torch pins
#     evidence: torch … requires triton==…, but you have triton 3.5.0 which is incompatible.
#     why: the image builds, and the import fails on the GPU after it was paid for
#     remedy: pin mamba-ssm==2.3.1, for torch 2.8
