"""The pinned extensions go with the pinned torch, and with each other.

Looks at   exact pins of mamba-ssm and causal-conv1d, against torch, transformers and each other.
Why        known pairs install and then fail, most of them at the first forward on the GPU:
           mamba-ssm 2.3.2 and newer need triton 3.5, so torch 2.9;
           mamba-ssm does not compile under torch 2.14 and newer (C++17 is written into setup.py);
           the sdists of mamba-ssm up to 2.2.4 and causal-conv1d up to 1.5.1 hold no CUDA sources, so without a
           release wheel they can't be built;
           causal-conv1d 1.5.1 and newer need torch 2.4;
           mamba-ssm 1.2.0 to 2.2.4 goes with causal-conv1d up to 1.5.0.post8, mamba-ssm 2.2.5 and newer with 1.5.1 on;
           mamba-ssm up to 2.2.6.post3 does not import under transformers 5.
Before     .pip_install("torch==2.2.2").pip_install("mamba-ssm==2.3.2.post1", …)
After      .pip_install("torch==2.2.2").pip_install("mamba-ssm==2.2.2", "causal-conv1d==1.4.0", …)
Source     METADATA and sdists of 31 releases, compiled against torch 2.0 to 2.15
"""

from collections.abc import Iterator

from packaging.version import Version

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
    brings_transformers_5,
    counted,
    error,
    ext_installs,
    has_cxx11_abi,
    is_build_forced,
    minor,
    newest_with_wheel,
    over_images,
    python_of,
    release,
    release_wheel,
    rule,
    torch_before,
    torch_range,
    version_number,
    warning,
)

SPLIT = Version("1.5.1")  # causal_conv1d_fwd took another argument here, and mamba-ssm followed in 2.2.5


def applies(recipe: Recipe) -> str:
    return counted(
        sum(e.name in ("mamba-ssm", "causal-conv1d") for i in recipe.images for e in ext_installs(i)),
        "install of mamba-ssm or causal-conv1d",
        "installs of mamba-ssm or causal-conv1d",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    pinned = [(e, v) for e in ext_installs(image) if (v := _version(e)) is not None]
    for ext, version in pinned:
        torch = torch_before(image, ext.n, ext.install)
        said = torch.version if torch.held in (Held.PINNED, Held.BASE) else None
        problem = _with_torch(ext, version, said) if said else ""
        if problem:
            yield error(
                problem,
                _remedy(ext),
                ext.where,
                why="the image build stops, or the import fails on the GPU after it was paid for",
            )
    yield from _with_each_other(pinned)
    yield from _with_transformers(pinned)


def _version(ext: ExtInstall) -> Version | None:
    if ext.name not in ("mamba-ssm", "causal-conv1d") or ext.version is None or release(ext.name, ext.version) is None:
        return None
    return Version(ext.version)


def _with_torch(ext: ExtInstall, version: Version, torch: str) -> str:
    has = version_number(torch)
    row = release(ext.name, str(version))
    if ext.name == "mamba-ssm" and version >= Version("2.3.2") and has < (2, 9):
        return (
            f"mamba-ssm {version} requires triton 3.5, and torch {torch} pins an older one: it goes with torch 2.9 on"
        )
    if ext.name == "causal-conv1d" and version >= SPLIT and has < (2, 4):
        return f"causal-conv1d {version} uses torch.library.custom_op, which torch {torch} does not have (2.4 has)"
    if ext.form is Form.WHEEL or ext.is_isolated:
        return ""
    found = release_wheel(ext)
    if isinstance(found, Wheel) and found.broken and not is_build_forced(ext):
        return f"the wheel of {ext.name} {version} for torch {minor(torch)} can't load: {found.broken}"
    if ext.form is Form.INDEX and row is not None and row.sdist_has_sources is False:
        if isinstance(found, NoWheel):
            return f"{found.why}, and its sdist has no CUDA sources to build from"
        if is_build_forced(ext):
            return f"the sdist of {ext.name} {version} has no CUDA sources, and *_FORCE_BUILD=TRUE asks to build it"
    if ext.name == "mamba-ssm" and has >= (2, 14):
        return f"mamba-ssm {version} does not compile under torch {torch}: it says -std=c++17, torch wants C++20"
    return ""


def _remedy(ext: ExtInstall) -> str:
    torch, python = torch_before(ext.image, ext.n, ext.install), python_of(ext.image)
    if torch.version and torch.cuda and torch.cuda != "cpu" and python:
        abi = has_cxx11_abi(torch.version, torch.build)
        fits = newest_with_wheel(ext.name, torch=torch.version, cuda=torch.cuda, python=python, abi=bool(abi))
        if fits is not None:
            return f"pin {ext.name}=={fits.version}, which has a wheel for torch {minor(torch.version)}"
    minors = torch_range(ext.name, ext.version or "") or "2.6 to 2.10"
    return f"pin torch to a minor that {ext.name} has wheels for: {minors}"


def _with_each_other(pinned: list[tuple[ExtInstall, Version]]) -> Iterator[Finding]:
    mamba = next(((e, v) for e, v in pinned if e.name == "mamba-ssm"), None)
    causal = next(((e, v) for e, v in pinned if e.name == "causal-conv1d"), None)
    if mamba is None or causal is None or mamba[1] < Version("1.2.0"):
        return
    if (mamba[1] >= Version("2.2.5")) != (causal[1] >= SPLIT):
        fits = "1.5.1 or newer" if mamba[1] >= Version("2.2.5") else "1.5.0.post8 or older"
        yield error(
            f"mamba-ssm {mamba[1]} calls causal-conv1d in another way than {causal[1]} offers",
            f"pin causal-conv1d to {fits}",
            causal[0].where,
            why="the first forward fails on the GPU: incompatible function arguments, or None is not callable",
        )


def _with_transformers(pinned: list[tuple[ExtInstall, Version]]) -> Iterator[Finding]:
    mamba = next(((e, v) for e, v in pinned if e.name == "mamba-ssm" and v < Version("2.3.0")), None)
    if mamba is not None and brings_transformers_5(mamba[0]):
        yield warning(
            f"mamba-ssm {mamba[1]} does not import under transformers 5, and nothing keeps transformers below it",
            'add "transformers<5" to the step that installs torch',
            mamba[0].where,
            why="import mamba_ssm fails: cannot import name 'GreedySearchDecoderOnlyOutput'",
        )


CHECK = rule(
    id="IMG270",
    name="ver-ext-torch-floor",
    title="the pinned extensions go with the pinned torch and with each other",
    find=find,
    applies=applies,
)
