"""The CUDA extensions, and code from git."""

import itertools
import re

from preflight.api import Context, ExtInstall, Findings, Link, Recipe, app, build, error, facts, rule, warning
from preflight.build.ext_steps import Form
from preflight.build.torch_in import Held
from preflight.model import Where
from preflight.rules.subjects import EXT_INSTALLS, STEPS, env_for, in_place

KERNELS = ("mamba-ssm", "causal-conv1d")
COSTS = {
    "build": "the image build stops, after torch was downloaded",
    "import": "the image builds, and the import fails on the GPU after it was paid for",
    "run": "the image builds, and the first forward fails on the GPU",
}
BY_NAME = EXT_INSTALLS.only(
    lambda e: e.form is Form.INDEX and (e.row.has_release_wheels or e.row.is_pyg), "extension by name"
)
NAME = re.compile(r"(?<=[\w\]])\s*[<>~!=].*")  # what stands behind it
PINNED_BY_FILE = frozenset({"-c", "--constraint", "--require-hashes"})
MOVING = frozenset({"main", "master", "dev", "develop", "nightly", "trunk", "HEAD", "latest"})
REF = re.compile(r"^git\+[^@]*(?:@[^/@]+[:/][^@]*)?@([^#/][^#]*)")
SETTLED = frozenset({"checkout", "reset", "switch", "fetch"})
FROM_GIT = STEPS.only(
    lambda link: (
        any((p.url or "").startswith("git+") for i in link.step.pip for p in i.packages)
        or any(map(_is_clone, link.step.shell))
    ),
    "step that takes code from git",
)
MAIN = frozenset({"main", "master", "HEAD"})


@rule("IMG270", EXT_INSTALLS.only(lambda e: e.name in KERNELS, "install of a Mamba kernel"), asks_builder=True)
def ver_ext_torch_floor(recipe: Recipe, ext: ExtInstall, context: Context) -> Findings:
    """The pinned extensions go with the pinned torch and with each other.

    Looks at: Exact pins of mamba-ssm and causal-conv1d, against torch, triton, Python, transformers, glibc and each
        other.
    Why it matters: Known pairs install and then fail, most of them at the first forward on the GPU: a kernel that calls
        what triton no longer has, a call of causal-conv1d with other arguments, an import from transformers that is
        gone. Others have neither a release wheel nor sources to build from.
    Example:
        before   .pip_install("torch==2.2.2").pip_install("mamba-ssm==2.3.2.post1", …)
        after    .pip_install("torch==2.2.2").pip_install("mamba-ssm==2.2.2", "causal-conv1d==1.4.0", …)
    How to fix: Pin the versions that the message names; `preflight init --recipe` prints a set that goes together.
    Source: The table compat.toml of `preflight facts`: METADATA and sdists of the releases, compiled against each torch
        in the table
    """
    if not ext.version or not facts.release(ext.name, ext.version):
        return
    for clash in build.clashes(ext, context.builder):
        say, need = error if clash.is_certain else warning, clash.conflict.need
        yield say(clash.conflict.message, clash.remedy, clash.where, why=COSTS[need.when], evidence=(need.symptom,))
    problem = _without_files(ext)
    if problem:
        yield error(problem, build.working_pins(ext), ext.where, why=COSTS["build"])


def _without_files(ext: ExtInstall) -> str:
    """There is no wheel that loads, and nothing to build from."""
    torch = build.torch_before(ext.image, ext.n, ext.install)
    if torch.held not in (Held.PINNED, Held.BASE) or ext.form is Form.WHEEL or ext.is_isolated:
        return ""
    found, row = build.release_wheel(ext), facts.release(ext.name, ext.version or "")
    if isinstance(found, facts.Wheel) and found.broken and not build.is_build_forced(ext):
        of_torch = facts.minor(torch.version or "")
        return f"the wheel of {ext.name} {ext.version} for torch {of_torch} can't load: {found.broken}"
    if ext.form is Form.INDEX and row is not None and row.sdist_has_sources is False:
        if isinstance(found, facts.NoWheel):
            return f"{found.why}, and its sdist has no CUDA sources to build from"
        if build.is_build_forced(ext):
            return f"the sdist of {ext.name} {ext.version} has no CUDA sources, and *_FORCE_BUILD=TRUE asks to build it"
    return ""


@rule("IMG240", BY_NAME.by(in_place))
def ver_ext_unpinned(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """CUDA extensions are pinned to an exact release.

    Looks at: mamba-ssm, causal-conv1d, flash-attn and the PyG extensions installed by name without `==`.
    Why it matters: A release is built for a few torch minors. Without a pin pip takes the newest of the day, which may
        need a newer triton and torch: what worked last month compiles for an hour or breaks today.
    Example:
        before   .pip_install("mamba-ssm>=2.0.0")
        after    .pip_install("mamba-ssm==2.2.4")      # has wheels for torch 2.1 to 2.5
    How to fix: Pin with `==` to a release that has a wheel for this torch; `preflight facts` lists them.
    Source: Release pages of the projects, `preflight facts`
    """
    found = [e for e in exts if not e.package.specifier.startswith("==") and not PINNED_BY_FILE & {*e.install.options}]
    if not found:
        return
    newest_now = [f"{e.name} {row.version}" for e in found if e.name != "flash-attn" and (row := facts.newest(e.name))]
    fitting = [(e, _fitting(e)) for e in found]
    pins = [f"{e.name}=={version}" for e, version in fitting if version]
    pinned = (
        app.replace_package(recipe, e.package, f"{NAME.sub('', e.package.written)}=={version}", is_safe=False)
        for e, version in fitting
        if version
    )
    yield warning(
        f"{build.names_are(found)} not pinned" + (f"; today that means {', '.join(newest_now)}" if newest_now else ""),
        "pin it with == to a release that has a wheel for this torch" + (f": {', '.join(pins)}" if pins else ""),
        found[0].where,
        why="the same file builds something else next month, or compiles for 5 to 60 min",
        evidence=tuple(e.package.written for e in found),
        fix=app.together(pinned, is_safe=False) if len(pins) == len(found) else None,
    )


def _fitting(ext: ExtInstall) -> str | None:
    torch, python = build.torch_before(ext.image, ext.n, ext.install).known, build.python_of(ext.image)
    if torch is None or not torch.is_exact or torch.cuda is None or python is None or torch.has_cxx11_abi is None:
        return None
    row = facts.newest_with_wheel(
        ext.name, torch=torch.version, cuda=torch.cuda, python=python, abi=torch.has_cxx11_abi
    )
    return row.version if row else None


@rule("IMG400", FROM_GIT)
def ver_git_unpinned(recipe: Recipe, link: Link) -> Findings:
    """Code from git is pinned to a commit or a tag.

    Looks at: `git+…` requirements and `git clone` in the build: an `@ref`, `-b tag`, or a later checkout or reset.
    Why it matters: A branch moves. Modal keeps the layer until its text changes, so two people with the same file run
        two different programs, and neither can tell which.
    Example:
        before   .pip_install("git+https://github.com/owner/project")
        after    .pip_install("git+https://github.com/owner/project@4f10e96c")
    How to fix: Pin the commit: `git+https://…@<sha>`, or `git checkout <sha>` after the clone.
    Source: modal.com/docs/guide/images on caching; llm-finetuning 8ebb8bc6
    """
    places: dict[Where, list[str]] = {}
    for install in link.step.pip:
        for package in filter(_is_moving, install.packages):
            places.setdefault(app.package_where(link.step, install, package), []).append(package.url or package.written)
    for command in link.step.shell:
        if _is_clone(command, of_a_branch=True) and not any(map(_settles, link.shell_after(command))):
            repository = next((w for w in command.words if "://" in w or "@" in w), "git clone")
            places.setdefault(command.where, []).append(repository)
    for where, moving in places.items():
        each = list(dict.fromkeys(moving))
        yield warning(
            f"{', '.join(each)} {'follows' if len(each) == 1 else 'follow'} a branch",
            "pin the commit: git+https://…@<sha>, or git checkout <sha> after the clone",
            where,
            why="the image can't be built again as it was, and Modal's cache hides when the code has moved",
        )


def _is_moving(package: app.PipPackage) -> bool:
    url = package.url or ""
    if not url.startswith("git+") or "{" in url or "$" in url.split("@")[-1]:
        return False
    found = REF.match(url.replace("git+ssh://git@", "git+ssh://"))
    return found is None or found[1].strip() in MOVING


def _is_clone(command: app.ShellCommand, *, of_a_branch: bool = False) -> bool:
    name, words = build.program_of(command)
    if name != "git" or "clone" not in [w for w in words if not w.startswith("-")][:3]:
        return False
    refs = [after for word, after in itertools.pairwise(words) if word in ("-b", "--branch", "--revision")]
    refs += [word.split("=", 1)[1] for word in words if word.startswith(("--branch=", "--revision="))]
    return not of_a_branch or not refs or refs[0] in MOVING


def _settles(command: app.ShellCommand) -> bool:
    name, words = build.program_of(command)
    return name == "git" and bool(SETTLED & {*words}) and words[-1] not in MOVING


@rule(
    "IMG260",
    EXT_INSTALLS.only(lambda e: e.name == "mamba-ssm" and e.form is Form.GIT, "install of mamba-ssm from git"),
)
def ver_mamba_git_main(recipe: Recipe, ext: ExtInstall) -> Findings:
    """mamba-ssm from git is a tag.

    Looks at: `git+https://github.com/state-spaces/mamba` without a tag or commit.
    Why it matters: Since commit f577286 main builds no selective_scan_cuda unless MAMBA_KEEP_CUDA_BUILD=TRUE. The
        install succeeds, and Mamba raises at its first forward, on the GPU.
    Example:
        before   pip install git+https://github.com/state-spaces/mamba
        after    pip install git+https://github.com/state-spaces/mamba@v2.2.4
    How to fix: Name a tag, or set MAMBA_KEEP_CUDA_BUILD=TRUE for the step.
    Source: setup.py of state-spaces/mamba, main as of 2026-07-23
    """
    path = (ext.package.url or "").split("github.com", 1)[-1].split("#")[0]
    is_main = "@" not in path or path.split("@")[-1] in MAIN
    if is_main and str(env_for(ext).get("MAMBA_KEEP_CUDA_BUILD", "")).upper() != "TRUE":
        yield warning(
            "mamba-ssm from the main branch builds no selective_scan_cuda",
            "name a tag (…/mamba@v2.2.4), or set MAMBA_KEEP_CUDA_BUILD=TRUE for this step",
            ext.where,
            why="the install succeeds, and Mamba raises at its first forward on the GPU",
        )


@rule("IMG250", EXT_INSTALLS.only(lambda e: e.name == "mamba-ssm", "install of mamba-ssm").by(lambda e: id(e.image)))
def ver_mamba_no_causal_conv1d(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    """causal-conv1d is installed beside mamba-ssm.

    Looks at: Images that install mamba-ssm, and whether causal-conv1d is installed anywhere in them.
    Why it matters: mamba-ssm does not require it any more. Without it Mamba2's fused path calls None ("'NoneType'
        object is not callable"), and Mamba falls back to nn.Conv1d. Where the model's code catches that, a 24 h
        training goes on with a model that is no Mamba.
    Example:
        before   .pip_install("mamba-ssm==2.2.2", …)
        after    .pip_install("causal-conv1d==1.4.0", …).pip_install("mamba-ssm==2.2.2", …)
    How to fix: Install causal-conv1d in the step before, pinned to the release that goes with this mamba-ssm.
    Source: mamba_ssm/modules/mamba2.py; brain-go-brr-v2 3ca8d7a6, cured in ac90e0a6
    """
    mamba = exts[0]
    image = mamba.image
    if "causal-conv1d" in mamba.package.extras or any(e.name == "causal-conv1d" for e in build.ext_installs(image)):
        return
    texts = [c.text.replace("_", "-") for s in image.steps for c in s.shell]
    if build.is_known_before(image, len(image.steps)) and not any("causal-conv1d" in t for t in texts):
        yield warning(
            "mamba-ssm is installed without causal-conv1d",
            "install causal-conv1d in the step before, pinned to the release that goes with this mamba-ssm",
            mamba.where,
            why="Mamba2 fails at the first forward, or a caught error trains a Conv1d for 24 h of A100",
        )
