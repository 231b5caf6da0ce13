import modal

image = modal.Image.debian_slim(python_version="3.11").apt_install("curl", "wget").run_commands(
    "curl -LsSf https://astral.sh/uv/install.sh | sh",  # expect: sec-curl-pipe-sh
    "wget -qO- https://example.com/a.sh | HOME=/root bash -s -- -y",  # expect: sec-curl-pipe-sh
)
app = modal.App("a", image=image)
