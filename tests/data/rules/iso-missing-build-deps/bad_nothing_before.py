import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.1.1-devel-ubuntu22.04", add_python="3.11")
    .env({"CC": "gcc", "CXX": "g++"})
    .pip_install("torch==2.2.2", "numpy<2")
    .run_commands("pip install -v --no-build-isolation mamba-ssm==2.2.2")  # expect: iso-missing-build-deps
)
same_call = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.2.2", "numpy<2")
    .pip_install("packaging", "mamba-ssm==2.2.2", extra_options="--no-build-isolation")  # expect: iso-missing-build-deps
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 7:20 error: mamba-ssm is built without isolation, and packaging and wheel are not installed before it
#     why: the image build stops with: No module named 'packaging'
#     remedy: put .pip_install("packaging", "wheel", "ninja") before this step
#     fix (safe):
#         line 7: '' -> '.pip_install("packaging", "wheel", "ninja")\n    '
# 12:31 error: mamba-ssm is built without isolation, and packaging is not installed before it
#     why: the image build stops with: No module named 'packaging'
#     remedy: put .pip_install("packaging", "ninja") before this step
#     fix (safe):
#         line 12: '' -> '.pip_install("packaging", "ninja")\n    '
