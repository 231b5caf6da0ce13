import modal

image = modal.Image.debian_slim(python_version="3.11").apt_install("curl", "jq").run_commands(
    "curl -fsSL https://example.com/key.gpg | gpg --dearmor -o /usr/share/keyrings/key.gpg",
    "curl -fsSL -o /usr/local/bin/tool https://example.com/tool && chmod +x /usr/local/bin/tool",
    "curl -s https://example.com/a.json | jq .name",
)
app = modal.App("a", image=image)
