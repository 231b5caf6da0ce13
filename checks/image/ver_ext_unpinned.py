"""CUDA extensions are pinned to an exact release.

Looks at   mamba-ssm, causal-conv1d, flash-attn and the PyG extensions installed by name without `==`.
Why        a release is built for a few torch minors.  Unpinned means today's newest: mamba-ssm 2.3.2.post1 wants
           triton 3.5, so torch 2.9; what worked last month compiles for an hour or breaks today.
Before     .pip_install("mamba-ssm>=2.0.0")
After      .pip_install("mamba-ssm==2.2.4")      # has wheels for torch 2.1 to 2.5
Source     release pages of the projects, `preflight facts`
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    ExtInstall,
    Finding,
    Fix,
    Form,
    Image,
    Recipe,
    Where,
    counted,
    ext_installs,
    has_cxx11_abi,
    names_are,
    newest,
    newest_with_wheel,
    over_images,
    python_of,
    replace_package,
    rule,
    torch_before,
    warning,
)

PINNED_BY_FILE = frozenset({"-c", "--constraint", "--require-hashes"})


def applies(recipe: Recipe) -> str:
    return counted(
        sum(_is_ours(e) for i in recipe.images for e in ext_installs(i)), "extension by name", "extensions by name"
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    places: dict[Where, list[ExtInstall]] = {}
    for ext in ext_installs(image):
        if _is_ours(ext) and not ext.package.specifier.startswith("==") and not PINNED_BY_FILE & {*ext.install.options}:
            places.setdefault(ext.where, []).append(ext)
    for where, found in places.items():
        said = [s for e in found if (s := _meaning(e))]
        yield warning(
            f"{names_are(found)} not pinned" + (f"; today that means {', '.join(said)}" if said else ""),
            "pin it with == to a release that has a wheel for this torch" + _which(found),
            where,
            why="the same file builds something else next month, or compiles for 5 to 60 min",
            evidence=tuple(e.package.written for e in found),
            fix=_pin(recipe, found),
        )


def _is_ours(ext: ExtInstall) -> bool:
    return ext.form is Form.INDEX and (ext.row.has_release_wheels or ext.row.is_pyg)


def _meaning(ext: ExtInstall) -> str:
    row = newest(ext.name) if ext.name != "flash-attn" else None
    return f"{ext.name} {row.version}" if row else ""


def _fitting(ext: ExtInstall) -> str | None:
    torch, python = torch_before(ext.image, ext.n, ext.install), python_of(ext.image)
    if torch.version is None or torch.cuda in (None, "cpu") or python is None:
        return None
    abi = has_cxx11_abi(torch.version, torch.build)
    if abi is None or torch.cuda is None:
        return None
    row = newest_with_wheel(ext.name, torch=torch.version, cuda=torch.cuda, python=python, abi=abi)
    return row.version if row else None


def _which(found: list[ExtInstall]) -> str:
    pins = [f"{e.name}=={v}" for e in found if (v := _fitting(e))]
    return f": {', '.join(pins)}" if pins else ""


def _pin(recipe: Recipe, found: list[ExtInstall]) -> Fix | None:
    edits: list[Fix] = []
    for ext in found:
        version = _fitting(ext)
        extras = f"[{','.join(ext.package.extras)}]" if ext.package.extras else ""
        name = ext.package.written.split("[")[0].split(">")[0].split("<")[0].split("~")[0].split("!")[0].strip()
        fix = replace_package(recipe, ext.package, f"{name}{extras}=={version}", is_safe=False) if version else None
        if fix is None:
            return None
        edits.append(fix)
    return Fix(edits=tuple(e for f in edits for e in f.edits), is_safe=False)


CHECK = rule(
    id="IMG240",
    name="ver-ext-unpinned",
    title="CUDA extensions are pinned to an exact release",
    find=find,
    applies=applies,
)
