import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "pip install mamba-ssm==2.2.4 --no-build-isolation || true",  # expect: shl-error-swallowed
    "pip install flash-attn==2.7.4.post1 --no-build-isolation || echo 'no flash-attn'",  # expect: shl-error-swallowed
    "cd /src && pip install -e . 2>/dev/null",  # expect: shl-error-swallowed
    "python setup.py install | tail -5",  # expect: shl-error-swallowed
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 4:6 warning: `pip install mamba-ssm==2.2.4 --no-build-isolation`: `|| true` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 5:6 warning: `pip install flash-attn==2.7.4.post1 --no-build-isolation`: `|| echo` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 6:17 warning: `pip install -e . 2>/dev/null`: its error output is thrown away
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 7:6 warning: `python setup.py install`: piped into tail, whose success is the string's
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
