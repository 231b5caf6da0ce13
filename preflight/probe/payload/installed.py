"""What is installed here, and what mamba_ssm made of it: names that it gave up, or that were replaced."""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import sys
from typing import Any, Iterator

EXTENSIONS = ("selective_scan_cuda", "causal_conv1d_cuda", "causal_conv1d")
DISTRIBUTIONS = ("torch", "triton", "mamba-ssm", "causal-conv1d", "transformers", "numpy", "einops")
MODULES = ("torch", "triton", "mamba_ssm", "causal_conv1d", "selective_scan_cuda", "causal_conv1d_cuda")
LIBRARY = ("modules.mamba_simple", "modules.mamba2", "ops.selective_scan_interface", "ops.triton.ssd_combined")
ENTRIES = (
    "causal_conv1d_fn",
    "selective_scan_fn",
    "mamba_inner_fn",
    "mamba_chunk_scan_combined",
    "mamba_split_conv1d_scan_combined",
)


def block_class(want: dict[str, Any]) -> Any:
    """The block's class, from its own module: mamba_ssm's __init__ imports transformers, 8 s that no kernel needs.

    Where that module can't be found, the class as the whole package has it.
    """
    module, _, name = str(want["class"]).rpartition(".")
    spec = importlib.util.find_spec("mamba_ssm") if "mamba_ssm" not in sys.modules else None
    if spec is not None and spec.submodule_search_locations and module:
        package = importlib.util.module_from_spec(spec)  # not executed
        sys.modules["mamba_ssm"] = package
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        if isinstance(error, ImportError) and not module.startswith(getattr(error, "name", None) or "?"):
            raise
        for other in [n for n in sys.modules if n.partition(".")[0] == "mamba_ssm"]:
            del sys.modules[other]
    return getattr(importlib.import_module("mamba_ssm"), want["block"])


def import_block(want: dict[str, Any]) -> dict[str, object]:
    """That a block is absent is its case's answer; here only an import that fails is one."""
    with contextlib.suppress(AttributeError):
        block_class(want)
    return {}


def packages() -> dict[str, object]:
    """What is installed, and where, without importing any of it."""
    from importlib import metadata  # a third of what this package takes to import

    found, files = {}, {}
    for name in DISTRIBUTIONS:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    for module in MODULES:
        with contextlib.suppress(ImportError, ValueError):
            spec = importlib.util.find_spec(module)
            if spec is not None:
                files[module] = str(spec.origin or "")
    return {"versions": found, "files": files}


def versions(torch: Any) -> dict[str, object]:
    return {
        "torch": str(torch.__version__),
        "cuda": str(torch.version.cuda or ""),
        "standin": bool(getattr(torch, "PREFLIGHT_STANDIN", False)),
    }


def reach_gpu(torch: Any, device: str) -> dict[str, object]:
    """Raises with the driver's own words where there is no GPU to use."""
    if device == "cuda" and not torch.cuda.is_available():
        torch.cuda.init()  # says why: no driver, a CPU build, a driver too old
        raise RuntimeError("torch.cuda.is_available() is False")
    if device == "cuda":
        torch.cuda.synchronize()
    return {}


def context_is_dead() -> bool:
    """Whether an earlier CUDA error makes every later call of this process fail too."""
    torch = sys.modules.get("torch")
    try:
        if torch is not None and torch.cuda.is_initialized():
            torch.cuda.synchronize()
    except Exception:
        return True
    return False


def gpu(torch: Any, device: str) -> dict[str, object]:
    reach_gpu(torch, device)
    if device != "cuda":
        return {"name": "cpu, simulated", "capability": "", "memory_bytes": 0, "count": 0, "torch_archs": []}
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "capability": "%d.%d" % (properties.major, properties.minor),
        "memory_bytes": int(properties.total_memory),
        "count": torch.cuda.device_count(),
        "torch_archs": list(torch.cuda.get_arch_list()),
    }


def library_choices() -> dict[str, object]:
    """Names that mamba_ssm set to None when an import failed, with the line that did it, and functions of its that
    are not its own or causal_conv1d's any more, with the line where what replaced them is written."""
    absent, replaced = [], []
    for name in LIBRARY:
        module = sys.modules.get("mamba_ssm." + name)
        path = getattr(module, "__file__", None)
        if module is None or not path:
            continue
        blanks = [(line, n) for line, n in _blanked(path) if getattr(module, n, 0) is None]
        absent += [{"name": n, "path": path, "line": line} for line, n in blanks]
        for entry in ENTRIES:
            function: Any = getattr(module, entry, None)
            code = getattr(function, "__code__", None)
            home = str(getattr(function, "__module__", "") or "")
            is_its_own = home.startswith(("mamba_ssm", "causal_conv1d")) and "ref" not in function.__name__.split("_")
            if code is not None and not is_its_own:
                by = "%s.%s" % (home, function.__name__)
                row = {"name": entry, "by": by, "path": code.co_filename, "line": code.co_firstlineno}
                if row not in replaced:
                    replaced.append(row)
    return {"absent": absent, "replaced": replaced}


def _blanked(path: str) -> Iterator[tuple[int, str]]:
    """The names that an except-branch of the file sets to None, each with the line of the branch."""
    for handler in (n for n in ast.walk(parsed(path)) if isinstance(n, ast.ExceptHandler)):
        for statement in handler.body:
            if isinstance(statement, ast.Assign) and _is_blank(statement.value):
                for target in statement.targets:
                    yield from ((handler.lineno, n.id) for n in ast.walk(target) if isinstance(n, ast.Name))


def _is_blank(value: ast.AST) -> bool:
    if isinstance(value, ast.Tuple):
        return all(_is_blank(e) for e in value.elts)
    return isinstance(value, ast.Constant) and value.value is None


def parsed(path: str) -> ast.AST:
    try:
        with open(path, "rb") as f:
            return ast.parse(f.read())
    except (OSError, SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])
