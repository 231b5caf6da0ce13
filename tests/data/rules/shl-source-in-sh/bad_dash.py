import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "python -m venv /venv && source /venv/bin/activate && pip install wheel",  # expect: shl-source-in-sh
    "source $HOME/.cargo/env && cargo build",  # expect: shl-source-in-sh
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 4:30 error: `source /venv/bin/activate`: the image's /bin/sh is dash, which has no `source`
#     why: the image build stops with 'source: not found'
#     remedy: write `.` in place of `source`, or run it with bash -c
#     fix (safe):
#         line 4: 'source ' -> '. '
# 5:6 error: `source $HOME/.cargo/env`: the image's /bin/sh is dash, which has no `source`
#     why: the image build stops with 'source: not found'
#     remedy: write `.` in place of `source`, or run it with bash -c
#     fix (safe):
#         line 5: 'source ' -> '. '
