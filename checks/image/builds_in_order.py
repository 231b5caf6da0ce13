"""The order of torch, its index, and what is built for it."""

from preflight.api import ExtInstall, Findings, Recipe, advice, app, build, error, facts, rule, warning
from preflight.build.torch_in import Held
from preflight.rules.subjects import EXT_INSTALLS, PACKAGES, PIP_INSTALLS, SOURCE_BUILDS, Package, env_for, in_place
from preflight.wording import is_or_are

STEERS = frozenset({"CC", "CXX", "CUDA_HOME", "TORCH_CUDA_ARCH_LIST", "MAX_JOBS", "FLASH_ATTN_CUDA_ARCHS"})
AT_RUN_TIME = frozenset({"TORCH_CUDA_ARCH_LIST", "CUDA_HOME", "CC", "CXX", "MAX_JOBS"})
COMPILES_LATER = frozenset(
    {"gsplat", "deepspeed", "flashinfer-python", "torch-tensorrt", "vllm", "triton", "nvdiffrast"}
)


@rule("IMG050", SOURCE_BUILDS.by(lambda e: id(e.image)))
def ord_env_after_build(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """Variables for a build are set before it.

    Looks at: `.env` steps after the last extension build that set CC, CXX, CUDA_HOME, TORCH_CUDA_ARCH_LIST, MAX_JOBS,
        FLASH_ATTN_CUDA_ARCHS or a *_FORCE_BUILD for the first time.
    Why it matters: An `.env` applies to the steps after it. The build has happened without it.
    Example:
        before   .pip_install("mamba-ssm==2.3.1", …).env({"CXX": "g++"})
        after    .env({"CXX": "g++"}).pip_install("mamba-ssm==2.3.1", …)
    How to fix: Put the `.env` before the step that builds.
    Source: modal.com/docs/guide/images
    """
    last = exts[-1]
    packages = {p.name for _, i in last.image.pip_installs() for p in i.packages}
    for step in last.image.steps[last.n + 1 :]:
        late = [k for k in step.env if (k in STEERS or k.endswith("_FORCE_BUILD")) and k not in env_for(last)]
        if late:
            say = advice if COMPILES_LATER & packages and {*late} <= AT_RUN_TIME else warning
            yield say(
                f"{', '.join(late)} {is_or_are(late)} set after {last.name} was built (line {last.step.where.line})",
                "put this .env before the build",
                app.word_where(recipe, step, late[0]),
                why="the build ran without it",
            )


@rule("IMG020", SOURCE_BUILDS.by(in_place))
def ord_ext_before_torch(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """torch is there before the extensions that import it to build.

    Looks at: CUDA extensions that pip gets as source, and where torch comes in the same image.
    Why it matters: setup.py of such a package imports torch before anything else. In the same pip call torch is not
        installed yet when setup.py runs: the build stops with "No module named 'torch'".
    Example:
        before   .pip_install("torch==2.4.1", "mamba-ssm==2.2.4")
        after    .pip_install("torch==2.4.1").pip_install("mamba-ssm==2.2.4", extra_options="--no-build-isolation")
    How to fix: Install torch in a step of its own before the extension, and build it with --no-build-isolation.
    Source: setup.py of mamba-ssm, causal-conv1d, flash-attn, the PyG extensions; MaxiRuess b281b75c
    """
    early = [e for e in exts if build.comes_before_torch(e)]
    found = [e for e in early if build.torch_before(e.image, e.n, e.install).held is Held.ABSENT]
    if found:
        is_same = any(p.name == "torch" for p in found[0].install.packages)
        yield error(
            f"{build.names_are(found)} installed " + ("in the same pip call as torch" if is_same else "before torch"),
            "install torch in a step of its own before it, and build with --no-build-isolation",
            found[0].where,
            why="the image build stops at this step with: No module named 'torch'",
        )


COMPANIONS = frozenset({"torchvision", "torchaudio", "torchtext"})


@rule("IMG030", EXT_INSTALLS.by(lambda e: id(e.image)))
def ord_torch_changed_after_ext(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """torch stays as it was when the extensions were built.

    Looks at: Steps after a CUDA extension that name another torch, upgrade it, or install a package that requires one
        exact torch (vllm, sglang, unsloth, xformers), without a constraint.
    Why it matters: The extension was built for the torch of its time.  Under another minor it fails at import with
        "undefined symbol", and the build says nothing.
    Example:
        before   .pip_install("torch==2.4.1").pip_install("flash-attn==2.6.3", …).pip_install("vllm==0.8.0")
        after    .pip_install("vllm==0.8.0").pip_install("flash-attn==…", …)      # for the torch that vllm brought
    How to fix: Install the package before the extension, or with --no-deps, or with a constraint on torch.
    Source: Vanitas f3a0a338, cured in 0bb16768
    """
    first = exts[0]
    torch = build.torch_before(first.image, first.n, first.install)
    installs = [i for i in PIP_INSTALLS.of(recipe) if i.image is first.image]
    begun = next(n for n, i in enumerate(installs) if i.pip is first.install)
    for install in installs[begun + 1 :]:
        if install.pip.is_without_deps or {"-c", "--constraint"} & {*install.pip.options}:
            continue
        changing = next((p for p in install.pip.packages if _changes(p, install.pip, torch)), None)
        if changing is not None:
            yield warning(
                f"{changing.written} may replace the torch of {first.name} (line {first.step.where.line})",
                f"install {changing.name} before {first.name}, or with --no-deps or a constraint on torch",
                app.package_where(install.step, install.pip, changing),
                why="the extension then fails at import on the GPU with: undefined symbol",
            )


def _changes(package: app.PipPackage, install: app.PipInstall, torch: build.TorchIn) -> bool:
    if package.name == "torch" and not package.url:
        if package.pin is not None:
            return torch.version is not None and facts.minor(package.pin) != facts.minor(torch.version)
        return install.is_upgrade or install.is_forced
    return package.name is not None and package.name not in COMPANIONS and facts.pins_torch(package.name)


TORCH = PACKAGES.only(
    lambda p: p.name == "torch" and not p.package.url and any("download.pytorch.org" in u for u in p.urls),
    "install from the PyTorch index",
)


@rule("IMG040", TORCH)
def ord_torch_index_after_dependents(recipe: Recipe, torch: Package) -> Findings:
    """The CUDA index of torch is named before anything brings torch.

    Looks at: A step that installs torch from download.pytorch.org, after a step whose packages depend on torch.
    Why it matters: The earlier step has already brought PyPI's torch. Where the requirement allows it, pip then says
        "Requirement already satisfied" and the index is never asked; a pin of another version is asked for.
    Example:
        before   .pip_install("accelerate").pip_install("torch", index_url="https://download.pytorch.org/whl/cu121")
        after    .pip_install("torch", index_url="https://download.pytorch.org/whl/cu121").pip_install("accelerate")
    How to fix: Put the step that installs torch first.
    Source: pip's resolver; Ajimsha1080/idm-vton
    """
    pip, specifier = torch.pip, torch.package.specifier
    before = build.torch_before(torch.image, torch.n, pip)
    if pip.is_forced or pip.is_upgrade or "+" in specifier or before.held is not Held.BROUGHT:
        return
    if build.is_within(facts.newest_torch_for(build.python_of(torch.image)).patches[-1], specifier):
        yield warning(
            f"line {torch.image.steps[before.n].where.line} has already brought torch: this index is not asked",
            "put the step that installs torch first",
            torch.where,
            why="the image gets PyPI's torch, of another CUDA than was meant",
        )
