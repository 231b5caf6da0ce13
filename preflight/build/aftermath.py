"""What an extension meets in its image, what of that does not go with it, and a combination that would.

What fails is asked of ``compat``; this reads the versions out of the image.
"""

from __future__ import annotations

from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from preflight.app.model import Image
from preflight.build.compat import Conflict, conflicts, is_within, needs_of
from preflight.build.ext_steps import KERNELS, ExtInstall, ext_installs
from preflight.build.known_good import Asked, KnownGood, beside, nearest
from preflight.build.outcome import outcome_of, version_of
from preflight.build.surroundings import base_of, distribution_of, is_known_before, python_of
from preflight.build.torch_in import Torch, torch_at_end, torch_before
from preflight.facts.images import distribution
from preflight.facts.torch import minor
from preflight.model import Where


@dataclass(frozen=True)
class Clash:
    """``is_certain`` is False where it rests on what is the newest today, or on what another package may hold."""

    conflict: Conflict
    is_certain: bool
    remedy: str
    where: Where

    @property
    def why(self) -> str:
        return self.conflict.message


def clashes(ext: ExtInstall, builder: str | None = None) -> tuple[Clash, ...]:
    """What the image holds that this extension does not import or run with; the certain ones first."""
    version = version_of(ext)
    if ext.name not in KERNELS or version is None:
        return ()
    stack, guessed = {ext.name: version}, set() if ext.version is not None else {ext.name}
    torch = torch_before(ext.image, ext.n, ext.install).known
    if torch is not None:
        stack["torch"] = torch.version
        guessed |= set() if torch.is_exact else {"torch", "triton", "cxx"}
    for name, found in (("python", python_of(ext.image)), ("glibc", _glibc(ext.image, builder))):
        stack |= {name: found} if found else {}
    for other in _others(ext):
        found = version_of(other)
        if found is not None:
            stack[other.name] = found
            guessed |= set() if other.version is not None else {other.name}
    there = transformers_in(ext, version)
    if there is not None:
        stack["transformers"] = there[0]
        guessed |= set() if there[1] else {"transformers"}
    comes = {ext.name: outcome_of(ext).value}
    places = {other.name: other.where for other in _others(ext)}
    each = [
        Clash(c, not {ext.name, c.need.other} & guessed, way_out(ext, c), places.get(c.need.other, ext.where))
        for c in conflicts(stack, comes)
        if c.need.package == ext.name
    ]
    return tuple(sorted(each, key=lambda c: not c.is_certain))


def _others(ext: ExtInstall) -> list[ExtInstall]:
    """The other kernels of the image; of one that is installed twice, the last."""
    return [e for e in ext_installs(ext.image) if e.name in KERNELS and e.name != ext.name]


def _glibc(image: Image, builder: str | None) -> str | None:
    row = distribution(distribution_of(image, builder) or "")
    return row.glibc if row else None


def transformers_in(ext: ExtInstall, version: str) -> tuple[str, bool] | None:
    """The transformers that the image ends with, and whether that is certain; None: not known, or none is needed.

    It is the pin, else the newest of today where nothing keeps it below what this extension needs.
    """
    [need, *_] = needs_of(ext.name, version, "transformers") or (None,)
    if need is None or not is_known_before(ext.image, len(ext.image.steps)):
        return None
    base, installs = base_of(ext.image), [i for _, i in ext.image.pip_installs()]
    if any({"-c", "--constraint"} & {*i.options} for i in installs):
        return None
    if base is None or not (base.is_slim or base.adds_python or base.row is not None):
        return None
    held: str | None = None  # the specifier in force
    is_asked = False
    for install in installs:
        package = next((p for p in install.packages if p.name == "transformers"), None)
        if package is None:
            continue
        if package.url:
            return None
        if package.pin or not is_asked or install.is_upgrade or _excludes(package.specifier, need.today):
            held = package.specifier
        is_asked = True
    if held is not None and held.startswith("=="):
        return held[2:].strip(), True
    if ext.install.is_without_deps and not is_asked:
        return None
    if held and _excludes(held, need.today):
        return None
    packages = [p for i in installs for p in i.packages]
    return need.today, not any(p.name is None or p.name in need.kept_by for p in packages)


def _excludes(specifier: str, version: str) -> bool:
    try:
        return not SpecifierSet(specifier).contains(version)
    except InvalidSpecifier:
        return True


# --- ways out ---------------------------------------------------------------------------------------------------------


def way_out(ext: ExtInstall, conflict: Conflict) -> str:
    """Something to do that no other rule rejects."""
    need = conflict.need
    if need.other == "transformers":
        return f'install "transformers{need.needs}" from PyPI, in a step of its own before this one'
    return working_pins(ext)


def working_pins(ext: ExtInstall) -> str:
    """Pins of the kernels that go with the torch of the image, else a combination with another torch."""
    torch = torch_before(ext.image, ext.n, ext.install).known or torch_at_end(ext.image).known
    good = combination_for(ext, torch)
    names = [n for n in KERNELS if n == ext.name or any(e.name == n for e in _others(ext))]
    pins = " and ".join(f"{n}=={good.mamba if n == 'mamba-ssm' else good.causal}" for n in names)
    if torch is not None and minor(torch.version) == minor(good.torch):
        return f"pin {pins}, for torch {minor(torch.version)}"
    return f"pin torch=={good.torch} (CUDA {good.cuda}) with {pins}: `preflight init --recipe` prints such an image"


def combination_for(ext: ExtInstall, torch: Torch | None) -> KnownGood:
    """What keeps the most of the image: its torch, then its mamba-ssm, then its Python."""
    python = python_of(ext.image)
    mamba = next((e for e in (ext, *_others(ext)) if e.name == "mamba-ssm"), None)
    wanted = version_of(mamba) if mamba is not None else None
    if torch is None:
        return nearest(Asked(python=python, mamba=wanted))
    fitting = beside(torch=torch.version, cuda=torch.cuda, python=python)
    fitting = tuple(g for g in fitting if g.torch == torch.version.split("+")[0]) or fitting
    if fitting:
        return next((g for g in fitting if is_within(g.mamba, f"=={wanted}")), fitting[0])
    return nearest(Asked(torch=minor(torch.version), python=python, mamba=wanted))
