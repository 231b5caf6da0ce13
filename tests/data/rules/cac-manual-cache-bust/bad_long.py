import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "echo rebuild because somebody asked for it again",  # expect: cac-manual-cache-bust
)

# What the rule says of this file:
# 4:6 info: `echo rebuild because somebody asked for it ag` does nothing but make the layer new
#     remedy: pin what has to be new (a commit, a version), or use force_build=True for one run
