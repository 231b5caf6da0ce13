import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("numpy==1.26.4", "thing @ git+https://github.com/a/b@c-d", "x-y; python_version > '3'", extra_options="-U --no-deps")
    .run_commands("pip install --no-build-isolation foo")
)
app = modal.App("a", image=image)
