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

from preflight.api import ExtInstall, Findings, Recipe, build, error, rule, warning
from preflight.rules.subjects import SOURCE_BUILDS, in_place
from preflight.wording import is_or_are

READS_NVCC_FIRST = frozenset({"mamba-ssm", "causal-conv1d"})


@rule("IMG090", SOURCE_BUILDS.by(in_place))
def find(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    found = [e for e in exts if build.has_nvcc(e.image, e.n) is False and not build.is_cuda_skipped(e)]
    base = build.base_of(found[0].image) if found else None
    if base is None:
        return
    image = base.reference or base.step.method
    say = error if any(_needs_it(e) for e in found) else warning
    yield say(
        f"{build.names(found)} {is_or_are(found)} installed from source, and {image} has no nvcc",
        "start from an nvidia/cuda:…-devel-… image of torch's CUDA version, or install a wheel by its address",
        found[0].where,
        why="the image build stops at this step, after torch was downloaded (3 to 5 min)",
    )


def _needs_it(ext: ExtInstall) -> bool:
    if ext.row.builds_without_cuda:
        return False
    if ext.name in READS_NVCC_FIRST or ext.is_isolated or ext.form is not build.Form.INDEX:
        return True
    if build.outcome_of(ext) is not build.Outcome.UNKNOWN:
        return build.outcome_of(ext) is build.Outcome.SOURCE
    torch = build.torch_before(ext.image, ext.n, ext.install)  # known: then the release is what no table has
    return torch.version is not None and build.python_of(ext.image) is not None
