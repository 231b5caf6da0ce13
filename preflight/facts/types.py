"""One dataclass a table.  Every row says where it was read, when, and how: read, ran, or inferred from other rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class How(StrEnum):
    READ = "read"  # in a file, a page or an index
    RAN = "ran"  # something was run and showed it
    INFERRED = "inferred"  # follows from other facts, or is common knowledge that was not looked up again


@dataclass(frozen=True, kw_only=True)
class Row:
    source: str
    seen: date
    how: How


@dataclass(frozen=True, kw_only=True)
class TorchRow(Row):
    """A minor of torch as its Linux x86_64 wheels are.  ``builds`` are the +cu builds of the PyTorch index.

    ``sm`` and ``cxx11_abi`` are of the PyPI wheel; ``cxx11_abi_builds`` names the +cu builds that have it.
    """

    minor: str
    patches: tuple[str, ...]
    pypi_cuda: str
    builds: tuple[str, ...]
    builds_known: bool
    python: tuple[str, ...]
    triton: str
    sm: tuple[int, ...]
    cxx11_abi: bool
    cxx11_abi_builds: tuple[str, ...]
    cxx_std: int
    enforces_cxx20: bool
    numpy2: bool
    glibc: str
    torchvision: str
    torchaudio: str
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class WheelSet:
    """Wheels of one release that differ only in torch, Python and ABI label.  ``broken`` says why they can't load."""

    cuda: str
    torch: tuple[str, ...]
    python: tuple[str, ...]
    abi: tuple[str, ...]
    broken: str = ""


@dataclass(frozen=True, kw_only=True)
class Release(Row):
    """``sdist_has_sources`` is None where it was not looked at; ``wheels`` counts only when ``matrix_known``.

    ``wheel_glibc`` is of the machine that the wheels were built on.  ``no_wheels_from`` is the torch minor from which
    on none is published, known also where the matrix is not.
    """

    package: str
    version: str
    on_pypi: bool
    python: str
    requires: tuple[str, ...]
    build_system: tuple[str, ...]
    imports_at_build: tuple[str, ...]
    archs: tuple[str, ...]
    cuda_labels: Mapping[str, str]
    matrix_known: bool
    wheels: tuple[WheelSet, ...] = ()
    sdist_has_sources: bool | None = None
    released: date | None = None
    wheel_glibc: str = ""
    no_wheels_from: str = ""
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class GpuRow(Row):
    """``sm`` is the compute capability times ten; ``most`` the GPUs of one container.

    ``is_wrong`` says which kernels are known to compute wrong numbers on it.
    """

    name: str
    aliases: tuple[str, ...]
    sm: int
    most: int
    least_cuda: str = ""
    is_wrong: str = ""


@dataclass(frozen=True, kw_only=True)
class Builder(Row):
    """``slim`` and ``registry`` are Python packages present before the first step of either kind of image."""

    version: str
    pythons: tuple[str, ...]
    debian: str
    slim: tuple[str, ...]
    registry: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Distribution(Row):
    name: str
    glibc: str
    gcc: int
    python: str


@dataclass(frozen=True, kw_only=True)
class CudaRow(Row):
    """``image`` is the tag of its nvidia/cuda devel image, in the newest point release that was seen listed."""

    version: str
    newest_gcc: int
    image: str = ""


@dataclass(frozen=True, kw_only=True)
class Limit(Row):
    name: str
    least: float
    most: float
    unit: str


@dataclass(frozen=True, kw_only=True)
class Extension(Row):
    """A package that compiles CUDA code against torch.  ``repos`` are owner/name on GitHub."""

    name: str
    repos: tuple[str, ...]
    build_needs: tuple[str, ...]
    has_own_archs: bool = False
    has_release_wheels: bool = False
    is_pyg: bool = False
    builds_without_cuda: bool = False
    least_sm: int = 0


@dataclass(frozen=True, kw_only=True)
class PackageRow(Row):
    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class KnownImage(Row):
    """``holds`` names of python, torch, nvcc, gcc, git what is there before the first step."""

    prefix: str
    holds: tuple[str, ...]
    flavour_in_tag: bool = False
    is_own_torch: bool = False
    is_served: bool = False


@dataclass(frozen=True, kw_only=True)
class AptGone(Row):
    package: str
    gone_in: tuple[str, ...]
    successor: str = ""


@dataclass(frozen=True, kw_only=True)
class BuildTime(Row):
    """How long a source build took.  ``is_least``: it was stopped then; ``split_s`` is with --split-compile=0."""

    package: str
    version: str
    cores: int
    archs: int
    seconds: float
    split_s: float
    is_least: bool = False


@dataclass(frozen=True, kw_only=True)
class Registry(Row):
    """``api`` is where the images of a registry are asked for, when that is not the registry's own name."""

    name: str
    api: str


@dataclass(frozen=True, kw_only=True)
class Need(Row):
    """``package`` in ``versions`` needs ``other`` in ``needs``; both are specifiers, and "" is every version.

    ``comes`` limits it to a "wheel" or a "source" build.  ``when`` it shows: build, import or run.  ``symptom`` is
    the line of the log.  ``today`` is the version of ``other`` that comes when nobody asks for one; with a package of
    ``kept_by`` in the image that is not certain: it may hold ``other`` in the range.
    """

    package: str
    versions: str
    other: str
    needs: str
    when: str
    why: str
    symptom: str
    comes: str = ""
    today: str = ""
    kept_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """A fact file: ``key`` is the name of its array of rows."""

    file: str
    key: str
    row: type[Row]
    about: str = field(default="", compare=False)


TORCH = Table("torch.toml", "torch", TorchRow, "torch by minor: CUDA, Python, triton, ABI, GPUs")
MAMBA_SSM = Table("wheels_mamba_ssm.toml", "release", Release, "mamba-ssm releases and their wheels")
CAUSAL_CONV1D = Table("wheels_causal_conv1d.toml", "release", Release, "causal-conv1d releases and their wheels")
FLASH_ATTN = Table("wheels_flash_attn.toml", "release", Release, "flash-attn releases and their wheels")
GPUS = Table("gpus.toml", "gpu", GpuRow, "GPUs that Modal names")
BUILDERS = Table("builders.toml", "builder", Builder, "Image Builder versions")
DISTRIBUTIONS = Table("distributions.toml", "distribution", Distribution, "Linux distributions and their gcc")
CUDA = Table("cuda.toml", "cuda", CudaRow, "CUDA toolkits and the newest gcc they take")
LIMITS = Table("limits.toml", "limit", Limit, "limits that Modal's client does not check")
EXTENSIONS = Table("extensions.toml", "extension", Extension, "packages that compile CUDA code")
PACKAGES = Table("packages.toml", "package", PackageRow, "packages that depend on torch, pin it, or share its index")
IMAGES = Table("images.toml", "image", KnownImage, "known registry images")
APT_GONE = Table("apt_gone.toml", "apt", AptGone, "apt packages that a distribution lost")
BUILD_TIMES = Table("build_times.toml", "build", BuildTime, "how long a source build of the kernels takes")
COMPAT = Table("compat.toml", "need", Need, "what does not go together: torch, kernels, triton, Python, transformers")
REGISTRIES = Table("registries.toml", "registry", Registry, "image registries that are asked under another name")

TABLES = (
    TORCH,
    MAMBA_SSM,
    CAUSAL_CONV1D,
    FLASH_ATTN,
    GPUS,
    BUILDERS,
    DISTRIBUTIONS,
    CUDA,
    LIMITS,
    EXTENSIONS,
    PACKAGES,
    IMAGES,
    APT_GONE,
    BUILD_TIMES,
    COMPAT,
    REGISTRIES,
)
