"""The pinned extensions go with the pinned torch and with each other.

Looks at
    Exact pins of mamba-ssm and causal-conv1d, against torch, triton, Python, transformers, glibc and each other.
Why it matters
    Known pairs install and then fail, most of them at the first forward on the GPU: a kernel that calls what triton
    no longer has, a call of causal-conv1d with other arguments, an import from transformers that is gone. Others
    have neither a release wheel nor sources to build from.
Example
    before   .pip_install("torch==2.2.2").pip_install("mamba-ssm==2.3.2.post1", …)
    after    .pip_install("torch==2.2.2").pip_install("mamba-ssm==2.2.2", "causal-conv1d==1.4.0", …)
How to fix
    Pin the versions that the message names; `preflight init --recipe` prints a set that goes together.
Source
    The table compat.toml of `preflight facts`: METADATA and sdists of the releases, compiled against each torch in
    the table
"""

from preflight.api import Context, ExtInstall, Findings, Recipe, build, error, facts, rule, warning
from preflight.rules.subjects import EXT_INSTALLS

KERNELS = ("mamba-ssm", "causal-conv1d")
COSTS = {
    "build": "the image build stops, after torch was downloaded",
    "import": "the image builds, and the import fails on the GPU after it was paid for",
    "run": "the image builds, and the first forward fails on the GPU",
}


@rule("IMG270", EXT_INSTALLS.only(lambda e: e.name in KERNELS, "install of a Mamba kernel"), asks_builder=True)
def find(recipe: Recipe, ext: ExtInstall, context: Context) -> Findings:
    if not ext.version or not facts.release(ext.name, ext.version):
        return
    for clash in build.clashes(ext, context.builder):
        say, need = error if clash.is_certain else warning, clash.conflict.need
        yield say(clash.why, clash.remedy, clash.where, why=COSTS[need.when], evidence=(need.symptom,))
    problem = _without_files(ext)
    if problem:
        yield error(problem, build.working_pins(ext), ext.where, why=COSTS["build"])


def _without_files(ext: ExtInstall) -> str:
    """There is no wheel that loads, and nothing to build from."""
    torch = build.torch_before(ext.image, ext.n, ext.install)
    if torch.held not in (build.Held.PINNED, build.Held.BASE) or ext.form is build.Form.WHEEL or ext.is_isolated:
        return ""
    found, row = build.release_wheel(ext), facts.release(ext.name, ext.version or "")
    if isinstance(found, facts.Wheel) and found.broken and not build.is_build_forced(ext):
        of_torch = facts.minor(torch.version or "")
        return f"the wheel of {ext.name} {ext.version} for torch {of_torch} can't load: {found.broken}"
    if ext.form is build.Form.INDEX and row is not None and row.sdist_has_sources is False:
        if isinstance(found, facts.NoWheel):
            return f"{found.why}, and its sdist has no CUDA sources to build from"
        if build.is_build_forced(ext):
            return f"the sdist of {ext.name} {ext.version} has no CUDA sources, and *_FORCE_BUILD=TRUE asks to build it"
    return ""
