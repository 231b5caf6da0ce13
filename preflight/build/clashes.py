"""What an extension meets in its image, what of that does not go with it, and a combination that would.

What fails is asked of ``compat``; this reads the versions out of the image.
"""

from __future__ import annotations

from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from preflight.build.compat import Conflict, conflicts, is_within, needs_of
from preflight.build.ext_steps import KERNELS, ExtInstall, ext_installs
from preflight.build.known_good import KnownGood, Wanted, beside, nearest
from preflight.build.outcome import outcome_of, version_of
from preflight.build.surroundings import distribution_of, is_known_before
from preflight.build.torch_in import Torch, torch_at_end
from preflight.facts.images import distribution
from preflight.facts.torch import minor
from preflight.facts.types import Need
from preflight.model import Where


@dataclass(frozen=True)
class Clash:
    """``is_certain`` is False where it rests on what is the newest today, or on what another package may hold."""

    conflict: Conflict
    is_certain: bool
    remedy: str
    where: Where


def clashes(ext: ExtInstall, builder: str | None = None) -> tuple[Clash, ...]:
    """What the image holds that this extension does not import or run with; the certain ones first."""
    version = version_of(ext)
    if ext.name not in KERNELS or version is None:
        return ()
    torch = ext.torch.known
    system = distribution(distribution_of(ext.image, builder) or "")
    others = {other.name: other for other in _others(ext)}
    there: dict[str, tuple[str | None, bool]] = {  # each with its version, and whether that is certain
        ext.name: (version, ext.version is not None),
        "torch": (torch.version, torch.is_exact) if torch is not None else (None, True),
        "python": (ext.python, True),
        "glibc": (system.glibc if system else None, True),
        **{name: (version_of(other), other.version is not None) for name, other in others.items()},
        "transformers": _transformers_in(ext, version) or (None, True),
    }
    stack = {name: found for name, (found, _) in there.items() if found}
    guessed = {name for name, (_, is_certain) in there.items() if not is_certain}
    guessed |= {"triton", "cxx"} if "torch" in guessed else set()
    found = [c for c in conflicts(stack, {ext.name: outcome_of(ext).value}) if c.need.package == ext.name]
    each = [
        Clash(
            conflict,
            not {ext.name, conflict.need.other} & guessed,
            _way_out(ext, conflict.need),
            others[conflict.need.other].where if conflict.need.other in others else ext.where,
        )
        for conflict in found
    ]
    return tuple(sorted(each, key=lambda c: not c.is_certain))


def _others(ext: ExtInstall) -> list[ExtInstall]:
    """The other kernels of the image; of one that is installed twice, the last."""
    return [e for e in ext_installs(ext.image) if e.name in KERNELS and e.name != ext.name]


def _transformers_in(ext: ExtInstall, version: str) -> tuple[str, bool] | None:
    """The transformers that the image ends with, and whether that is certain; None: not known, or none is needed.

    It is the pin, else the newest of today where nothing keeps it below what this extension needs.
    """
    [need, *_] = needs_of(ext.name, version, "transformers") or (None,)
    if need is None or not is_known_before(ext.image, len(ext.image.steps)):
        return None
    base, installs = ext.base, [i for _, i in ext.image.pip_installs()]
    if any({"-c", "--constraint"} & {*i.options} for i in installs):
        return None
    if base is None or not (base.is_slim or base.adds_python or base.row is not None):
        return None
    specifier: str | None = None  # the one in force
    is_asked = False
    for install in installs:
        package = next((p for p in install.packages if p.name == "transformers"), None)
        if package is None:
            continue
        if package.url:
            return None
        if package.pin or not is_asked or install.is_upgrade or _excludes(package.specifier, need.today):
            specifier = package.specifier
        is_asked = True
    if specifier is not None and specifier.startswith("=="):
        return specifier[2:].strip(), True
    if ext.install.is_without_deps and not is_asked:
        return None
    if specifier and _excludes(specifier, need.today):
        return None
    packages = [p for i in installs for p in i.packages]
    return need.today, not any(p.name is None or p.name in need.kept_by for p in packages)


def _excludes(specifier: str, version: str) -> bool:
    try:
        return not SpecifierSet(specifier).contains(version)
    except InvalidSpecifier:
        return True


# --- ways out ---------------------------------------------------------------------------------------------------------


def _way_out(ext: ExtInstall, need: Need) -> str:
    """Something to do that no other rule rejects."""
    if need.other == "transformers":
        return f'install "transformers{need.needs}" from PyPI, in a step of its own before this one'
    return working_pins(ext)


def working_pins(ext: ExtInstall) -> str:
    """Pins of the kernels that go with the torch of the image, else a combination with another torch."""
    torch = ext.torch.known or torch_at_end(ext.image).known
    good = _combination_for(ext, torch)
    names = [n for n in KERNELS if n == ext.name or any(e.name == n for e in _others(ext))]
    pins = " and ".join(f"{n}=={good.mamba if n == 'mamba-ssm' else good.causal}" for n in names)
    if torch is not None and minor(torch.version) == minor(good.torch):
        return f"pin {pins}, for torch {minor(torch.version)}"
    return f"pin torch=={good.torch} (CUDA {good.cuda}) with {pins}: `preflight init --recipe` prints such an image"


def _combination_for(ext: ExtInstall, torch: Torch | None) -> KnownGood:
    """What keeps the most of the image: its torch, then its mamba-ssm, then its Python."""
    python = ext.python
    mamba = next((e for e in (ext, *_others(ext)) if e.name == "mamba-ssm"), None)
    wanted = version_of(mamba) if mamba is not None else None
    if torch is None:
        return nearest(Wanted(python=python, mamba=wanted))
    fitting = beside(torch=torch.version, cuda=torch.cuda, python=python)
    fitting = tuple(g for g in fitting if g.torch == torch.version.split("+")[0]) or fitting
    if fitting:
        return next((g for g in fitting if is_within(g.mamba, f"=={wanted}")), fitting[0])
    return nearest(Wanted(torch=minor(torch.version), python=python, mamba=wanted))
