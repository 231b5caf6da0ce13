"""What an extension's setup.py imports, and whether it is there when it is built without isolation."""

from __future__ import annotations

from preflight.app.model import PipPackage
from preflight.build.compat import Conflict, conflicts, is_within
from preflight.build.ext_steps import ExtInstall
from preflight.build.surroundings import base_of, installs_before, is_known_before, python_of
from preflight.build.torch_in import torch_before
from preflight.facts.images import builder
from preflight.facts.packages import brings
from preflight.facts.torch import number

IMPORTED = ("packaging", "wheel", "setuptools")


def missing_before(ext: ExtInstall, builder_version: str | None) -> dict[str, bool]:
    """What is not there → whether that is certain.  Empty where the steps before it, or the base, are not known."""
    base = base_of(ext.image)
    if base is None or not is_known_before(ext.image, ext.n):
        return {}
    if not (base.is_slim or (base.adds_python and base.row is not None and not base.row.holds)):
        return {}
    earlier = [p for _, i in installs_before(ext.image, ext.n, ext.install) for p in i.packages]
    missing: dict[str, bool] = {}
    for tool in IMPORTED:
        if tool not in ext.row.build_needs or _is_in_base(tool, ext, builder_version):
            continue
        if tool == "setuptools" and _torch_brings_setuptools(ext):
            continue
        said = {_brings(p, tool) for p in earlier}
        if True not in said:
            missing[tool] = None not in said
    return missing


def comes_before_torch(ext: ExtInstall) -> bool:
    """torch is named in this command or later, or everything before is known not to bring it."""
    if any(p.name == "torch" for n, i in ext.image.pip_installs() if n >= ext.n for p in i.packages):
        return True
    earlier = [p for _, i in installs_before(ext.image, ext.n, ext.install) for p in i.packages]
    return all(p.name is not None and brings(p.name, "wheel") is False for p in earlier)


def setuptools_clash(ext: ExtInstall, torch: str) -> tuple[Conflict, str] | None:
    """Why a source build under this torch stops at setuptools, and the requirement of the last step that asks for it.

    None where no step asks for a setuptools that is too new.
    """
    clash = None
    for _, install in installs_before(ext.image, ext.n, ext.install):
        for package in install.packages:
            if package.name == "setuptools":
                conflict = _conflict_of(package, torch, is_upgrade=install.is_upgrade)
                clash = (conflict, package.written) if conflict is not None else None
    return clash


OLD_SETUPTOOLS = ("59.8.0", "65.5.0", "68.2.2", "69.5.1")  # what bases hold, and what bounds are written for
TODAY = "84.2.1"


def _conflict_of(package: PipPackage, torch: str, *, is_upgrade: bool) -> Conflict | None:
    """What is there already is kept where the bound allows it."""
    if package.pin or not package.specifier:
        versions: tuple[str, ...] = (package.pin or (TODAY if is_upgrade else OLD_SETUPTOOLS[-1]),)
    else:
        versions = tuple(v for v in OLD_SETUPTOOLS if is_within(v, package.specifier)) or (TODAY,)
    found = [conflicts({"torch": torch, "setuptools": v}, {"torch": "source"}) for v in versions]
    return found[0][0] if all(found) else None


def _brings(package: PipPackage, tool: str) -> bool | None:
    if package.name is None:
        return None
    if package.name == "wheel" and tool == "packaging" and package.pin and number(package.pin) < (0, 46):
        return False
    if package.name == tool:
        return True
    return False if tool == "setuptools" else brings(package.name, tool)


def _is_in_base(tool: str, ext: ExtInstall, builder_version: str | None) -> bool:
    base, python = base_of(ext.image), python_of(ext.image)
    if tool == "setuptools":
        return python is None or number(python) < (3, 12)
    row = builder(builder_version) if builder_version else None
    if base is not None and base.is_slim:
        return tool in (row.slim if row else ("wheel",))
    return row is not None and tool in row.registry


def _torch_brings_setuptools(ext: ExtInstall) -> bool:
    """torch requires setuptools on Python 3.12 and newer; older torch had no wheel there."""
    torch = torch_before(ext.image, ext.n, ext.install)
    return torch.version is None or number(torch.version) >= (2, 4)
