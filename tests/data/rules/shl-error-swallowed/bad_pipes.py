import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "pip install mamba-ssm==2.2.4 | tee build.log",  # expect: shl-error-swallowed
    "pip install mamba-ssm==2.2.4 | grep -v Requirement",  # expect: shl-error-swallowed
    "pip install mamba-ssm==2.2.4 | cat",  # expect: shl-error-swallowed
    "pip install mamba-ssm==2.2.4 | sed s/x/y/",  # expect: shl-error-swallowed
    "pip install mamba-ssm==2.2.4 | awk '{print $1}'",  # expect: shl-error-swallowed
    "pip install mamba-ssm==2.2.4 | head -3",  # expect: shl-error-swallowed
    "make -j4 | tee build.log",  # expect: shl-error-swallowed
    "pip install mamba-ssm==2.2.4 | python check.py",
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 4:6 warning: `pip install mamba-ssm==2.2.4`: piped into tee, whose success is the string's
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 5:6 warning: `pip install mamba-ssm==2.2.4`: piped into grep, whose success is the string's
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 6:6 warning: `pip install mamba-ssm==2.2.4`: piped into cat, whose success is the string's
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 7:6 warning: `pip install mamba-ssm==2.2.4`: piped into sed, whose success is the string's
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 8:6 warning: `pip install mamba-ssm==2.2.4`: piped into awk, whose success is the string's
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 9:6 warning: `pip install mamba-ssm==2.2.4`: piped into head, whose success is the string's
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 10:6 warning: `make -j4`: piped into tee, whose success is the string's
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
