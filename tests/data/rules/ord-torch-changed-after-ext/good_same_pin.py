import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++"})
    .pip_install("torch==2.4.1", "packaging", "wheel")
    .pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
    .pip_install("torch==2.4.1", "torchvision==0.19.1", "transformers")
    .pip_install("vllm==0.8.0", extra_options="--no-deps")
)
app = modal.App("a", image=image)
