import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "CC=gcc CXX=g++ pip install -v --no-build-isolation mamba-ssm>=2.0.0",  # expect: shl-unquoted-specifier
    "pip install 'wheel' numpy<2 einops",  # expect: shl-unquoted-specifier
    "uv pip install --system transformers>=4.45,<5",  # expect: shl-unquoted-specifier
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 4:6 error: `CC=gcc CXX=g++ pip install -v --no-build-isolation mamba-ssm >=2.0.0`: the shell takes >=2.0.0 for a redirection
#     why: the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none
#     remedy: put quotes around each requirement that has a bound
#     fix (safe):
#         line 4: '' -> "'"
#         line 4: '' -> "'"
# 5:6 error: `pip install 'wheel' numpy <2 einops`: the shell takes <2 for a redirection
#     why: the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none
#     remedy: put quotes around each requirement that has a bound
# 6:6 error: `uv pip install --system transformers >=4.45, <5`: the shell takes >=4.45,, <5 for a redirection
#     why: the bound is not given to pip; '>' leaves a file of that name, '<' fails because there is none
#     remedy: put quotes around each requirement that has a bound
#     fix (safe):
#         line 6: '' -> "'"
#         line 6: '' -> "'"
