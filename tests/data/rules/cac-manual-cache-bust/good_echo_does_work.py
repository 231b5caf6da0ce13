import modal

image = (
    modal.Image.debian_slim(python_version="3.11")
    .run_commands(
        "echo 'deb http://mirror.example/debian bookworm main 2026-01-01' >> /etc/apt/sources.list",
        "echo building the wheel && pip install einops==0.8.1",
        "echo done",
    )
    .env({"HF_HOME": "/cache", "TRITON_CACHE_DIR": "/cache/triton", "MODEL_VERSION": "3"})
)
app = modal.App("a", image=image)
