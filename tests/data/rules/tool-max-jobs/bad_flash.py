import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CXX": "g++"})
    .pip_install("torch==2.4.1", "packaging", "wheel", "ninja")
    .pip_install("flash-attn", extra_options="--no-build-isolation")  # expect: tool-max-jobs
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:18 info: flash-attn may compile, and MAX_JOBS does not limit the number of its compilers
#     why: the image builder may run out of memory after 10 to 30 min
#     remedy: put .env({"MAX_JOBS": "4"}) before this step
#     fix (unsafe):
#         line 7: '' -> '.env({"MAX_JOBS": "4"})\n    '
