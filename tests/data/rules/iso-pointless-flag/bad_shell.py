import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.run_commands("ls", "pip install --no-build-isolation transformers")  # expect: iso-pointless-flag
b = slim.pip_install("transformers", extra_options="--no-build-isolation --no-deps")  # expect: iso-pointless-flag

# What the rule says of this file:
# 4:30 info: --no-build-isolation does nothing for transformers: they come as wheels
#     remedy: leave the flag out
# 5:38 info: --no-build-isolation does nothing for transformers: they come as wheels
#     remedy: leave the flag out
