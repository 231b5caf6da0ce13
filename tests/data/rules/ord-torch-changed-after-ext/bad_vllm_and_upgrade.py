import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++"})
    .pip_install("torch==2.4.1", "packaging", "wheel")
    .pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
    .pip_install("vllm==0.8.0")  # expect: ord-torch-changed-after-ext
    .run_commands("pip install -U torch")  # expect: ord-torch-changed-after-ext
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 8:18 warning: vllm==0.8.0 may replace the torch of flash-attn (line 7)
#     why: the extension then fails at import on the GPU with: undefined symbol
#     remedy: install vllm before flash-attn, or with --no-deps or a constraint on torch
# 9:20 warning: torch may replace the torch of flash-attn (line 7)
#     why: the extension then fails at import on the GPU with: undefined symbol
#     remedy: install torch before flash-attn, or with --no-deps or a constraint on torch
