import modal

URL = "https://github.com/state-spaces/mamba/releases/download/v2.2.4/mamba_ssm-2.2.4+cu12torch2.4cxx11abiFALSE-cp310-cp310-linux_x86_64.whl"
slim = modal.Image.debian_slim(python_version="3.11")
a = slim.pip_install(f"mamba-ssm @ {URL} ; python_version < '3.11'")
b = slim.uv_sync().pip_install(URL)
c = slim.run_commands(f"uv pip install --python /opt/venv/bin/python '{URL}'")
d = slim.run_commands(f"pip install --target /opt/py310 '{URL}'", f"pip install -t /opt/py310 '{URL}'", f"pip install --prefix /opt '{URL}'")
