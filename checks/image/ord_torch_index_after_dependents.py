"""The CUDA index of torch is named before anything else brings torch.

Looks at   a step that installs torch from download.pytorch.org, after a step whose packages depend on torch.
Why        the earlier step has already brought PyPI's torch.  Where the requirement allows it, pip then says
           "Requirement already satisfied" and the index is never asked; a pin of another version is asked for.
Before     .pip_install("accelerate").pip_install("torch", index_url="https://download.pytorch.org/whl/cu121")
After      .pip_install("torch", index_url="https://download.pytorch.org/whl/cu121").pip_install("accelerate")
Source     pip's resolver; Ajimsha1080/idm-vton
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Held,
    Image,
    Recipe,
    counted,
    is_within,
    newest_torch_for,
    over_images,
    package_where,
    python_of,
    rule,
    torch_before,
    warning,
)


def applies(recipe: Recipe) -> str:
    return counted(
        sum(
            "download.pytorch.org" in u
            for i in recipe.images
            for _, s in i.pip_installs()
            for u in (s.index_url or "", *s.extra_index_urls)
        ),
        "install from the PyTorch index",
        "installs from the PyTorch index",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for n, install in image.pip_installs():
        package = next((p for p in install.packages if p.name == "torch" and not p.url), None)
        urls = [install.index_url or "", *install.extra_index_urls]
        if package is None or install.is_forced or install.is_upgrade or "+" in package.specifier:
            continue
        before = torch_before(image, n, install)
        is_kept = is_within(newest_torch_for(python_of(image)).patches[-1], package.specifier)
        if is_kept and before.held is Held.BROUGHT and any("download.pytorch.org" in u for u in urls):
            yield warning(
                f"line {image.steps[before.n].where.line} has already brought torch: this index is not asked",
                "put the step that installs torch first",
                package_where(image.steps[n], install, package),
                why="the image gets PyPI's torch, of another CUDA than was meant",
            )


CHECK = rule(
    id="IMG040",
    name="ord-torch-index-after-dependents",
    title="the CUDA index of torch is named before anything brings torch",
    find=find,
    applies=applies,
)
