import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("flash-attn==2.6.3", "--no-build-isolation")  # expect: iso-flag-in-package-list
    .pip_install(["-U setuptools", "numpy"])  # expect: iso-flag-in-package-list
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 5:39 error: '--no-build-isolation' is among the packages of pip_install
#     why: the client refuses the file before anything is built
#     remedy: give flags as extra_options="--no-build-isolation"
#     fix (safe):
#         line 5: '"--no-build-isolation"' -> 'extra_options="--no-build-isolation"'
# 6:19 error: '-U setuptools' is among the packages of pip_install
#     why: the client refuses the file before anything is built
#     remedy: give flags as extra_options="-U setuptools"
