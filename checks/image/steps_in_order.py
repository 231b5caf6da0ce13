"""The order of an image's steps, and of torch, its index and what is built for it."""

import ast
import re

from preflight.api import Context, ExtInstall, Findings, Link, Recipe, advice, app, build, error, facts, rule, warning
from preflight.app.syntax import Def
from preflight.build.torch_in import Held
from preflight.rules.subjects import (
    EXT_INSTALLS,
    PACKAGES,
    PIP_INSTALLS,
    SOURCE_BUILDS,
    STEPS,
    Package,
    env_for,
    in_place,
)
from preflight.wording import is_or_are

LOCAL = frozenset({"add_local_file", "add_local_dir", "add_local_python_source"})
BUILDS = frozenset(
    "pip_install uv_pip_install pip_install_from_requirements pip_install_from_pyproject poetry_install_from_file "
    "uv_sync pip_install_private_repos apt_install run_commands run_function dockerfile_commands micromamba_install "
    "env workdir entrypoint cmd shell".split()
)
COPIES = STEPS.only(
    lambda k: k.step.method in ("add_local_dir", "add_local_python_source") and k.step.kwargs.get("copy") is True,
    "step that copies code",
)
ASSERTED = re.compile(r"\bassert\s+(?:\(\s*)?torch\.cuda\.is_available\(\)")
NEEDS_GPU = re.compile(
    r"^nvidia-smi$|torch\.cuda\.(?:get_device_\w+|current_device|mem_get_info|synchronize|set_device)\(|\.cuda\(\)"
    r"|\.to\(\s*['\"]cuda(?::\d)?['\"]\s*\)|device\s*=\s*['\"]cuda(?::\d)?['\"]"
)
GUARD = re.compile(r"\bif\b.*is_available\(\)|is_available\(\)\s+(?:and|else)|\bexcept\b", re.DOTALL)
RUNNING = STEPS.only(lambda k: k.step.method in ("run_commands", "run_function"), "step that runs code")
LOCKS_PIP = re.compile(r'^name = "pip"$', re.MULTILINE)
STEERS = frozenset({"CC", "CXX", "CUDA_HOME", "TORCH_CUDA_ARCH_LIST", "MAX_JOBS", "FLASH_ATTN_CUDA_ARCHS"})
AT_RUN_TIME = frozenset({"TORCH_CUDA_ARCH_LIST", "CUDA_HOME", "CC", "CXX", "MAX_JOBS"})
COMPILES_LATER = frozenset(
    {"gsplat", "deepspeed", "flashinfer-python", "torch-tensorrt", "vllm", "triton", "nvdiffrast"}
)
COMPANIONS = frozenset({"torchvision", "torchaudio", "torchtext"})
TORCH = PACKAGES.only(
    lambda p: p.name == "torch" and not p.package.url and any("download.pytorch.org" in u for u in p.urls),
    "install from the PyTorch index",
)


@rule("IMG010", STEPS.only(lambda link: link.step.method in LOCAL, "step with local files"))
def ord_add_local_then_build(recipe: Recipe, link: Link) -> Findings:
    """No build step comes after files that are only mounted.

    Looks at: Every `add_local_file`, `add_local_dir` and `add_local_python_source` without `copy=True`, and the steps
        after it in the same chain.
    Why it matters: Such files are mounted when a container starts, so nothing can be built on top of them. The client
        refuses the image (InvalidError) as soon as it is built: nothing runs.
    Example:
        before   .add_local_dir("src", "/root/src").pip_install("einops")
        after    .pip_install("einops").add_local_dir("src", "/root/src")
                 or, when a later step reads the files: .add_local_dir("src", "/root/src", copy=True)
    How to fix: Move the step to the end of the chain. Give it `copy=True` when a later step reads the files.
    Source: modal/_image.py 1.6.4, `_assert_no_mount_layers`
    """
    step = link.step
    after = next((s for s in link.after if s.method in BUILDS), None)
    if after is None or step.kwargs.get("copy", False) is not False or "**" in step.kwargs:
        return
    yield error(
        f"{step.method} mounts files, and {after.method} (line {after.where.line}) builds on top of them",
        f"move {step.method} to the end of the chain, or give it copy=True when {after.method} reads the files",
        step.where,
        why="the client refuses the image: nothing is built",
        fix=app.add_argument(recipe, step, "copy=True", is_safe=True) if "copy" not in step.kwargs else None,
    )


@rule("IMG080", COPIES)
def ord_copy_source_before_deps(recipe: Recipe, link: Link) -> Findings:
    """The project's code is copied into the image after the heavy steps.

    Looks at: `add_local_dir` and `add_local_python_source` with `copy=True` before a step that installs torch or
        compiles an extension, where that step does not need the code.
    Why it matters: Every edit of the code changes the layer, and all layers after it are built again: torch is
        downloaded and mamba-ssm compiled (minutes to an hour) for each saved file.
    Example:
        before   .add_local_dir("src", "/root/src", copy=True).pip_install("torch==2.4.1")
        after    .pip_install("torch==2.4.1").add_local_dir("src", "/root/src", copy=True)
    How to fix: Move the step that copies the code below those that install.
    Source: modal.com/docs/guide/images, "define frequently changing layers last"
    """
    step, heavy = link.step, None
    target = str(step.given("remote_path", 1) or "/root").rstrip("/") or "/"
    for later in link.after:
        if _uses(later, target):
            return
        packages = [p.name for i in later.pip for p in i.packages if p.name]
        heavy = heavy or (later if any(p == "torch" or facts.extension(p) for p in packages) else None)
    if heavy is not None:
        yield warning(
            f"{step.method} copies code before {heavy.method} (line {heavy.where.line}) installs heavy packages",
            f"move {step.method} below it",
            step.where,
            why="each edit of the code downloads and compiles everything below again",
        )


def _uses(step: app.Step, target: str) -> bool:
    """A later step that names the folder, or works in it, or may run anything of it."""
    if step.method in ("workdir", "run_function", "uv_sync", "dockerfile_commands"):
        return True
    texts = [c.text for c in step.shell]
    return any(target in t or " ." in t or "cd " in t or ".sh" in t for t in texts) or any(
        p.is_editable or (p.url or "").startswith((".", "/")) for i in step.pip for p in i.packages
    )


@rule("IMG060", RUNNING)
def ord_gpu_check_at_build(recipe: Recipe, link: Link) -> Findings:
    """No build step without gpu= needs a GPU.

    Looks at: Commands of `run_commands` and the body of `run_function` without `gpu=`.
    Why it matters: Build steps run on machines without a GPU. `assert torch.cuda.is_available()`, `nvidia-smi` or
        `.cuda()` fail there, after the minutes that the steps before took.
    Example:
        before   .run_commands("python -c 'import torch; assert torch.cuda.is_available()'")
        after    .run_commands("python -c 'import torch; print(torch.version.cuda)'")
                 or .run_commands("…", gpu="T4") when the step must see a card
    How to fix: Leave the check out of the build, or give the step `gpu="T4"`.
    Source: modal.com/docs/guide/images, "Attach GPUs during setup"; brain-go-brr-v2 632da264, undone in c80b1d2b
    """
    step = link.step
    if step.kwargs.get("gpu") or "**" in step.kwargs:
        return
    node = getattr(step.args[0], "node", None) if step.args and step.method == "run_function" else None
    codes = [(ast.unparse(node), step.where)] if isinstance(node, Def) else []
    for command in step.shell:
        program, words = build.program_of(command)
        if command.operator != "||" and (program == "nvidia-smi" or program.startswith("python")):
            codes.append((program if program == "nvidia-smi" else " ".join(words), command.where))
    for code, where in codes:
        asked = None if GUARD.search(code) else NEEDS_GPU.search(code)
        needs = ASSERTED.search(code) or asked
        if needs:
            yield error(
                f"{step.method} has no gpu=, and it needs one: {needs[0]}",
                'leave this out of the build, or give the step gpu="T4"',
                where,
                why="the image build stops at this step; the steps before it have been paid for in minutes",
            )
            return


@rule("IMG070", STEPS.only(lambda link: link.step.method == "uv_sync", "step with uv_sync"))
def ord_pip_after_uv_sync(recipe: Recipe, link: Link, context: Context) -> Findings:
    """pip is there when a step after uv_sync calls it.

    Looks at: `pip_install` and `pip` commands after `uv_sync`, unless uv.lock locks pip.
    Why it matters: uv_sync puts its own environment first on PATH, and uv installs no pip in it: "No module named pip".
    Example:
        before   .uv_sync().pip_install("einops")
        after    .uv_sync().uv_pip_install("einops")
    How to fix: Use `uv_pip_install` or `uv pip install` after `uv_sync`.
    Source: modal/_image.py 1.6.4, uv_sync
    """
    if any(s.method == "uv_sync" for s in link.before) or _locks_pip(link.step, context):
        return
    for step in link.after:
        if any("ensurepip" in c.text for c in step.shell) or any(p.name == "pip" for i in step.pip for p in i.packages):
            return
        called = next((i for i in step.pip if i.tool == "pip"), None)
        if called is not None:
            rename = app.replace_span(recipe, step.where, step.link, ".pip_install(", ".uv_pip_install(", is_safe=True)
            yield warning(
                f"{step.method} calls pip after uv_sync (line {link.step.where.line}), where there is none",
                "use uv pip install" if step.method == "run_commands" else "use uv_pip_install",
                app.package_where(step, called),
                why="the image build stops with: No module named pip",
                fix=rename if step.method == "pip_install" else None,
            )


def _locks_pip(step: app.Step, context: Context) -> bool:
    """uv.lock below the project holds pip; an unreadable place is taken for one that does."""
    given = step.given("uv_project_dir", 0) or "./"
    lock = context.project / given / "uv.lock" if isinstance(given, str) else None
    try:
        return lock is None or not lock.is_file() or LOCKS_PIP.search(lock.read_text("utf-8")) is not None
    except (OSError, ValueError):
        return True


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
