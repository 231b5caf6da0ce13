"""The pinned extensions go with the pinned torch, and with each other.

Looks at   exact pins of mamba-ssm and causal-conv1d, against torch, triton, Python, transformers, glibc and each other.
Why        known pairs install and then fail, most of them at the first forward on the GPU: a kernel that calls what
           triton has lost, a call of causal-conv1d with other arguments, an import from transformers that is gone.
           Others have neither a release wheel nor sources to build from.
Before     .pip_install("torch==2.2.2").pip_install("mamba-ssm==2.3.2.post1", …)
After      .pip_install("torch==2.2.2").pip_install("mamba-ssm==2.2.2", "causal-conv1d==1.4.0", …)
Source     `preflight facts`, table compat.toml: METADATA and sdists of 31 releases, compiled against torch 2.0 to 2.15
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    ExtInstall,
    Finding,
    Form,
    Held,
    Image,
    NoWheel,
    Recipe,
    Wheel,
    clashes,
    counted,
    error,
    ext_installs,
    is_build_forced,
    minor,
    over_images,
    prefix_of,
    release,
    release_wheel,
    rule,
    torch_before,
    warning,
    working_pins,
)

COSTS = {
    "build": "the image build stops, after torch was downloaded",
    "import": "the image builds, and the import fails on the GPU after it was paid for",
    "run": "the image builds, and the first forward fails on the GPU",
}


def applies(recipe: Recipe) -> str:
    return counted(
        sum(e.name in ("mamba-ssm", "causal-conv1d") for i in recipe.images for e in ext_installs(i)),
        "install of mamba-ssm or causal-conv1d",
        "installs of mamba-ssm or causal-conv1d",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for ext in ext_installs(image):
        if ext.name not in ("mamba-ssm", "causal-conv1d") or not ext.version or not release(ext.name, ext.version):
            continue
        for clash in clashes(ext, context.builder):
            say, need = error if clash.is_certain else warning, clash.conflict.need
            yield say(clash.why, clash.remedy, clash.where, why=COSTS[need.when], evidence=(need.symptom,))
        problem = _without_files(ext)
        if problem:
            when = "import" if "can't load" in problem else "build"
            yield error(problem, _remedy(ext), ext.where, why=COSTS[when])


def _remedy(ext: ExtInstall) -> str:
    if is_build_forced(ext) and isinstance(wheel := release_wheel(ext), Wheel) and not wheel.broken:
        return f"leave {prefix_of(ext)}_FORCE_BUILD out: {wheel.filename} fits"
    return working_pins(ext)


def _without_files(ext: ExtInstall) -> str:
    """There is no wheel that loads, and nothing to build from."""
    if torch_before(ext.image, ext.n, ext.install).held not in (Held.PINNED, Held.BASE):
        return ""
    if ext.form is Form.WHEEL or ext.is_isolated:
        return ""
    found, row = release_wheel(ext), release(ext.name, ext.version or "")
    if isinstance(found, Wheel) and found.broken and not is_build_forced(ext):
        torch = torch_before(ext.image, ext.n, ext.install).version or ""
        return f"the wheel of {ext.name} {ext.version} for torch {minor(torch)} can't load: {found.broken}"
    if ext.form is Form.INDEX and row is not None and row.sdist_has_sources is False:
        if isinstance(found, NoWheel):
            return f"{found.why}, and its sdist has no CUDA sources to build from"
        if is_build_forced(ext):
            return f"the sdist of {ext.name} {ext.version} has no CUDA sources, and *_FORCE_BUILD=TRUE asks to build it"
    return ""


CHECK = rule(
    id="IMG270",
    name="ver-ext-torch-floor",
    title="the pinned extensions go with the pinned torch and with each other",
    find=find,
    applies=applies,
    asks_builder=True,
)
