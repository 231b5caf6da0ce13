"""CUDA extensions are pinned to an exact release.

Looks at
    mamba-ssm, causal-conv1d, flash-attn and the PyG extensions installed by name without `==`.
Why it matters
    A release is built for a few torch minors. Without a pin pip takes the newest of the day, which may need a newer
    triton and torch: what worked last month compiles for an hour or breaks today.
Example
    before   .pip_install("mamba-ssm>=2.0.0")
    after    .pip_install("mamba-ssm==2.2.4")      # has wheels for torch 2.1 to 2.5
How to fix
    Pin with `==` to a release that has a wheel for this torch; `preflight facts` lists them.
Source
    Release pages of the projects, `preflight facts`
"""

import re

from preflight.api import ExtInstall, Findings, Fix, Recipe, app, build, facts, rule, warning
from preflight.rules.subjects import EXT_INSTALLS, in_place

BY_NAME = EXT_INSTALLS.only(
    lambda e: e.form is build.Form.INDEX and (e.row.has_release_wheels or e.row.is_pyg), "extension by name"
)
PINNED_BY_FILE = frozenset({"-c", "--constraint", "--require-hashes"})


@rule("IMG240", BY_NAME.by(in_place))
def find(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    found = [e for e in exts if not e.package.specifier.startswith("==") and not PINNED_BY_FILE & {*e.install.options}]
    if not found:
        return
    newest_now = [f"{e.name} {row.version}" for e in found if e.name != "flash-attn" and (row := facts.newest(e.name))]
    pins = [f"{e.name}=={v}" for e in found if (v := _fitting(e))]
    yield warning(
        f"{build.names_are(found)} not pinned" + (f"; today that means {', '.join(newest_now)}" if newest_now else ""),
        "pin it with == to a release that has a wheel for this torch" + (f": {', '.join(pins)}" if pins else ""),
        found[0].where,
        why="the same file builds something else next month, or compiles for 5 to 60 min",
        evidence=tuple(e.package.written for e in found),
        fix=app.together((_pin(recipe, e) for e in found), is_safe=False),
    )


def _fitting(ext: ExtInstall) -> str | None:
    torch, python = build.torch_before(ext.image, ext.n, ext.install), build.python_of(ext.image)
    if torch.version is None or torch.cuda in (None, "cpu") or python is None:
        return None
    abi = facts.has_cxx11_abi(torch.version, torch.build)
    if abi is None or torch.cuda is None:
        return None
    row = facts.newest_with_wheel(ext.name, torch=torch.version, cuda=torch.cuda, python=python, abi=abi)
    return row.version if row else None


def _pin(recipe: Recipe, ext: ExtInstall) -> Fix | None:
    version = _fitting(ext)
    extras = f"[{','.join(ext.package.extras)}]" if ext.package.extras else ""
    name = re.split(r"[\[<>~!]", ext.package.written)[0].strip()
    return app.replace_package(recipe, ext.package, f"{name}{extras}=={version}", is_safe=False) if version else None
