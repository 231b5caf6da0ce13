import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.pip_install("ninja", "--pre", " --no-deps", "wheel --no-cache-dir")  # expect: iso-flag-in-package-list
b = slim.pip_install("--pre", "ninja")  # expect: iso-flag-in-package-list
c = slim.uv_pip_install("ninja", "--pre", gpu="T4")  # expect: iso-flag-in-package-list
d = slim.pip_install("ninja", "--find-links https://example.com")  # expect: iso-flag-in-package-list
e = slim.pip_install("ninja", "-U")  # expect: iso-flag-in-package-list

# What the rule says of this file:
# 4:31 error: '--pre', ' --no-deps', 'wheel --no-cache-dir' are among the packages of pip_install
#     why: the client refuses the file before anything is built
#     remedy: give flags as extra_options="--pre --no-deps"
# 5:22 error: '--pre' is among the packages of pip_install
#     why: the client refuses the file before anything is built
#     remedy: give flags as extra_options="--pre"
# 6:34 error: '--pre' is among the packages of uv_pip_install
#     why: the client refuses the file before anything is built
#     remedy: give flags as extra_options="--pre"
# 7:31 error: '--find-links https://example.com' is among the packages of pip_install
#     why: the client refuses the file before anything is built
#     remedy: give flags as extra_options="--find-links https://example.com"
# 8:31 error: '-U' is among the packages of pip_install
#     why: the client refuses the file before anything is built
#     remedy: give flags as extra_options="-U"
