import modal

slim = modal.Image.debian_slim(python_version="3.11")
b = (
    slim.uv_sync(uv_project_dir="open")
    .run_commands("uv pip install wandb", "pip install einops")  # expect: ord-pip-after-uv-sync
)
c = slim.uv_sync().uv_sync().pip_install("numpy")  # expect: ord-pip-after-uv-sync

# What the rule says of this file:
# 6:44 warning: run_commands calls pip after uv_sync (line 5), where there is none
#     why: the image build stops with: No module named pip
#     remedy: use uv pip install
# 8:30 warning: pip_install calls pip after uv_sync (line 8), where there is none
#     why: the image build stops with: No module named pip
#     remedy: use uv_pip_install
#     fix (safe):
#         line 8: '.pip_install(' -> '.uv_pip_install('
