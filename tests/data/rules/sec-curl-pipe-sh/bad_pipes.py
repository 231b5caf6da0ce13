import modal

image = modal.Image.debian_slim(python_version="3.11").apt_install("curl", "wget").run_commands(
    "curl -LsSf https://astral.sh/uv/install.sh | sh",  # expect: sec-curl-pipe-sh
    "wget -qO- https://example.com/a.sh | HOME=/root bash -s -- -y",  # expect: sec-curl-pipe-sh
)
app = modal.App("a", image=image)

# What the rule says of this file:
# 4:6 info: a script from the network is piped into sh
#     remedy: install a pinned package, or check the script's digest before it runs
# 5:6 info: a script from the network is piped into bash
#     remedy: install a pinned package, or check the script's digest before it runs
