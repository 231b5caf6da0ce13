"""One type of row a table.  Every row says where it was read, when, and how: read, ran, or inferred from other rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Generic, TypeVar

from preflight.toml_rows import Typed


class How(StrEnum):
    READ = "read"  # in a file, a page or an index
    RAN = "ran"  # something was run and showed it
    INFERRED = "inferred"  # follows from other facts, or is common knowledge that was not looked up again


class Row(Typed, frozen=True, kw_only=True):
    source: str
    seen: date
    how: How


PROVENANCE = Row.__struct_fields__


class TorchRow(Row, frozen=True, kw_only=True):
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
    torchvision: str  # the minor that pins this torch, "" where none does
    torchaudio: str
    note: str = ""


class WheelSet(Typed, frozen=True, kw_only=True):
    """Wheels of one release that differ only in torch, Python and ABI label.  ``broken`` says why they can't load."""

    cuda: str
    torch: tuple[str, ...]
    python: tuple[str, ...]
    abi: tuple[str, ...]
    broken: str = ""


class Release(Row, frozen=True, kw_only=True):
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


class GpuRow(Row, frozen=True, kw_only=True):
    """``sm`` is the compute capability times ten; ``most`` the GPUs of one container.

    ``is_wrong`` says which kernels are known to compute wrong numbers on it.
    """

    name: str
    aliases: tuple[str, ...]
    sm: int
    most: int
    least_cuda: str = ""
    is_wrong: str = ""


class Builder(Row, frozen=True, kw_only=True):
    """``slim`` and ``registry`` are Python packages present before the first step of either kind of image."""

    version: str
    pythons: tuple[str, ...]
    debian: str
    slim: tuple[str, ...]
    registry: tuple[str, ...]


class Distribution(Row, frozen=True, kw_only=True):
    name: str
    glibc: str
    gcc: int
    python: str


class CudaRow(Row, frozen=True, kw_only=True):
    """``image`` is the tag of its nvidia/cuda devel image, in the newest point release that was seen listed."""

    version: str
    newest_gcc: int
    image: str = ""


class Limit(Row, frozen=True, kw_only=True):
    name: str
    least: float
    most: float
    unit: str


class Extension(Row, frozen=True, kw_only=True):
    """A package that compiles CUDA code against torch.  ``repos`` are owner/name on GitHub."""

    name: str
    repos: tuple[str, ...]
    build_needs: tuple[str, ...]
    has_own_archs: bool = False
    has_release_wheels: bool = False
    is_pyg: bool = False
    builds_without_cuda: bool = False
    least_sm: int = 0


class PackageRow(Row, frozen=True, kw_only=True):
    name: str
    roles: tuple[str, ...]


class KnownImage(Row, frozen=True, kw_only=True):
    """``holds`` names of python, torch, nvcc, gcc, git what is there before the first step."""

    prefix: str
    holds: tuple[str, ...]
    flavour_in_tag: bool = False
    is_own_torch: bool = False
    is_served: bool = False


class AptGone(Row, frozen=True, kw_only=True):
    package: str
    gone_in: tuple[str, ...]
    successor: str = ""


class BuildTime(Row, frozen=True, kw_only=True):
    """How long a source build took.  ``is_least``: it was stopped then; ``split_s`` is with --split-compile=0."""

    package: str
    version: str
    cores: int
    archs: int
    seconds: float
    split_s: float
    is_least: bool = False


class Registry(Row, frozen=True, kw_only=True):
    """``api`` is where the images of a registry are asked for, when that is not the registry's own name."""

    name: str
    api: str


class Need(Row, frozen=True, kw_only=True):
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


class Break(Row, frozen=True, kw_only=True):
    """What is announced to end: a ``name`` of Modal's client ("App.registered_functions", a keyword), or a Python.

    ``due`` is the day, ``gone_in`` the release of the client, from which it is an error; None and "" where none is
    named.  ``text`` is the announcement.
    """

    kind: str  # "modal" or "python"
    name: str
    announced: date
    text: str
    due: date | None = None
    gone_in: str = ""


R_co = TypeVar("R_co", bound=Row, covariant=True)


@dataclass(frozen=True)
class Table(Generic[R_co]):
    """A fact file: ``key`` is the name of its array of rows, ``by`` the fields that tell a row from the others."""

    file: str
    key: str
    row: type[R_co]
    about: str
    by: tuple[str, ...] = ("name",)

    @property
    def name(self) -> str:
        return self.file.removesuffix(".toml")


RELEASE = ("package", "version")
NEED = ("package", "versions", "other")
TORCH = Table("torch.toml", "torch", TorchRow, "torch by minor: CUDA, Python, triton, ABI, GPUs", ("minor",))
MAMBA_SSM = Table("wheels_mamba_ssm.toml", "release", Release, "mamba-ssm releases and their wheels", RELEASE)
CAUSAL_CONV1D = Table(
    "wheels_causal_conv1d.toml", "release", Release, "causal-conv1d releases and their wheels", RELEASE
)
FLASH_ATTN = Table("wheels_flash_attn.toml", "release", Release, "flash-attn releases and their wheels", RELEASE)
OTHER_RELEASES = Table("wheels_others.toml", "release", Release, "releases of other extensions", RELEASE)
GPUS = Table("gpus.toml", "gpu", GpuRow, "GPUs that Modal names")
BUILDERS = Table("builders.toml", "builder", Builder, "Image Builder versions", ("version",))
DISTRIBUTIONS = Table("distributions.toml", "distribution", Distribution, "Linux distributions and their gcc")
CUDA = Table("cuda.toml", "cuda", CudaRow, "CUDA toolkits and the newest gcc they take", ("version",))
LIMITS = Table("limits.toml", "limit", Limit, "limits that Modal's client does not check")
EXTENSIONS = Table("extensions.toml", "extension", Extension, "packages that compile CUDA code")
PACKAGES = Table("packages.toml", "package", PackageRow, "packages that depend on torch, pin it, or share its index")
IMAGES = Table("images.toml", "image", KnownImage, "known registry images", ("prefix",))
APT_GONE = Table("apt_gone.toml", "apt", AptGone, "apt packages that a distribution lost", ("package",))
BUILD_TIMES = Table("build_times.toml", "build", BuildTime, "how long a source build of the kernels takes", RELEASE)
COMPAT = Table(
    "compat.toml", "need", Need, "what does not go together: torch, kernels, triton, Python, transformers", NEED
)
BREAKS = Table("breaks.toml", "break", Break, "announced ends: of Modal's names, of Python", ("kind", "name"))
REGISTRIES = Table("registries.toml", "registry", Registry, "image registries that are asked under another name")

TABLES: tuple[Table[Row], ...] = tuple(t for t in globals().values() if isinstance(t, Table))  # in the order above
