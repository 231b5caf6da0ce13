import modal


def fetch():
    from huggingface_hub import snapshot_download

    snapshot_download("org/model")


image = (
    modal.Image.debian_slim()
    .run_function(fetch, gpu="B200")  # expect: cost-gpu-on-download-step
    .run_commands("curl -L https://example.com/x -o /x", gpu="T4")  # expect: cost-gpu-on-download-step
)
