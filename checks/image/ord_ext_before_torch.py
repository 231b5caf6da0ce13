"""torch is there before the extensions that import it to build.

Looks at
    CUDA extensions that pip gets as source, and where torch comes in the same image.
Why it matters
    setup.py of such a package imports torch before anything else.  In the same pip call torch is not
    installed yet when setup.py runs: the build stops with "No module named 'torch'".
Example
    before   .pip_install("torch==2.4.1", "mamba-ssm==2.2.4")
    after    .pip_install("torch==2.4.1").pip_install("mamba-ssm==2.2.4", extra_options="--no-build-isolation")
How to fix
    Install torch in a step of its own before the extension, and build it with --no-build-isolation.
Source
    setup.py of mamba-ssm, causal-conv1d, flash-attn, the PyG extensions; MaxiRuess b281b75c
"""

from preflight.api import ExtInstall, Findings, Recipe, build, error, rule
from preflight.rules.subjects import SOURCE_BUILDS, in_place


@rule("IMG020", SOURCE_BUILDS.by(in_place))
def find(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    found = [
        e
        for e in exts
        if build.comes_before_torch(e) and build.torch_before(e.image, e.n, e.install).held is build.Held.ABSENT
    ]
    if found:
        is_same = any(p.name == "torch" for p in found[0].install.packages)
        yield error(
            f"{build.names_are(found)} installed " + ("in the same pip call as torch" if is_same else "before torch"),
            "install torch in a step of its own before it, and build with --no-build-isolation",
            found[0].where,
            why="the image build stops at this step with: No module named 'torch'",
        )
