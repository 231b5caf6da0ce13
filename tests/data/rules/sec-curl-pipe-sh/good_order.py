import modal

image = modal.Image.debian_slim(python_version="3.11").run_commands(
    "curl -o a.sh https://example.com/a.sh && sh a.sh",
    "cat a.sh | sh",
    "curl https://example.com/a | tar x | sh",
)
