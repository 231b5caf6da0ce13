import modal
from modal import Image, Secret, Stub, gpu

stub = Stub("legacy", image=Image.debian_slim().pip_install("first"))
stub.image = Image.debian_slim(python_version="3.10").micromamba().pip_install("second")
stub.cache = modal.Volume.persisted("cache")
shared = modal.SharedVolume().persist("shared")

if stub.is_inside():
    stub.image = None


@stub.function(gpu=gpu.A100(memory=80, count=2), volumes={"/cache": stub.cache}, shared_volumes={"/shared": shared})
def big():
    pass


@stub.function(gpu=gpu.T4(4), secret=Secret.from_name("one"))
def positional():
    pass


@stub.function(gpu=getattr(modal.gpu, "H100")())
def by_name():
    pass


@stub.function(gpu=gpu.A100(count=cards))
def unknown_count():
    pass
