"""torch stays as it was when the extensions were built.

Looks at
    Steps after a CUDA extension that name another torch, upgrade it, or install a package that requires one
    exact torch (vllm, sglang, unsloth, xformers), without a constraint.
Why it matters
    The extension was built for the torch of its time.  Under another minor it fails at import with
    "undefined symbol", and the build says nothing.
Example
    before   .pip_install("torch==2.4.1").pip_install("flash-attn==2.6.3", …).pip_install("vllm==0.8.0")
    after    .pip_install("vllm==0.8.0").pip_install("flash-attn==…", …)      # for the torch that vllm brought
How to fix
    Install the package before the extension, or with --no-deps, or with a constraint on torch.
Source
    Vanitas f3a0a338, cured in 0bb16768
"""

from preflight.api import ExtInstall, Findings, Recipe, app, build, facts, rule, warning
from preflight.rules.subjects import EXT_INSTALLS, PIP_INSTALLS

COMPANIONS = frozenset({"torchvision", "torchaudio", "torchtext"})


@rule("IMG030", EXT_INSTALLS.by(lambda e: id(e.image)))
def find(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    first = exts[0]
    torch = build.torch_before(first.image, first.n, first.install)
    installs = [i for i in PIP_INSTALLS.of(recipe) if i.image is first.image]
    begun = next(n for n, i in enumerate(installs) if i.pip is first.install)
    for install in installs[begun + 1 :]:
        if install.pip.is_without_deps or {"-c", "--constraint"} & {*install.pip.options}:
            continue
        changing = next((p for p in install.pip.packages if _changes(p, install.pip, torch)), None)
        if changing is not None:
            yield warning(
                f"{changing.written} may replace the torch of {first.name} (line {first.step.where.line})",
                f"install {changing.name} before {first.name}, or with --no-deps or a constraint on torch",
                app.package_where(install.step, install.pip, changing),
                why="the extension then fails at import on the GPU with: undefined symbol",
            )


def _changes(package: app.PipPackage, install: app.PipInstall, torch: build.TorchIn) -> bool:
    if package.name == "torch" and not package.url:
        if package.pin is not None:
            return torch.version is not None and facts.minor(package.pin) != facts.minor(torch.version)
        return install.is_upgrade or install.is_forced
    return package.name is not None and package.name not in COMPANIONS and facts.pins_torch(package.name)
