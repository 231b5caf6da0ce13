"""torch and the base image have the same CUDA major.

Looks at
    The CUDA version in the tag of an nvidia/cuda base, and the CUDA that the installed torch was built for
    (its +cu part, its index, or what PyPI's wheel of that version has).  Where nothing compiles, at the build
    or at run time (deepspeed, torch.utils.cpp_extension), the two need not agree.
Why it matters
    torch's BuildExtension compares the two and refuses another major: "The detected CUDA version (12.8)
    mismatches the version that was used to compile PyTorch (13.0)".  Unpinned torch is CUDA 13 today.
Example
    before   from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).pip_install("torch").pip_install("mamba-ssm", …)
    after    from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).pip_install("torch==2.5.1")…
How to fix
    Take a torch of the base's CUDA major (its index, or an older pin), or an nvidia/cuda base of torch's CUDA.
Source
    torch/utils/cpp_extension.py, _check_cuda_version; METADATA of each torch in the table
"""

import re

from preflight.api import Findings, Image, Recipe, build, error, facts, rule, warning
from preflight.rules.subjects import BASES, Started

COMPILED_LATER = frozenset({"deepspeed", "exllamav2", "gsplat", "nvdiffrast", "flashinfer-python", "tensorrt-llm"})
BUILDS = re.compile(r"setup\.py|\bcmake\b|\bmake\b|\bninja\b|\bnvcc\b|pip3? install[^&;|]* (?:-e |\.)")


@rule("IMG290", BASES.only(lambda i: i.base.cuda and i.base.flavour == "devel", "image on a CUDA devel base"))
def find(recipe: Recipe, started: Started) -> Findings:
    image, base = started.image, started.base
    sources = build.source_builds(image)
    if not sources and not _may_compile(image):
        return
    builds = [e for e in sources if build.outcome_of(e) is not build.Outcome.WHEEL]
    torch = build.torch_before(image, builds[0].n, builds[0].install) if builds else build.torch_at_end(image)
    if torch.held not in (build.Held.PINNED, build.Held.LOOSE) or torch.cuda in (None, "cpu") or torch.install is None:
        return
    has, wanted = torch.cuda or "", base.cuda or ""
    if has.split(".")[0] == wanted.split(".")[0]:
        return
    say = error if any(e.is_isolated or build.outcome_of(e) is build.Outcome.SOURCE for e in builds) else warning
    is_pinned = torch.held is build.Held.PINNED
    name = f"torch {torch.version}" if is_pinned else f"torch without a pin (today {torch.expected})"
    yield say(
        f"{name} is built for CUDA {has}, and {base.reference} has the toolkit of CUDA {wanted}",
        f"take a torch of CUDA {wanted.split('.')[0]} (its index, or an older pin), or an nvidia/cuda:{has} base",
        torch.where(image),
        why="torch refuses to build an extension across CUDA majors: the image build stops, or the first JIT does",
    )


def _may_compile(image: Image) -> bool:
    """Something of the image or of the file may compile CUDA code with torch, at the build or just in time."""
    packages = [p for _, i in image.pip_installs() for p in i.packages]
    if any(p.name in COMPILED_LATER or (p.url and not facts.wheel_name(p.url)) for p in packages):
        return True
    return any(BUILDS.search(c.text) for s in image.steps for c in s.shell) or "cpp_extension" in image.source.text
