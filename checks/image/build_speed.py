"""How long a build takes."""

from preflight.api import ExtInstall, Findings, Recipe, advice, app, build, facts, rule
from preflight.rules.subjects import SOURCE_BUILDS, env_for, in_place


@rule("IMG150", SOURCE_BUILDS.only(lambda e: e.name == "flash-attn", "install of flash-attn"))
def tool_max_jobs(recipe: Recipe, ext: ExtInstall) -> Findings:
    """A build of flash-attn is told how many jobs it may run.

    Looks at
        flash-attn where it may compile, and MAX_JOBS before it.
    Why it matters
        Each of its compilers takes several GB, and ninja starts one a core. The builder runs out of memory and the
        build is killed.
    Example
        before   .pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
        after    .env({"MAX_JOBS": "4"}).pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
    How to fix
        Put `.env({"MAX_JOBS": "4"})` before the step.
    Source
        README of flash-attn
    """
    if "MAX_JOBS" not in env_for(ext) and build.outcome_of(ext) is not build.Outcome.WHEEL:
        yield advice(
            "flash-attn may compile, and MAX_JOBS does not limit the number of its compilers",
            'put .env({"MAX_JOBS": "4"}) before this step',
            ext.where,
            why="the image builder may run out of memory after 10 to 30 min",
            fix=app.insert_link(recipe, ext.step, '.env({"MAX_JOBS": "4"})', is_safe=False),
        )


@rule("IMG120", SOURCE_BUILDS)
def tool_ninja_missing(recipe: Recipe, ext: ExtInstall) -> Findings:
    """ninja is there for a build of extensions.

    Looks at
        Extensions built without isolation, and ninja (pip) or ninja-build (apt) before them.
    Why it matters
        Without ninja torch compiles one file after another: hours instead of minutes for flash-attn, and the image
        build may run into its time limit.
    Example
        before   .pip_install("torch==2.4.1", "packaging", "wheel").pip_install("flash-attn==2.6.3", …)
        after    .pip_install("torch==2.4.1", "packaging", "wheel", "ninja").pip_install("flash-attn==2.6.3", …)
    How to fix
        Add "ninja" to the step that installs the other build requirements.
    Source
        README of flash-attn; torch/utils/cpp_extension.py
    """
    if ext.is_isolated or not build.is_known_before(ext.image, ext.n) or build.outcome_of(ext) is build.Outcome.WHEEL:
        return
    there = build.python_packages_before(ext.image, ext.n, ext.install) | build.apt_before(ext.image, ext.n)
    if not {"ninja", "ninja-build"} & there:
        yield advice(
            f"{ext.name} may compile, and ninja is not installed before it",
            'add "ninja" to the step that installs its other build requirements',
            ext.where,
            why="one file is compiled at a time",
        )


MEASURED = {"mamba-ssm": "86 s instead of 260 s", "causal-conv1d": "170 s instead of more than 540 s"}
SINCE = (12, 8)  # nvcc has --split-compile
LINK = '.env({"NVCC_APPEND_FLAGS": "--split-compile=0"})'


@rule("IMG970", SOURCE_BUILDS.by(in_place))
def tool_split_compile(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """A build of the kernels uses all cores.

    Looks at
        mamba-ssm and causal-conv1d where they compile with nvcc 12.8 or newer, and NVCC_APPEND_FLAGS.
    Why it matters
        One file of causal-conv1d holds nine kernels that nvcc compiles one after another. With --split-compile=0 it
        spreads them over the cores: on 16 cores mamba-ssm took 86 s instead of 260 s, causal-conv1d 170 s instead of
        more than 540 s.
    Example
        before   .pip_install("causal-conv1d==1.6.1", extra_options="--no-build-isolation")
        after    .env({"NVCC_APPEND_FLAGS": "--split-compile=0"}).pip_install("causal-conv1d==1.6.1", …)
    How to fix
        Put `.env({"NVCC_APPEND_FLAGS": "--split-compile=0"})` before the step.
    Source
        Measured on one H100 machine, 2026-11-23
    """
    base = build.base_of(exts[0].image)
    if base is None or base.cuda is None or facts.version_number(base.cuda) < SINCE:
        return
    found = [e for e in exts if e.name in MEASURED and build.outcome_of(e) is build.Outcome.SOURCE and not _splits(e)]
    if found:
        yield advice(
            f"{build.names(found)} must be compiled, and nvcc uses one core a file",
            f"put {LINK} before this step",
            found[0].where,
            why=f"measured on 16 cores: {'; '.join(f'{e.name} {MEASURED[e.name]}' for e in found)}",
            fix=app.insert_link(recipe, found[0].step, LINK, is_safe=False),
        )


def _splits(ext: ExtInstall) -> bool:
    return "split-compile" in str(env_for(ext).get("NVCC_APPEND_FLAGS", ""))
