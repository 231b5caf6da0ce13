import os

import modal

first = modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")
second = modal.Image.from_registry("vllm/vllm-openai:latest@sha256:2d1c5b7e8f4a3b6c9d0e1f2a3b4c5d6e7f8a9b0c1d2e3f4a5b6c7d8e9f0a1b2c")
third = modal.Image.from_registry(os.environ["IMAGE"])
fourth = modal.Image.from_registry("localhost:5000/team/base:v3")
app = modal.App("a", image=first)
