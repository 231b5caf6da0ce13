"""TORCH_CUDA_ARCH_LIST is set where it has an effect.

Looks at
    TORCH_CUDA_ARCH_LIST in `.env` of an image whose only extensions are mamba-ssm, causal-conv1d or
    flash-attn.
Why it matters
    These write their -gencode list into setup.py; torch then adds nothing. The build takes as long as before.
Example
    before   .env({"TORCH_CUDA_ARCH_LIST": "8.0"}).pip_install("mamba-ssm==2.3.1", …)
    after    .pip_install("mamba-ssm==2.3.1", …)
How to fix
    Leave TORCH_CUDA_ARCH_LIST out, unless something compiles at run time.
Source
    torch/utils/cpp_extension.py of every torch in our table: no flags when any flag contains "arch"; measured on an
    H100
"""

from preflight.api import Findings, Link, Recipe, advice, app, build, rule
from preflight.rules.subjects import STEPS


@rule("IMG170", STEPS.only(lambda link: "TORCH_CUDA_ARCH_LIST" in link.step.env, "TORCH_CUDA_ARCH_LIST"))
def find(recipe: Recipe, link: Link) -> Findings:
    builds = build.source_builds(link.image)
    if builds and all(e.row.has_own_archs for e in builds):
        yield advice(
            f"TORCH_CUDA_ARCH_LIST has no effect on {build.names(list(builds))}, which list their own architectures",
            "leave it out, unless something compiles at run time",
            app.word_where(recipe, link.step, "TORCH_CUDA_ARCH_LIST"),
        )
