import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "apt-get update || true",
    "apt-get install --dry-run git || true",
    "npm run build for the install || true",
    "python setup.py test || true",
    "python setup.py || true",
    "python train.py install || true",
    "python -c 'import torch' || true",
    "ls install || true",
    "pip install wheel || exit 1",
    "pip install wheel || exit",
    "pip install wheel || (echo failed && exit 2)",
    "pip install wheel && true",
    "pip install wheel ; true",
    "pip install wheel 2>errors.log",
    "pip install wheel > /dev/null",
    "pip install wheel | sort",
    "pip install wheel",
)
