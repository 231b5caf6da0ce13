"""torch stays as it was when the extensions were built.

Looks at   steps after a CUDA extension that name another torch, upgrade it, or install a package that requires one
           exact torch (vllm, sglang, unsloth, xformers), without a constraint.
Why        the extension was built for the torch of its time.  Under another minor it fails at import with
           "undefined symbol", and the build says nothing.
Before     .pip_install("torch==2.4.1").pip_install("flash-attn==2.6.3", …).pip_install("vllm==0.8.0")
After      .pip_install("vllm==0.8.0").pip_install("flash-attn==…", …)      # for the torch that vllm brought
Source     vanitas f3a0a338, cured in 0bb16768
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    PipInstall,
    PipPackage,
    Recipe,
    TorchIn,
    counted,
    ext_installs,
    minor,
    over_images,
    package_where,
    pins_torch,
    rule,
    torch_before,
    warning,
)

FREE = frozenset({"-c", "--constraint"})
COMPANIONS = frozenset({"torchvision", "torchaudio", "torchtext"})


def applies(recipe: Recipe) -> str:
    return counted(
        sum(bool(ext_installs(i)) for i in recipe.images), "image with an extension", "images with an extension"
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    exts = ext_installs(image)
    if not exts:
        return
    first = exts[0]
    torch = torch_before(image, first.n, first.install)
    is_later = False  # a later string of the same step is later too
    for n, install in image.pip_installs():
        was_later, is_later = is_later, is_later or install is first.install
        if not was_later or install.is_without_deps or FREE & {*install.options}:
            continue
        changing = next((p for p in install.packages if _changes(p, install, torch)), None)
        if changing is not None:
            yield warning(
                f"{changing.written} may replace the torch of {first.name} (line {first.step.where.line})",
                f"install {changing.name} before {first.name}, or with --no-deps or a constraint on torch",
                package_where(image.steps[n], install, changing),
                why="the extension then fails at import on the GPU with: undefined symbol",
            )


def _changes(package: PipPackage, install: PipInstall, torch: TorchIn) -> bool:
    if package.name == "torch" and not package.url:
        if package.pin is not None:
            return torch.version is not None and minor(package.pin) != minor(torch.version)
        return install.is_upgrade or install.is_forced
    if package.name is None or package.name in COMPANIONS:
        return False
    return pins_torch(package.name)


CHECK = rule(
    id="IMG030",
    name="ord-torch-changed-after-ext",
    title="torch stays as it was when the extensions were built",
    find=find,
    applies=applies,
)
