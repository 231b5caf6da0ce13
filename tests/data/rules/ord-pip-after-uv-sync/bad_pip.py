import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .uv_sync()
    .pip_install("einops")  # expect: ord-pip-after-uv-sync
    .run_commands("pip install wandb")  # expect: ord-pip-after-uv-sync
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 6:6 warning: pip_install calls pip after uv_sync (line 5), where there is none
#     why: the image build stops with: No module named pip
#     remedy: use uv_pip_install
#     fix (safe):
#         line 6: '.pip_install(' -> '.uv_pip_install('
# 7:20 warning: run_commands calls pip after uv_sync (line 5), where there is none
#     why: the image build stops with: No module named pip
#     remedy: use uv pip install
