"""nvcc is there where a CUDA extension is built.

Looks at
    CUDA extensions that PyPI holds as source only, and the base image: `debian_slim`, `*-base`,
    `*-runtime` and plain distributions have no nvcc; `*-devel` has.
Why it matters
    mamba-ssm and causal-conv1d read nvcc's version before they even look for a release wheel:
    "NameError: name 'bare_metal_version' is not defined".  Others stop with "CUDA_HOME is not set".
Example
    before   modal.Image.debian_slim().pip_install("torch==2.4.1").pip_install("mamba-ssm==2.2.4", …)
    after    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")…
             or the address of the wheel, which needs no compiler at all
How to fix
    Start from an `nvidia/cuda:…-devel-…` image of torch's CUDA version, or install a wheel by its address.
Source
    Compiled and run with 7 releases of mamba-ssm; brain-go-brr-v2 fd62d7ee, cured in d27a775b
"""

from collections.abc import Iterator, Sequence

from preflight.app.model import Recipe
from preflight.build.ext_steps import ExtInstall, Form, names
from preflight.build.outcome import Outcome, is_cuda_skipped, outcome_of
from preflight.build.surroundings import base_of, has_nvcc, python_of
from preflight.build.torch_in import torch_before
from preflight.model import Finding
from preflight.rules.findings import error, warning
from preflight.rules.form import rule
from preflight.rules.subjects import SOURCE_BUILDS, in_place
from preflight.wording import is_or_are

READS_NVCC_FIRST = frozenset({"mamba-ssm", "causal-conv1d"})


@rule("IMG090", SOURCE_BUILDS.by(in_place))
def find(recipe: Recipe, exts: Sequence[ExtInstall]) -> Iterator[Finding]:
    found = [e for e in exts if has_nvcc(e.image, e.n) is False and not is_cuda_skipped(e)]
    base = base_of(found[0].image) if found else None
    if base is None:
        return
    image = base.reference or base.step.method
    say = error if any(_needs_it(e) for e in found) else warning
    yield say(
        f"{names(found)} {is_or_are(found)} installed from source, and {image} has no nvcc",
        "start from an nvidia/cuda:…-devel-… image of torch's CUDA version, or install a wheel by its address",
        found[0].where,
        why="the image build stops at this step, after torch was downloaded (3 to 5 min)",
    )


def _needs_it(ext: ExtInstall) -> bool:
    if ext.row.builds_without_cuda:
        return False
    if ext.name in READS_NVCC_FIRST or ext.is_isolated or ext.form is not Form.INDEX:
        return True
    if outcome_of(ext) is not Outcome.UNKNOWN:
        return outcome_of(ext) is Outcome.SOURCE
    torch = torch_before(ext.image, ext.n, ext.install)  # known: then the release is what no table has
    return torch.version is not None and python_of(ext.image) is not None
