"""The compilers of a build, and how long they take."""

from preflight.api import Context, ExtInstall, Findings, Recipe, advice, app, build, error, facts, rule, warning
from preflight.build.outcome import Outcome
from preflight.rules.subjects import SOURCE_BUILDS, env_for, in_place
from preflight.wording import is_or_are

CLANG = "clang++"  # in the line that the build stops with
LINK = '.env({"CC": "gcc", "CXX": "g++"})'
UNDER_ADDED = SOURCE_BUILDS.only(
    lambda e: (base := build.base_of(e.image)) is not None and base.adds_python, "extension under add_python"
)
READS_NVCC_FIRST = frozenset({"mamba-ssm", "causal-conv1d"})
MEASURED = {"mamba-ssm": "86 s instead of 260 s", "causal-conv1d": "170 s instead of more than 540 s"}
SINCE = (12, 8)  # nvcc has --split-compile
SPLIT_LINK = '.env({"NVCC_APPEND_FLAGS": "--split-compile=0"})'


@rule("IMG100", UNDER_ADDED.by(in_place), asks_builder=True)
def tool_add_python_no_cc(recipe: Recipe, exts: list[ExtInstall], context: Context) -> Findings:
    """A build under add_python is told to use gcc.

    Looks at: Images whose Python was added with `add_python=`, and their extensions built from source: CC or CXX in an
        `.env` before, in the shell command itself, or an apt clang.
    Why it matters: The added Python was built with clang and says so to every build: torch then runs `which clang++`.
        "Command '['which', 'clang++']' returned non-zero exit status 1". build-essential does not help.
    Example:
        before   .apt_install("build-essential").pip_install("mamba-ssm==2.3.1", …)
        after    .apt_install("build-essential").env({"CC": "gcc", "CXX": "g++"}).pip_install("mamba-ssm==2.3.1", …)
    How to fix: Put `.env({"CC": "gcc", "CXX": "g++"})` before the step.
    Source: python-build-standalone, quirks; compiled with and without CXX=g++; brain-go-brr-v2 c8d19f3c, d8d73ffd
    """
    found = [e for e in exts if _asks_for_clang(e, context)]
    base = build.base_of(exts[0].image)
    if not found or base is None:
        return
    is_known = base.row is not None  # another base may have a clang of its own
    is_certain = is_known and any(e.is_isolated or build.outcome_of(e) is Outcome.SOURCE for e in found)
    say = error if is_certain else warning
    compiles = "must be compiled" if is_certain else "must be compiled when no release wheel fits"
    yield say(
        f"{build.names(found)} {compiles}, and the Python of add_python asks for clang++, which is not there",
        f"put {LINK} before this step",
        found[0].where,
        why="the image build stops at this step: `which clang++` finds nothing",
        fix=app.insert_link(recipe, found[0].step, LINK, is_safe=True),
    )


def _asks_for_clang(ext: ExtInstall, context: Context) -> bool:
    if {"CC", "CXX"} & env_for(ext).keys() or build.has_clang(ext.image, ext.n):
        return False
    if not build.are_tools_known_before(ext.image, ext.n) or build.outcome_of(ext) is Outcome.WHEEL:
        return False
    if not ext.is_isolated or ext.name not in build.FORECAST:
        return True
    forecast = build.forecast_of(ext, context.builder)  # it may stop before any compiler is asked for
    is_source = forecast.outcome is Outcome.SOURCE
    return is_source or forecast.rule == "tool-add-python-no-cc" or CLANG in forecast.log


@rule("IMG090", SOURCE_BUILDS.by(in_place))
def tool_ext_no_nvcc(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """nvcc is there where a CUDA extension is built.

    Looks at: CUDA extensions that PyPI holds as source only, and the base image: `debian_slim`, `*-base`,
        `*-runtime` and plain distributions have no nvcc; `*-devel` has.
    Why it matters: mamba-ssm and causal-conv1d read nvcc's version before they even look for a release wheel:
        "NameError: name 'bare_metal_version' is not defined".  Others stop with "CUDA_HOME is not set".
    Example:
        before   modal.Image.debian_slim().pip_install("torch==2.4.1").pip_install("mamba-ssm==2.2.4", …)
        after    modal.Image.from_registry("nvidia/cuda:12.4.1-devel-ubuntu22.04", add_python="3.11")…
                 or the address of the wheel, which needs no compiler at all
    How to fix: Start from an `nvidia/cuda:…-devel-…` image of torch's CUDA version, or install a wheel by its address.
    Source: Compiled and run with 7 releases of mamba-ssm; brain-go-brr-v2 fd62d7ee, cured in d27a775b
    """
    found = [e for e in exts if build.has_nvcc(e.image, e.n) is False and not build.is_cuda_skipped(e)]
    base = build.base_of(found[0].image) if found else None
    if base is None:
        return
    say = error if any(map(_needs_nvcc, found)) else warning
    yield say(
        f"{build.names(found)} {is_or_are(found)} installed from source, and {base.reference or base.step.method} "
        "has no nvcc",
        "start from an nvidia/cuda:…-devel-… image of torch's CUDA version, or install a wheel by its address",
        found[0].where,
        why="the image build stops at this step, after torch was downloaded (3 to 5 min)",
    )


def _needs_nvcc(ext: ExtInstall) -> bool:
    if ext.row.builds_without_cuda:
        return False
    if ext.name in READS_NVCC_FIRST or ext.is_isolated or ext.form is not build.Form.INDEX:
        return True
    if build.outcome_of(ext) is not Outcome.UNKNOWN:
        return build.outcome_of(ext) is Outcome.SOURCE
    torch = build.torch_before(ext.image, ext.n, ext.install)  # known: then the release is what no table has
    return torch.version is not None and build.python_of(ext.image) is not None


@rule("IMG130", SOURCE_BUILDS.by(lambda e: id(e.image)))
def tool_gcc_too_new(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """nvcc supports the gcc of the base image.

    Looks at: The distribution in the tag of an nvidia/cuda base (its default gcc) against the newest gcc that this
        CUDA's nvcc supports, where an extension is built.
    Why it matters: nvcc refuses a newer gcc: "unsupported GNU version! gcc versions later than 12 are not supported".
    Example:
        before   from_registry("nvidia/cuda:12.3.2-devel-ubuntu24.04", …)
        after    from_registry("nvidia/cuda:12.3.2-devel-ubuntu22.04", …)
    How to fix: Take the same CUDA on an older Ubuntu, or install an older gcc and set CC and CXX to it.
    Source: crt/host_config.h of each toolkit
    """
    builds = [e for e in exts if build.outcome_of(e) is not Outcome.WHEEL]
    base, refused = build.base_of(exts[0].image), build.refused_gcc(builds[0]) if builds else None
    if base is None or refused is None:
        return
    row, newest = refused
    yield warning(
        f"{row.name} compiles with gcc {row.gcc}, and nvcc of CUDA {base.cuda} supports gcc {newest} at most",
        f"take the same CUDA on an older Ubuntu, or install gcc-{newest} and set CC and CXX to it",
        app.argument_where(recipe, base.step, "tag", 0),
        why=f"the build of {builds[0].name} stops with: unsupported GNU version",
    )


@rule("IMG110", SOURCE_BUILDS.by(in_place))
def tool_no_c_compiler(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """A C++ compiler is there where something compiles.

    Looks at: Extensions built on ubuntu, alpine and nvidia/cuda `base` and `runtime` images, and whether
        build-essential, gcc or clang was installed before.
    Why it matters: These images have no compiler: "error: command 'gcc' failed: No such file or directory".
    Example:
        before   from_registry("ubuntu:22.04", add_python="3.11").pip_install("torch-scatter", …)
        after    from_registry("ubuntu:22.04", add_python="3.11").apt_install("build-essential")…
    How to fix: Put `.apt_install("build-essential")` before the step.
    Source: The images' Dockerfiles
    """
    lacking = [e for e in exts if build.has_c_compiler(e.image, e.n) is False]
    found = [e for e in lacking if build.outcome_of(e) is not Outcome.WHEEL]
    if not found:
        return
    base = build.base_of(found[0].image)
    say = error if any(build.outcome_of(e) is Outcome.SOURCE or e.is_isolated for e in found) else warning
    yield say(
        f"{build.names(found)} must be compiled, and {base.reference if base else 'the base'} has no C++ compiler",
        'put .apt_install("build-essential") before this step',
        found[0].where,
        why="the image build stops at this step: gcc is not found",
        fix=app.insert_link(recipe, found[0].step, '.apt_install("build-essential")', is_safe=True),
    )


@rule("IMG150", SOURCE_BUILDS.only(lambda e: e.name == "flash-attn", "install of flash-attn"))
def tool_max_jobs(recipe: Recipe, ext: ExtInstall) -> Findings:
    """A build of flash-attn is told how many jobs it may run.

    Looks at: flash-attn where it may compile, and MAX_JOBS before it.
    Why it matters: Each of its compilers takes several GB, and ninja starts one a core. The builder runs out of memory
        and the build is killed.
    Example:
        before   .pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
        after    .env({"MAX_JOBS": "4"}).pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
    How to fix: Put `.env({"MAX_JOBS": "4"})` before the step.
    Source: README of flash-attn
    """
    if "MAX_JOBS" not in env_for(ext) and build.outcome_of(ext) is not Outcome.WHEEL:
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

    Looks at: Extensions built without isolation, and ninja (pip) or ninja-build (apt) before them.
    Why it matters: Without ninja torch compiles one file after another: hours instead of minutes for flash-attn, and
        the image build may run into its time limit.
    Example:
        before   .pip_install("torch==2.4.1", "packaging", "wheel").pip_install("flash-attn==2.6.3", …)
        after    .pip_install("torch==2.4.1", "packaging", "wheel", "ninja").pip_install("flash-attn==2.6.3", …)
    How to fix: Add "ninja" to the step that installs the other build requirements.
    Source: README of flash-attn; torch/utils/cpp_extension.py
    """
    if ext.is_isolated or not build.is_known_before(ext.image, ext.n) or build.outcome_of(ext) is Outcome.WHEEL:
        return
    there = build.python_packages_before(ext.image, ext.n, ext.install) | build.apt_before(ext.image, ext.n)
    if not {"ninja", "ninja-build"} & there:
        yield advice(
            f"{ext.name} may compile, and ninja is not installed before it",
            'add "ninja" to the step that installs its other build requirements',
            ext.where,
            why="one file is compiled at a time",
        )


@rule("IMG970", SOURCE_BUILDS.by(in_place))
def tool_split_compile(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """A build of the kernels uses all cores.

    Looks at: mamba-ssm and causal-conv1d where they compile with nvcc 12.8 or newer, and NVCC_APPEND_FLAGS.
    Why it matters: One file of causal-conv1d holds nine kernels that nvcc compiles one after another. With
        --split-compile=0 it spreads them over the cores: on 16 cores mamba-ssm took 86 s instead of 260 s,
        causal-conv1d 170 s instead of more than 540 s.
    Example:
        before   .pip_install("causal-conv1d==1.6.1", extra_options="--no-build-isolation")
        after    .env({"NVCC_APPEND_FLAGS": "--split-compile=0"}).pip_install("causal-conv1d==1.6.1", …)
    How to fix: Put `.env({"NVCC_APPEND_FLAGS": "--split-compile=0"})` before the step.
    Source: Measured on one H100 machine, 2026-11-23
    """
    base = build.base_of(exts[0].image)
    if base is None or base.cuda is None or facts.version_number(base.cuda) < SINCE:
        return
    compiled = [e for e in exts if e.name in MEASURED and build.outcome_of(e) is Outcome.SOURCE]
    found = [e for e in compiled if "split-compile" not in str(env_for(e).get("NVCC_APPEND_FLAGS", ""))]
    if found:
        yield advice(
            f"{build.names(found)} must be compiled, and nvcc uses one core a file",
            f"put {SPLIT_LINK} before this step",
            found[0].where,
            why=f"measured on 16 cores: {'; '.join(f'{e.name} {MEASURED[e.name]}' for e in found)}",
            fix=app.insert_link(recipe, found[0].step, SPLIT_LINK, is_safe=False),
        )
