"""What stands in an image before the first step: registry tags, builders, distributions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from preflight.facts.load import row_of, rows
from preflight.facts.types import (
    APT_GONE,
    BUILDERS,
    CUDA,
    DISTRIBUTIONS,
    IMAGES,
    LIMITS,
    AptGone,
    Builder,
    Distribution,
    KnownImage,
    Limit,
)

CUDA_TAG = re.compile(
    r"(?P<version>\d+(?:\.\d+)*)(?:-(?P<extra>cudnn\d*|tensorrt))?(?:-(?P<flavour>devel|runtime|base))?"
    r"(?:-(?P<os>[a-z]+[\d.]*))?(?P<rest>.*)"
)
PYTORCH_TAG = re.compile(r"(?P<torch>\d+\.\d+\.\d+)-cuda(?P<cuda>\d+\.\d+)-cudnn\d+-(?P<flavour>devel|runtime)")


@dataclass(frozen=True)
class CudaTag:
    """A tag of nvidia/cuda.  ``problem`` says what no published tag looks like, "" when it may exist."""

    version: str
    flavour: str
    os: str
    problem: str = ""


def split_reference(reference: str) -> tuple[str, str]:
    """ "nvidia/cuda:12.1.1-devel" → ("nvidia/cuda", "12.1.1-devel"); a digest is no tag."""
    name, _, _ = reference.partition("@")
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return head + slash + last, tag


def known_image(reference: str) -> KnownImage | None:
    """The row of a registry image; None when the table does not know what is in it."""
    name, _ = split_reference(reference)
    name = name.removeprefix("docker.io/").removeprefix("library/")
    return row_of(IMAGES, name)


def cuda_tag(reference: str) -> CudaTag | None:
    """What a tag of nvidia/cuda says.  None for another image, or for a digest without a tag."""
    _, tag = split_reference(reference)
    row = known_image(reference)
    if row is None or not row.prefix.endswith("nvidia/cuda"):
        return None
    if not tag:
        return None if "@" in reference else CudaTag("", "", "", "has no tag, and nvidia/cuda has no latest")
    found = CUDA_TAG.fullmatch(tag)
    if found is None:
        return CudaTag(
            "", "", "", f"{tag} starts with no CUDA version" + (", and nvidia/cuda has no latest" * (tag == "latest"))
        )
    parts = found["version"].split(".")
    problem = ""
    if len(parts) != 3:
        problem = f"{found['version']} is no X.Y.Z version"
    elif not found["flavour"]:
        problem = "names none of base, runtime, devel"
    elif not found["os"]:
        problem = "names no distribution such as ubuntu22.04"
    return CudaTag(found["version"], found["flavour"] or "", found["os"] or "", problem)


@dataclass(frozen=True)
class PytorchTag:
    torch: str
    cuda: str
    flavour: str


def pytorch_tag(reference: str) -> PytorchTag | None:
    """What a tag of pytorch/pytorch says: "2.9.1-cuda12.8-cudnn9-devel"."""
    name, tag = split_reference(reference)
    found = PYTORCH_TAG.fullmatch(tag)
    if not found or not name.endswith("pytorch/pytorch"):
        return None
    return PytorchTag(found["torch"], found["cuda"], found["flavour"])


def builder(version: str) -> Builder | None:
    return row_of(BUILDERS, version)


def builders() -> tuple[Builder, ...]:
    return rows(BUILDERS)


def distribution(name: str) -> Distribution | None:
    """ "ubuntu22.04", "bookworm"."""
    return row_of(DISTRIBUTIONS, name)


def cuda_devel_tag(reference: str) -> str | None:
    """The tag of the newest devel image of the CUDA that a reference of nvidia/cuda, or a version, is of."""
    tag = cuda_tag(reference)
    row = row_of(CUDA, ".".join((tag.version if tag else reference).split(".")[:2]))
    return (row.image or None) if row else None


def newest_gcc(cuda: str) -> int | None:
    """The newest gcc that nvcc of CUDA ``cuda`` ("12.1", "12.1.1") takes."""
    row = row_of(CUDA, ".".join(cuda.split(".")[:2]))
    return row.newest_gcc if row else None


def limit(name: str) -> Limit:
    """Raises KeyError for a limit that is not in the table."""
    row = row_of(LIMITS, name)
    if row is None:
        raise KeyError(name)
    return row


def apt_gone(package: str) -> AptGone | None:
    return row_of(APT_GONE, package)
