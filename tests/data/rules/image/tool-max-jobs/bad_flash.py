import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++"})
    .pip_install("torch==2.4.1", "packaging", "wheel", "ninja")
    .pip_install("flash-attn", extra_options="--no-build-isolation")  # expect: tool-max-jobs
)
app = modal.App("a", image=image)
