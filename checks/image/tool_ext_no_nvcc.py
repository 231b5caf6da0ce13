"""The image has nvcc where a CUDA extension is installed from source.

Looks at   CUDA extensions that PyPI holds as source only, and the base image: `debian_slim`, `*-base`,
           `*-runtime` and plain distributions have no nvcc; `*-devel` has.
Why        mamba-ssm and causal-conv1d read nvcc's version before they even look for a release wheel:
           "NameError: name 'bare_metal_version' is not defined".  Others stop with "CUDA_HOME is not set".
Before     modal.Image.debian_slim().pip_install("torch==2.4.1").pip_install("mamba-ssm==2.2.4", …)
After      modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")…
           or the address of the wheel, which needs no compiler at all
Source     compiled and run with 7 releases of mamba-ssm; brain-go-brr-v2 fd62d7ee, cured in d27a775b
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    ExtInstall,
    Finding,
    Form,
    Image,
    Outcome,
    Recipe,
    Where,
    base_of,
    error,
    has_nvcc,
    is_cuda_skipped,
    names_are,
    outcome_of,
    over_images,
    python_of,
    rule,
    source_builds,
    source_builds_in,
    torch_before,
    warning,
)

READS_NVCC_FIRST = frozenset({"mamba-ssm", "causal-conv1d"})


def applies(recipe: Recipe) -> str:
    return source_builds_in(recipe)


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    places: dict[Where, list[ExtInstall]] = {}
    for ext in source_builds(image):
        if has_nvcc(image, ext.n) is False and not is_cuda_skipped(ext):
            places.setdefault(ext.where, []).append(ext)
    for where, found in places.items():
        base = base_of(image)
        assert base is not None  # has_nvcc said no, not unknown
        say = error if any(_needs_it(e) for e in found) else warning
        image_name = base.reference or base.step.method
        yield say(
            f"{names_are(found)} installed from source, and {image_name} has no nvcc",
            "start from an nvidia/cuda:…-devel-… image of torch's CUDA version, or install a wheel by its address",
            where,
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


CHECK = rule(
    id="IMG090",
    name="tool-ext-no-nvcc",
    title="nvcc is there where a CUDA extension is built",
    find=find,
    applies=applies,
)
