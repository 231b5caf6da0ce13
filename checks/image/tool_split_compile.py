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

from preflight.api import ExtInstall, Findings, Recipe, advice, app, build, facts, rule
from preflight.rules.subjects import SOURCE_BUILDS, env_for, in_place

MEASURED = {"mamba-ssm": "86 s instead of 260 s", "causal-conv1d": "170 s instead of more than 540 s"}
SINCE = (12, 8)  # nvcc has --split-compile
LINK = '.env({"NVCC_APPEND_FLAGS": "--split-compile=0"})'


@rule("IMG970", SOURCE_BUILDS.by(in_place))
def find(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
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
