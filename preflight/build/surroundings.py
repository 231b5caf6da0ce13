"""What stands in an image before one of its steps: base, Python, toolkit, compilers, variables, packages.

Every answer is yes, no, or None: the text does not say.  None keeps a rule silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from preflight.app.model import Image, PipInstall, ShellCommand, Step
from preflight.facts import images as known
from preflight.facts.images import CudaTag, PytorchTag
from preflight.facts.types import KnownImage

SLIM = "debian_slim"
CHANGING = frozenset(
    "pip_install uv_pip_install pip_install_from_requirements pip_install_from_pyproject poetry_install_from_file "
    "uv_sync pip_install_private_repos apt_install run_commands dockerfile_commands micromamba_install env".split()
)
PYTHON_ONLY = frozenset(
    "pip_install uv_pip_install pip_install_from_requirements pip_install_from_pyproject uv_sync".split()
)
LOCKED = frozenset({"uv_sync", "poetry_install_from_file", "micromamba_install"})
OTHER_MANAGERS = re.compile(r"\b(conda|micromamba|mamba|spack|pixi|nix|brew|apk|dnf|yum)\b")
CUDA_WORDS = re.compile(r"cuda|nvcc|nvidia-hpc", re.IGNORECASE)
COMPILER_APT = re.compile(r"^(?:build-essential|gcc|g\+\+|clang)(?:-\d+)?$")
SCRIPTS = re.compile(r"\.sh\b|\bmake\b")


@dataclass(frozen=True)
class Base:
    """The first step.  ``python`` is None where the text does not say it; ``cuda`` is the toolkit's version."""

    step: Step
    reference: str | None = None  # of from_registry
    adds_python: bool = False
    python: str | None = None

    @cached_property
    def cuda_tag(self) -> CudaTag | None:
        return known.cuda_tag(self.reference) if self.reference else None

    @cached_property
    def pytorch_tag(self) -> PytorchTag | None:
        return known.pytorch_tag(self.reference) if self.reference else None

    @cached_property
    def row(self) -> KnownImage | None:
        return known.known_image(self.reference) if self.reference else None

    @property
    def series(self) -> str | None:
        """ "3.11" of its Python."""
        found = re.match(r"3\.\d+", self.python or "")
        return found[0] if found else None

    @property
    def is_slim(self) -> bool:
        return self.step.method == SLIM

    @property
    def asks_python(self) -> str:
        """The keyword by which it asks the builder for a Python: "python_version", "add_python", or "" for none."""
        if self.is_slim or self.step.method == "micromamba":
            return "python_version"
        return "add_python" if self.adds_python else ""

    @property
    def cuda(self) -> str | None:
        if self.cuda_tag is not None and not self.cuda_tag.problem:
            return self.cuda_tag.version
        return self.pytorch_tag.cuda if self.pytorch_tag else None

    @property
    def flavour(self) -> str | None:
        tag = self.cuda_tag or self.pytorch_tag
        return tag.flavour or None if tag else None


def base_of(image: Image) -> Base | None:
    """None when the chain does not start at a base that was read."""
    step = image.base
    if step is None or step.node is None or "Image" in step.method:
        return None
    if step.method != "from_registry":
        given = step.kwargs.get("python_version", step.args[0] if step.args else None)
        return Base(step, python=given if step.method in (SLIM, "micromamba") and isinstance(given, str) else None)
    reference = step.args[0] if step.args else step.kwargs.get("tag")
    added = step.kwargs.get("add_python", step.args[1] if len(step.args) > 1 else None)
    base = Base(
        step,
        reference if isinstance(reference, str) else None,
        adds_python=added is not None,
        python=added if isinstance(added, str) else None,
    )
    if base.python is None and base.reference and base.row is not None and base.row.prefix == "python":
        tag = replace(base, python=known.split_reference(base.reference)[1])
        return replace(base, python=tag.series)
    return base


def python_of(image: Image) -> str | None:
    """ "3.11": the Python that the image's pip installs into, where the text says it."""
    base = base_of(image)
    return base.series if base is not None else None


def python_of_install(image: Image, n: int, install: PipInstall) -> str | None:
    """The Python that this pip command installs into: of the image, or the distribution's own where it is called."""
    command = next((c for c in image.steps[n].shell if install.span is not None and c.span == install.span), None)
    base = base_of(image)
    is_system = command is not None and command.words[:1] and command.words[0].startswith("/usr/bin/")
    if is_system or (
        base is not None and base.python is None and not base.is_slim and "python3" in apt_before(image, n)
    ):
        row = known.distribution(distribution_of(image, None) or "")
        return row.python if row is not None else None
    return python_of(image)


def installs_before(image: Image, n: int, install: PipInstall | None = None) -> Iterator[tuple[int, PipInstall]]:
    """pip commands that ran before ``install`` of step ``n``; without it, before the step."""
    for m, each in image.pip_installs():
        if m > n or (m == n and (install is None or each is install)):
            return
        yield m, each


def env_before(image: Image, n: int) -> Mapping[str, Any]:
    """Variables that ``.env`` steps have set; a value may be Unresolved."""
    found: dict[str, Any] = {}
    for step in image.steps[:n]:
        found.update(step.env)
    return found


def apt_before(image: Image, n: int) -> frozenset[str]:
    """apt packages by name, from ``apt_install`` and from shell commands."""
    found: set[str] = set()
    for step in image.steps[:n]:
        found.update(_bare(p) for p in step.apt)
        for command in step.shell:
            found.update(apt_words(command))
    return frozenset(found)


def apt_words(command: ShellCommand) -> tuple[str, ...]:
    """Packages of an ``apt-get install``; () for any other command."""
    words = [w for w in command.words if w not in ("sudo",) and "=" not in w.split("/")[0][:1]]
    names = [w.rsplit("/", 1)[-1] for w in words]
    if not names or names[0] not in ("apt-get", "apt", "aptitude") or "install" not in words:
        return ()
    return tuple(_bare(w) for w in words[words.index("install") + 1 :] if not w.startswith("-"))


def _bare(package: str) -> str:
    return package.split("=")[0].split(":")[0]


def is_known_before(image: Image, n: int) -> bool:
    """Every step before ``n`` that installs something was read whole: what is missing then is missing."""
    return image.is_complete and all(_is_read(step) for step in image.steps[:n])


def are_tools_known_before(image: Image, n: int) -> bool:
    """The same for what pip does not bring: compilers, toolkits, programs."""
    return image.is_complete and all(step.method in PYTHON_ONLY or _is_read(step) for step in image.steps[:n])


def _is_read(step: Step) -> bool:
    if step.method in LOCKED:
        return False
    if step.method in CHANGING and not step.is_complete:
        return False
    if step.method == "dockerfile_commands" and any("COPY --from" in str(a) for a in step.args):
        return False
    return all(p.is_complete for p in step.pip)


def has_nvcc(image: Image, n: int) -> bool | None:
    """Whether nvcc stands in the image before step ``n``."""
    base = base_of(image)
    if base is None:
        return None
    if base.flavour == "devel" or (base.row is not None and "nvcc" in base.row.holds):
        return True
    if not base.is_slim:
        if base.row is None or (base.row.flavour_in_tag and base.flavour not in ("base", "runtime")):
            return None
        if base.row.is_served or base.row.is_own_torch:
            return None
    apt = apt_before(image, n)
    if any(p.startswith(("cuda", "nvidia-cuda")) for p in apt):
        return True
    if not are_tools_known_before(image, n) or _says(image, n, CUDA_WORDS) or _says(image, n, OTHER_MANAGERS):
        return None
    if any((p.name or "").startswith("nvidia-cuda-nvcc") for _, i in installs_before(image, n) for p in i.packages):
        return None
    return False


def _says(image: Image, n: int, pattern: re.Pattern[str]) -> bool:
    """A shell command before step ``n`` that installs something else than a Python package speaks of it."""
    for step in image.steps[:n]:
        installs = {i.span for i in step.pip if i.span is not None}
        for command in step.shell:
            is_pip = command.span in installs and command.span is not None
            if not is_pip and pattern.search(command.text) and not re.match(r"\s*(?:echo|export)\b", command.text):
                return True
    return False


def has_c_compiler(image: Image, n: int) -> bool | None:
    """Whether a C compiler stands in the image before step ``n``."""
    base = base_of(image)
    if base is None:
        return None
    if base.is_slim or base.flavour == "devel" or (base.row is not None and "gcc" in base.row.holds):
        return True
    if any(COMPILER_APT.match(p) for p in apt_before(image, n)):
        return True
    if base.row is None or base.row.is_served or not are_tools_known_before(image, n):
        return None
    if _says(image, n, OTHER_MANAGERS) or _says(image, n, SCRIPTS) or _says(image, n, re.compile(r"gcc|clang|build")):
        return None
    return False


def has_clang(image: Image, n: int) -> bool:
    return any(p.startswith("clang") for p in apt_before(image, n)) or _says(image, n, re.compile(r"clang|llvm"))


def python_packages_before(image: Image, n: int, install: PipInstall) -> frozenset[str]:
    """Names that earlier pip commands have installed."""
    return frozenset(p.name for _, i in installs_before(image, n, install) for p in i.packages if p.name)


def distribution_of(image: Image, builder: str | None) -> str | None:
    """ "ubuntu22.04", "bookworm": what apt asks.  debian_slim's needs the builder's version."""
    base = base_of(image)
    if base is None:
        return None
    if base.is_slim:
        row = known.builder(builder) if builder else None
        return row.debian if row else None
    if base.cuda_tag is not None:
        return base.cuda_tag.os or None
    if base.row is not None and base.row.prefix == "ubuntu" and base.reference:
        return "ubuntu" + known.split_reference(base.reference)[1]
    return None
