"""torch and the base image's toolkit have the same CUDA major.

Looks at   the CUDA version in the tag of an nvidia/cuda base, and the CUDA that the installed torch was built for
           (its +cu part, its index, or what PyPI's wheel of that version has).  Where nothing compiles, at the build
           or just in time (deepspeed, torch.utils.cpp_extension), the two need not agree.
Why        torch's BuildExtension compares the two and refuses another major: "The detected CUDA version (12.8)
           mismatches the version that was used to compile PyTorch (13.0)".  Unpinned torch is CUDA 13 today.
Before     from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).pip_install("torch").pip_install("mamba-ssm", …)
After      from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).pip_install("torch==2.5.1")…
Source     torch/utils/cpp_extension.py, _check_cuda_version; METADATA of torch 2.0 to 2.15
"""

import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    ExtInstall,
    Finding,
    Held,
    Image,
    Outcome,
    Recipe,
    TorchIn,
    base_of,
    counted,
    error,
    outcome_of,
    over_images,
    rule,
    source_builds,
    torch_at_end,
    torch_before,
    warning,
    wheel_name,
)

COMPILED_LATER = frozenset({"deepspeed", "exllamav2", "gsplat", "nvdiffrast", "flashinfer-python", "tensorrt-llm"})
BUILDS = re.compile(r"setup\.py|\bcmake\b|\bmake\b|\bninja\b|\bnvcc\b|pip3? install[^&;|]* (?:-e |\.)")


def applies(recipe: Recipe) -> str:
    n = sum((b := base_of(i)) is not None and b.cuda is not None and b.flavour == "devel" for i in recipe.images)
    return counted(n, "image on a CUDA devel base", "images on a CUDA devel base")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    base = base_of(image)
    if base is None or base.cuda is None or base.flavour != "devel":
        return
    builds = [e for e in source_builds(image) if outcome_of(e) is not Outcome.WHEEL]
    if not source_builds(image) and not _may_compile(image):
        return
    torch = torch_before(image, builds[0].n, builds[0].install) if builds else torch_at_end(image)
    if torch.held not in (Held.PINNED, Held.LOOSE) or torch.cuda in (None, "cpu") or torch.install is None:
        return
    said = torch.cuda or ""
    if said.split(".")[0] == base.cuda.split(".")[0]:
        return
    is_certain = any(_compiles(e) for e in builds)
    say = error if is_certain else warning
    yield say(
        f"{_name(torch)} is built for CUDA {said}, and {base.reference} has the toolkit of CUDA {base.cuda}",
        f"take a torch of CUDA {base.cuda.split('.')[0]} (its index, or an older pin), or an nvidia/cuda:{said} base",
        torch.where(image),
        why="torch refuses to build an extension across CUDA majors: the image build stops, or the first JIT does",
    )


def _may_compile(image: Image) -> bool:
    """Something of the image or of the file may compile CUDA code with torch, at the build or just in time."""
    if any(p.name in COMPILED_LATER for _, i in image.pip_installs() for p in i.packages):
        return True
    sources = any(p.url and not wheel_name(p.url) for _, i in image.pip_installs() for p in i.packages)
    shell = any(BUILDS.search(c.text) for s in image.steps for c in s.shell)
    return sources or shell or "cpp_extension" in image.source.text


def _compiles(ext: ExtInstall) -> bool:
    return ext.is_isolated or outcome_of(ext) is Outcome.SOURCE


def _name(torch: TorchIn) -> str:
    if torch.held is Held.PINNED:
        return f"torch {torch.version}"
    return f"torch without a pin (today {torch.expected})"


CHECK = rule(
    id="IMG290",
    name="ver-torch-base-cuda-mismatch",
    title="torch and the base image have the same CUDA major",
    find=find,
    applies=applies,
)
