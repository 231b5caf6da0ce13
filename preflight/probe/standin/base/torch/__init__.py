"""A stand-in for torch: tensors without numbers, and a profiler that sees what the stand-in kernels launch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

PREFLIGHT_STANDIN = True
__version__ = "0+simulated"
version = SimpleNamespace(cuda="simulated")
_C = SimpleNamespace(_GLIBCXX_USE_CXX11_ABI=True)
float32, bfloat16, float16 = "float32", "bfloat16", "float16"

_open_traces: list[list[Any]] = []
_open_labels: list[Any] = []


def _event(name: str, device_type: str) -> None:
    span = SimpleNamespace(elapsed_us=lambda: 0.0)
    event = SimpleNamespace(name=name, device_type=device_type, time_range=span, kernels=[], cpu_children=[])
    for trace in _open_traces:
        trace.append(event)
    for label in _open_labels:
        (label.kernels if device_type.endswith("CUDA") else label.cpu_children).append(event)


def launch(kernel: str) -> None:
    _event(kernel, "DeviceType.CUDA")


def operator(name: str) -> None:
    _event(name, "DeviceType.CPU")


class Tensor:
    def __init__(self, *sources: Tensor, backward: tuple[str, ...] = (), requires_grad: bool = False) -> None:
        self.sources, self.kernels, self.requires_grad = sources, backward, requires_grad or bool(backward)
        self.grad: Tensor | None = None
        self.shape: tuple[int, ...] = ()

    def backward(self, gradient: Tensor | None = None) -> None:
        for kernel in self.kernels:
            launch(kernel)
        for source in self.sources:
            source.backward()
            if source.requires_grad:
                source.grad = Tensor()

    def mul_(self, factor: float) -> Tensor:
        launch("void at::native::vectorized_elementwise_kernel (simulated)")
        return self

    def _same(self, *args: object) -> Tensor:
        return self

    def any(self) -> bool:
        return True

    def all(self) -> bool:
        return True

    def is_floating_point(self) -> bool:
        return True

    detach = float = sum = to = __add__ = __radd__ = _same


def manual_seed(seed: int) -> None:
    """Nothing here is random."""


def ones(*shape: int, **about: object) -> Tensor:
    return Tensor()


def randn(*shape: int, requires_grad: bool = False, **about: object) -> Tensor:
    return Tensor(requires_grad=requires_grad)


def isfinite(tensor: Tensor) -> Tensor:
    return tensor


class _Module:
    def __call__(self, *args: Any) -> Any:
        hooks = vars(self).get("hooks", {"before": [], "after": []})
        for hook in hooks["before"]:
            hook(self, args, {})
        output = None
        try:
            output = self.forward(*args)
        finally:
            for hook in hooks["after"]:
                hook(self, args, {}, output)
        return output

    def _hook(self, when: str, hook: Any) -> SimpleNamespace:
        hooks: list[Any] = vars(self).setdefault("hooks", {"before": [], "after": []})[when]
        hooks.append(hook)
        return SimpleNamespace(remove=lambda: hooks.remove(hook))

    def register_forward_pre_hook(self, hook: Any, with_kwargs: bool) -> SimpleNamespace:
        return self._hook("before", hook)

    def register_forward_hook(self, hook: Any, with_kwargs: bool, always_call: bool) -> SimpleNamespace:
        return self._hook("after", hook)

    def forward(self, x: Tensor) -> Tensor:
        raise NotImplementedError

    def named_parameters(self) -> list[tuple[str, Tensor]]:
        return [(n, v) for n, v in vars(self).items() if isinstance(v, Tensor)]

    def parameters(self) -> list[Tensor]:
        return [p for _, m in self.named_modules() for _, p in m.named_parameters()]

    def named_modules(self) -> list[tuple[str, _Module]]:
        inner = [(n, m) for n, m in vars(self).items() if isinstance(m, _Module)]
        return [("", self)] + [(f"{n}.{k}".strip("."), v) for n, m in inner for k, v in m.named_modules()]

    def to(self, device: object) -> _Module:
        return self


class _Conv1d(_Module):
    def __init__(self, channels: int, out: int, width: int, groups: int = 1, **about: object) -> None:
        self.in_channels, self.groups = channels, groups
        self.weight = Tensor(requires_grad=True)

    def forward(self, x: Tensor) -> Tensor:
        operator("aten::conv1d")
        launch("void at::native::conv_depthwise2d_forward_kernel (simulated)")
        behind = ("void at::native::conv_depthwise2d_backward_kernel (simulated)",)
        return Tensor(x, self.weight, backward=behind)


nn = SimpleNamespace(Module=_Module, Conv1d=_Conv1d)


cuda = SimpleNamespace(  # one GPU that does not exist; its name says so
    is_available=lambda: True,
    is_initialized=lambda: False,
    get_device_properties=lambda index: SimpleNamespace(name="simulated GPU", major=0, minor=0, total_memory=0),
    device_count=lambda: 1,
    get_arch_list=list,
    synchronize=lambda: None,
    reset_peak_memory_stats=lambda: None,
    max_memory_allocated=lambda: 0,
)


class _Profile:
    def __init__(self, activities: object) -> None:
        self._seen: list[Any] = []

    def __enter__(self) -> _Profile:
        _open_traces.append(self._seen)
        return self

    def __exit__(self, *error: object) -> None:
        _open_traces.remove(self._seen)

    def events(self) -> list[Any]:
        return self._seen


class _Label:
    def __init__(self, name: str) -> None:
        self.name, self.device_type = name, "DeviceType.CPU"
        self.kernels: list[Any] = []
        self.cpu_children: list[Any] = []

    def __enter__(self) -> _Label:
        for trace in _open_traces:
            trace.append(self)
        _open_labels.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _open_labels.remove(self)


profiler = SimpleNamespace(
    record_function=_Label,
    profile=_Profile, ProfilerActivity=SimpleNamespace(CPU="CPU", CUDA="CUDA"),
)
