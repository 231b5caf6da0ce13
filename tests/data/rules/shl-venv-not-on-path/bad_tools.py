import modal

slim = modal.Image.debian_slim(python_version="3.11")
a = slim.run_commands("virtualenv -p python3.11 /opt/a/")  # expect: shl-venv-not-on-path
b = slim.run_commands("uv venv")  # expect: shl-venv-not-on-path
c = slim.run_commands("uv venv --python 3.11 --seed /opt/c")  # expect: shl-venv-not-on-path
d = slim.run_commands("python3.11 -m venv --prompt mine --copies /opt/d")  # expect: shl-venv-not-on-path
e = slim.env({"HOME": "/root"}).run_commands("virtualenv /opt/e", ". /opt/e/bin/activate && pip list")  # expect: shl-venv-not-on-path

# What the rule says of this file:
# 4:24 warning: the environment /opt/a is made and never put on PATH
#     why: later steps and the functions run another Python, without its packages
#     remedy: add .env({"PATH": "/opt/a/bin:$PATH"}) after it
# 5:24 warning: the environment .venv is made and never put on PATH
#     why: later steps and the functions run another Python, without its packages
#     remedy: add .env({"PATH": ".venv/bin:$PATH"}) after it
# 6:24 warning: the environment /opt/c is made and never put on PATH
#     why: later steps and the functions run another Python, without its packages
#     remedy: add .env({"PATH": "/opt/c/bin:$PATH"}) after it
# 7:24 warning: the environment /opt/d is made and never put on PATH
#     why: later steps and the functions run another Python, without its packages
#     remedy: add .env({"PATH": "/opt/d/bin:$PATH"}) after it
# 8:47 warning: the environment /opt/e is made and never put on PATH
#     why: later steps and the functions run another Python, without its packages
#     remedy: add .env({"PATH": "/opt/e/bin:$PATH"}) after it
