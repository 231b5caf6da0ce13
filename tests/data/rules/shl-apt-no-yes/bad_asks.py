import modal

image = (
    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
    .run_commands(
        "apt-get install -y git",  # expect: shl-apt-no-yes
        "apt-get update",
        "apt-get install --no-install-recommends ninja-build",  # expect: shl-apt-no-yes
    )
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 6:10 error: `apt-get install -y git` before any apt-get update: the base has no package list
#     why: the image build stops with 'Unable to locate package'
#     remedy: write `apt-get update && ` before it, or use .apt_install(…)
# 8:10 error: `apt-get install --no-install-recommends ninja-build` has no -y: apt asks and gets no answer
#     why: the image build stops at this step
#     remedy: write apt-get install -y, or use .apt_install(…)
#     fix (safe):
#         line 8: ' install ' -> ' install -y '
