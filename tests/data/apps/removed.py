# An app of 2023, in Modal's API of that time.
import modal
from modal import gpu

stub = modal.Stub("removed")
image = modal.Image.from_dockerhub("python:3.10").pip_install("torch", gpu="any")


@stub.function(image=image, gpu=gpu.A100(count=2, size="80GB"), secret=modal.Secret.from_name("old"), keep_warm=1)
def train():
    pass


@stub.function(gpu=modal.gpu.T4(), shared_volumes={"/v": modal.SharedVolume().persisted("v")}, concurrency_limit=3)
def other():
    pass


@stub.function(gpu=gpu.A10G(), network_file_systems={"/n": modal.NetworkFileSystem.from_name("n")})
@modal.web_endpoint()
def web():
    pass
