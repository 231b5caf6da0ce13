import modal

VERSION = "latest"
first = modal.Image.from_registry("vllm/vllm-openai:latest")  # expect: cac-mutable-tag
second = modal.Image.from_registry(
    f"ghcr.io/team/base:{VERSION}",  # expect: cac-mutable-tag
    add_python="3.11",
)
third = modal.Image.from_registry("ubuntu", add_python="3.11")  # expect: cac-mutable-tag
fourth = modal.Image.from_registry("team/train:nightly-cu128")  # expect: cac-mutable-tag
app = modal.App("a", image=first)
