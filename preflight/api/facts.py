"""The dated tables that rules ask."""

from preflight.facts.gpus import gpu, gpu_names
from preflight.facts.images import (
    apt_gone,
    builder,
    builders,
    cuda_devel_tag,
    cuda_tag,
    distribution,
    known_image,
    limit,
    newest_gcc,
)
from preflight.facts.modal_api import ModalApi, modal_api
from preflight.facts.packages import (
    brings,
    depends_on_torch,
    extension,
    extension_at,
    is_on_pytorch_index,
    is_only_on_pypi,
    is_wheel_on_pypi,
    pins_torch,
)
from preflight.facts.torch import cuda_of, has_cxx11_abi, minor, newest_torch, newest_torch_for, torch_row
from preflight.facts.torch import dotted as cuda_dotted
from preflight.facts.torch import number as version_number
from preflight.facts.types import TorchRow
from preflight.facts.wheels import (
    NoWheel,
    Wheel,
    newest,
    newest_with_wheel,
    release,
    torch_range,
    wheel_for,
    wheel_name,
)

__all__ = [
    "ModalApi",
    "NoWheel",
    "TorchRow",
    "Wheel",
    "apt_gone",
    "brings",
    "builder",
    "builders",
    "cuda_devel_tag",
    "cuda_dotted",
    "cuda_of",
    "cuda_tag",
    "depends_on_torch",
    "distribution",
    "extension",
    "extension_at",
    "gpu",
    "gpu_names",
    "has_cxx11_abi",
    "is_on_pytorch_index",
    "is_only_on_pypi",
    "is_wheel_on_pypi",
    "known_image",
    "limit",
    "minor",
    "modal_api",
    "newest",
    "newest_gcc",
    "newest_torch",
    "newest_torch_for",
    "newest_with_wheel",
    "pins_torch",
    "release",
    "torch_range",
    "torch_row",
    "version_number",
    "wheel_for",
    "wheel_name",
]
