import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "apt-get install -y git || true",  # expect: shl-error-swallowed
    "apt install -y git || :",  # expect: shl-error-swallowed
    "conda install -y -c nvidia cuda || printf failed",  # expect: shl-error-swallowed
    "mamba install -y gcc || exit 0",  # expect: shl-error-swallowed
    "micromamba install -y gcc || /bin/true",  # expect: shl-error-swallowed
    "npm install left-pad || (echo failed; exit 0)",  # expect: shl-error-swallowed
    "cargo install ripgrep &>/dev/null",  # expect: shl-error-swallowed
    "python3 setup.py develop || echo failed && exit 0",  # expect: shl-error-swallowed
    "python /src/setup.py build_ext --inplace 2> /dev/null",  # expect: shl-error-swallowed
    "cmake --build . || true",  # expect: shl-error-swallowed
    "ninja || echo failed; ls",  # expect: shl-error-swallowed
    "uv pip install wheel | /usr/bin/tail -1",  # expect: shl-error-swallowed
    "pip install wheel | tee log && set -o pipefail",  # expect: shl-error-swallowed
    "pip install a-package-with-a-long-name another-package-with-a-long-name-too || true",  # expect: shl-error-swallowed
)

# What the rule says of this file:
# 4:6 warning: `apt-get install -y git`: `|| true` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 5:6 warning: `apt install -y git`: `|| :` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 6:6 warning: `conda install -y -c nvidia cuda`: `|| printf` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 7:6 warning: `mamba install -y gcc`: `|| exit` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 8:6 warning: `micromamba install -y gcc`: `|| true` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 9:6 warning: `npm install left-pad`: `|| echo` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 10:6 warning: `cargo install ripgrep &>/dev/null`: its error output is thrown away
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 11:6 warning: `python3 setup.py develop`: `|| echo` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 12:6 warning: `python /src/setup.py build_ext --inplace 2> /dev/null`: its error output is thrown away
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 13:6 warning: `cmake --build .`: `|| true` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 14:6 warning: `ninja`: `|| echo` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 15:6 warning: `uv pip install wheel`: piped into tail, whose success is the string's
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 16:6 warning: `pip install wheel`: piped into tee, whose success is the string's
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
# 17:6 warning: `pip install a-package-with-a-long-name another-package-with-`: `|| true` hides its failure
#     why: the build goes on without the package, and the failure shows on the GPU
#     remedy: let a failed install fail the build; install what is optional in a step of its own
