import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "pip install mamba-ssm==2.2.4 --no-build-isolation || true",  # expect: shl-error-swallowed
    "pip install flash-attn==2.7.4.post1 --no-build-isolation || echo 'no flash-attn'",  # expect: shl-error-swallowed
    "cd /src && pip install -e . 2>/dev/null",  # expect: shl-error-swallowed
    "python setup.py install | tail -5",  # expect: shl-error-swallowed
)
app = modal.App("a", image=image)
