import modal

SIGNATURE = "v12_signature"
image = (
    modal.Image.debian_slim(python_version="3.11")
    .run_commands(
        "echo cache-bust-v9",  # expect: cac-manual-cache-bust
        f"echo 'image {SIGNATURE}'",  # expect: cac-manual-cache-bust
    )
    .env(
        {
            "HF_HOME": "/cache",
            "FORCE_REBUILD": "2026-03-01",  # expect: cac-manual-cache-bust
        }
    )
)
app = modal.App("a", image=image)
