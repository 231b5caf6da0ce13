"""torch is installed in a step before the extensions that are compiled against it.

Looks at   CUDA extensions that pip gets as source, and where torch comes in the same image.
Why        setup.py of such a package imports torch before anything else.  In the same pip call torch is not
           installed yet when setup.py runs: the build stops with "No module named 'torch'".
Before     .pip_install("torch==2.4.1", "mamba-ssm==2.2.4")
After      .pip_install("torch==2.4.1").pip_install("mamba-ssm==2.2.4", extra_options="--no-build-isolation")
Source     setup.py of mamba-ssm, causal-conv1d, flash-attn, the PyG extensions; MaxiRuess b281b75c
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    ExtInstall,
    Finding,
    Held,
    Image,
    Recipe,
    Where,
    comes_before_torch,
    error,
    names_are,
    over_images,
    rule,
    source_builds,
    source_builds_in,
    torch_before,
)


def applies(recipe: Recipe) -> str:
    return source_builds_in(recipe)


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    places: dict[Where, list[ExtInstall]] = {}
    for ext in source_builds(image):
        if torch_before(image, ext.n, ext.install).held is Held.ABSENT and comes_before_torch(ext):
            places.setdefault(ext.where, []).append(ext)
    for where, found in places.items():
        same = any(p.name == "torch" for p in found[0].install.packages)
        yield error(
            f"{names_are(found)} installed " + ("in the same pip call as torch" if same else "before torch"),
            "install torch in a step of its own before it, and build with --no-build-isolation",
            where,
            why="the image build stops at this step with: No module named 'torch'",
        )


CHECK = rule(
    id="IMG020",
    name="ord-ext-before-torch",
    title="torch is there before the extensions that import it to build",
    find=find,
    applies=applies,
)
