"""torch, and what must go with it."""

import re

from preflight.api import Findings, Fix, Image, Recipe, advice, app, build, error, facts, rule, warning
from preflight.build.outcome import Outcome
from preflight.build.torch_in import Held
from preflight.rules.subjects import BASES, IMAGES, PACKAGES, PIP_INSTALLS, WHEELS, Package, Started

OLDEST_OF_NUMPY_2 = (3, 9)  # numpy 2.0.0 has no release for an older Python
COMPILED_LATER = frozenset({"deepspeed", "exllamav2", "gsplat", "nvdiffrast", "flashinfer-python", "tensorrt-llm"})
BUILDS = re.compile(r"setup\.py|\bcmake\b|\bmake\b|\bninja\b|\bnvcc\b|pip3? install[^&;|]* (?:-e |\.)")
NUMBERED_AS_TORCH = (2, 8)  # torchaudio carried torch's own number up to here; beyond it was not read
COMPANION_PINS = PACKAGES.only(
    lambda p: p.name in ("torchvision", "torchaudio") and p.package.pin is not None and p.package.url is None,
    "pin of torchvision or torchaudio",
)
BY_NAME = PACKAGES.only(lambda p: p.name == "torch" and not p.package.url, "install of torch")


@rule("IMG340", IMAGES.only(lambda i: build.torch_at_end(i).version is not None, "image with a torch version"))
def ver_numpy2_old_torch(recipe: Recipe, image: Image) -> Findings:
    """numpy is kept below 2 beside a torch that was built for numpy 1.

    Looks at: An exact pin of such a torch (below 2.3), and whether numpy is limited in the same image.
    Why it matters: torch 2.2 and older are compiled against numpy 1. With numpy 2, `tensor.numpy()` and every
        DataLoader that takes arrays fail with "Numpy is not available".
    Example:
        before   .pip_install("torch==2.2.2")
        after    .pip_install("torch==2.2.2", "numpy<2")
    How to fix: Add "numpy<2" to the step that installs torch.
    Source: Numpy symbols in libtorch_python.so of torch 2.2.2 and 2.3.0
    """
    torch = build.torch_at_end(image)
    row = facts.torch_row(torch.version) if torch.version else None
    if row is None or row.numpy2 or torch.held is not Held.PINNED or not build.is_known_before(image, len(image.steps)):
        return
    python = build.python_of_install(image, torch.n, torch.install) if torch.install is not None else None
    if python is not None and facts.version_number(python) < OLDEST_OF_NUMPY_2:
        return
    installs = [i for i in PIP_INSTALLS.of(recipe) if i.image is image]
    if any({"-c", "--constraint"} & {*i.pip.options} for i in installs):
        return
    numpy = [p for p in PACKAGES.of(recipe) if p.image is image and p.name == "numpy"]
    if all(build.is_within("2.3.0", p.package.specifier) for p in numpy):
        yield warning(
            f"torch {torch.version} was built for numpy 1, and nothing keeps numpy below 2",
            'add "numpy<2" to the step that installs torch',
            numpy[0].where if numpy else torch.where(image),
            why="the first tensor.numpy() fails with: Numpy is not available",
            fix=_cap(recipe, torch),
        )


def _cap(recipe: Recipe, torch: build.TorchIn) -> Fix | None:
    package = torch.package
    source = app.source_of(recipe, package.where) if package is not None and package.where is not None else None
    if package is None or package.span is None or source is None:
        return None
    end = package.span.end
    quote = source.text[end - 1 : end]
    if quote not in ("'", '"'):
        return None
    return app.replaced(source.path, app.Span(end, end), f", {quote}numpy<2{quote}", is_safe=True)


@rule("IMG290", BASES.only(lambda i: i.base.cuda and i.base.flavour == "devel", "image on a CUDA devel base"))
def ver_torch_base_cuda_mismatch(recipe: Recipe, started: Started) -> Findings:
    """torch and the base image have the same CUDA major.

    Looks at: The CUDA version in the tag of an nvidia/cuda base, and the CUDA that the installed torch was built for
        (its +cu part, its index, or what PyPI's wheel of that version has). Where nothing compiles, at the build or at
        run time (deepspeed, torch.utils.cpp_extension), the two need not agree.
    Why it matters: torch's BuildExtension compares the two and refuses another major: "The detected CUDA version (12.8)
        mismatches the version that was used to compile PyTorch (13.0)". Unpinned torch is CUDA 13 today.
    Example:
        before   from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).pip_install("torch").pip_install("mamba-ssm", …)
        after    from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", …).pip_install("torch==2.5.1")…
    How to fix: Take a torch of the base's CUDA major (its index, or an older pin), or an nvidia/cuda base of torch's
        CUDA.
    Source: torch/utils/cpp_extension.py, _check_cuda_version; METADATA of each torch in the table
    """  # noqa: E501 - the example is one line
    image, base = started.image, started.base
    sources = build.source_builds(image)
    packages = [p for _, i in image.pip_installs() for p in i.packages]
    may_compile = (  # something of the image or of the file, with torch: at the build or just in time
        any(p.name in COMPILED_LATER or (p.url and not facts.wheel_name(p.url)) for p in packages)
        or any(BUILDS.search(c.text) for s in image.steps for c in s.shell)
        or "cpp_extension" in image.source.text
    )
    builds = [e for e in sources if build.outcome_of(e) is not Outcome.WHEEL]
    torch = build.torch_before(image, builds[0].n, builds[0].install) if builds else build.torch_at_end(image)
    if torch.held not in (Held.PINNED, Held.LOOSE) or torch.cuda in (None, "cpu") or torch.install is None:
        return
    has, wanted = torch.cuda or "", base.cuda or ""
    if has.split(".")[0] == wanted.split(".")[0] or not (sources or may_compile):
        return
    say = error if any(e.is_isolated or build.outcome_of(e) is Outcome.SOURCE for e in builds) else warning
    is_pinned = torch.held is Held.PINNED
    name = f"torch {torch.version}" if is_pinned else f"torch without a pin (today {torch.expected})"
    yield say(
        f"{name} is built for CUDA {has}, and {base.reference} has the toolkit of CUDA {wanted}",
        f"take a torch of CUDA {wanted.split('.')[0]} (its index, or an older pin), or an nvidia/cuda:{has} base",
        torch.where(image),
        why="torch refuses to build an extension across CUDA majors: the image build stops, or the first JIT does",
    )


@rule("IMG310", COMPANION_PINS)
def ver_torch_companion_mismatch(recipe: Recipe, companion: Package) -> Findings:
    """torchvision and torchaudio belong to the torch that is pinned.

    Looks at: Exact pins of torchvision and torchaudio beside an exact pin of torch.
    Why it matters: Each torchvision requires one torch: torch 2.n goes with torchvision 0.(n+15). In one call pip finds
        no solution; in a later call it replaces torch, and what was built for the first one stops loading.
    Example:
        before   .pip_install("torch==2.4.1", "torchvision==0.17.2")
        after    .pip_install("torch==2.4.1", "torchvision==0.19.1")
    How to fix: Pin the version that the message names.
    Source: METADATA of the torchvision and torchaudio wheels; A100-Kernel-RL 7bedb37c, cured in d60578fd
    """
    package, torch = companion.package, build.torch_with(companion.image, companion.n, companion.pip)
    row = facts.torch_row(torch.version) if torch.version else None
    if torch.held not in (Held.PINNED, Held.BASE) or torch.version is None or row is None or package.pin is None:
        return
    if package.name == "torchaudio" and facts.version_number(torch.version) > NUMBERED_AS_TORCH:
        return
    wanted = row.torchvision if package.name == "torchvision" else row.torchaudio
    if facts.minor(package.pin) in (None, wanted):
        return
    patch = torch.version.split("+")[0].split(".")[2:] or ["0"]  # torch's own, but 0.15 began at .1 for torch 2.0.0
    exact = f"{wanted}.{int(patch[0]) + 1 if wanted == '0.15' and patch[0].isdigit() else patch[0]}"
    fix = app.replace_package(recipe, package, package.written.replace(package.pin, exact), is_safe=True)
    yield error(
        f"{package.written} does not belong to torch {torch.version}, which goes with {wanted}.x",
        f"use {package.name}=={exact}",
        companion.where,
        why="pip finds no solution, or replaces torch under what was built for it",
        fix=fix if "+" not in package.pin else None,
    )


@rule("IMG300", PACKAGES.only(lambda p: p.name == "torch" and p.package.pin is not None, "pin of torch"))
def ver_torch_not_on_index(recipe: Recipe, torch: Package) -> Findings:
    """The pinned torch exists for its index and Python.

    Looks at: Exact pins of torch, their +cu part or PyTorch index, and the image's Python.
    Why it matters: pip stops with "ERROR: No matching distribution found for torch==2.8.0+cu118".
    Example:
        before   .pip_install("torch==2.8.0", index_url="https://download.pytorch.org/whl/cu118")
        after    .pip_install("torch==2.8.0", index_url="https://download.pytorch.org/whl/cu128")
    How to fix: Take a version, a CUDA build or a Python that the message lists.
    Source: The PyTorch index and the wheels of each torch in the table
    """
    version = torch.package.pin or ""
    row = facts.torch_row(version)
    problem, remedy = _problem(version, row, torch.pip, build.python_of(torch.image)) if row is not None else ("", "")
    if problem:
        yield error(
            f"torch {version} {problem}", remedy, torch.where, why="pip stops with: No matching distribution found"
        )


def _problem(version: str, row: facts.TorchRow, install: app.PipInstall, python: str | None) -> tuple[str, str]:
    """What is missing, and what there is in its place; empty when nothing is."""
    public, _, local = version.partition("+")
    on_index = install.index_url or ""
    if "nightly" in on_index or (on_index and not build.is_known_index(on_index)):
        return "", ""
    wanted = local or next((p for p in on_index.split("/") if p[:2] == "cu" and p[2:].isdigit()), "")
    if python is not None and python not in row.python:
        return f"has no wheel for Python {python}", f"take Python {row.python[0]} to {row.python[-1]}"
    newest = facts.version_number(facts.newest_torch().minor)[1]
    is_closed = facts.version_number(row.minor)[1] <= newest - 2  # newer minors may get another patch
    if is_closed and public.count(".") == 2 and public not in row.patches:
        return "was never released", f"take one of {', '.join(row.patches)}"
    if wanted.startswith("cu") and row.builds_known and wanted not in row.builds:
        return f"was never built for {wanted}", f"take one of {', '.join(row.builds)}"
    return "", ""


@rule("IMG280", BY_NAME.by(lambda p: id(p.image)))
def ver_torch_unpinned(recipe: Recipe, installs: list[Package]) -> Findings:
    """torch is pinned to an exact version.

    Looks at: torch installed by name without `==`.
    Why it matters: Everything compiled, and every wheel with a torch tag, fits one minor of torch. Without a pin pip
        takes the newest of the day, for which the kernels may have no release wheel yet. A package of the same command
        that asks for one exact torch (vllm, xformers) pins it too.
    Example:
        before   .pip_install("torch>=2.4")
        after    .pip_install("torch==2.4.1")
    How to fix: Pin torch with `==` to a minor that your extensions have wheels for.
    Source: modal.com/docs/guide/images recommends tight pins; A100-Kernel-RL ef0ca70f
    """
    image = installs[0].image
    wheels = (w for p in WHEELS.of(recipe) if p.image is image and (w := p.wheel) is not None and w.torch)
    bound = next(iter([*(e.name for e in build.ext_installs(image)), *(w.name for w in wheels)]), "")
    for torch in installs:
        if torch.package.specifier.startswith(("==", "~=")):
            return  # and stays pinned
        if build.install_pins_torch(torch.pip) or {"-c", "--constraint"} & {*torch.pip.options}:
            continue
        say = warning if bound else advice
        yield say(
            f"{torch.package.written} takes the newest torch of the day",
            "pin torch with ==" + (f": {bound} fits one minor of torch" if bound else ""),
            torch.where,
            why="the next image build may get another torch, and what was built for the old one stops loading",
        )
