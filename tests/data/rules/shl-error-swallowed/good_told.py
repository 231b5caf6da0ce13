import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "pip uninstall -y torchvision || true",
    "rm -rf /tmp/build || true",
    "mkdir /src 2>/dev/null || true",
    "pip install einops==0.8.1 || (echo failed; exit 1)",
    "pip install ninja || pip install --no-cache-dir ninja",
    "bash -c 'set -o pipefail; pip install wheel | tee log'",
    "set -o pipefail && pip install wheel | tee log",
    "pip list | grep torch",
)
app = modal.App("a", image=image)
