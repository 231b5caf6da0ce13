import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .run_commands("export CXX=g++")  # expect: shl-export-lost
    .run_commands(
        "cd /src",  # expect: shl-export-lost
        "pip install -e .",
        ". /venv/bin/activate",  # expect: shl-export-lost
    )
)
app = modal.App("a", image=image)
