"""Which torch, CUDA, Python, mamba-ssm and causal-conv1d go together, by the tables: the best that fits what is wanted.

A combination is good when both extensions come as a sound release wheel, or compile: nothing in it is known to fail.
What is known to fail is asked of ``compat``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from packaging.version import Version

from preflight.build.compat import conflicts, releases_that_fit
from preflight.facts import torch as torch_facts
from preflight.facts import wheels
from preflight.facts.gpus import gpu
from preflight.facts.images import builders, cuda_devel_tag, distribution, newest_gcc
from preflight.facts.in_force import kept
from preflight.facts.load import rows
from preflight.facts.torch import number
from preflight.facts.types import TORCH, Release, TorchRow
from preflight.facts.wheels import NoWheel, Wheel

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.10")  # the best known first; Modal drops 3.10
SYSTEM = "ubuntu22.04"  # of every image in the table of CUDA toolkits
ARCHS = (75, 80, 86, 89, 90, 100, 120)  # of the GPUs that Modal has


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the user wants, as normal forms; None leaves it open.  ``torch`` and ``cuda`` may be a beginning: "2.8"."""

    torch: str | None = None
    cuda: str | None = None
    python: str | None = None
    mamba: str | None = None
    gpu: str | None = None


@dataclass(frozen=True, kw_only=True)
class KnownGood:
    """``cuda`` is torch's own; ``toolkit`` the tag of the nvidia/cuda image.  ``*_compiles``: there is no wheel."""

    torch: str
    cuda: str
    toolkit: str
    python: str
    mamba: str
    causal: str
    mamba_compiles: bool
    causal_compiles: bool
    sms: frozenset[int]  # architectures that torch and both extensions hold

    @property
    def wheels(self) -> int:
        return 2 - self.mamba_compiles - self.causal_compiles

    @property
    def compiles(self) -> bool:
        return self.wheels < 2

    def has_code_for(self, sm: int) -> bool:
        """Whether torch and both extensions have some that this GPU runs."""
        return _holds(self.sms, sm)

    @property
    def options(self) -> str:
        """As `preflight init --recipe` takes them."""
        return f"--torch {self.torch} --cuda {self.cuda} --python {self.python} --mamba {self.mamba}"


def best(wanted: Wanted) -> KnownGood | None:
    """The first of ``combinations`` that is all that was wanted."""
    return next((c for c in combinations() if not _missed(c, wanted)), None)


@kept
def nearest(wanted: Wanted) -> KnownGood:
    """The first of those that leave least of what was asked; the GPU is given up last."""
    return min(combinations(), key=lambda c: _distance(c, wanted))


@kept
def beside(*, torch: str, cuda: str | None, python: str | None) -> tuple[KnownGood, ...]:
    """What goes with the torch that an image has, most wheels first; without reckoning all ``combinations``."""
    row = torch_facts.torch_row(torch)
    if row is None:
        return ()
    of_row = _of_row(row, [python] if python else PYTHONS)
    return tuple(sorted((g for g in of_row if cuda is None or g.cuda == cuda), key=_worth, reverse=True))


def runs_on(good: KnownGood, written: str) -> bool:
    """Whether it is right on this GPU, as Modal names it: False also for one that is not in the table."""
    row = gpu(written)
    if row is None or row.is_wrong or not good.has_code_for(row.sm):
        return False
    toolkit = number(good.toolkit) if good.compiles else number(good.cuda)
    return not row.least_cuda or min(toolkit, number(good.cuda)) >= number(row.least_cuda)


def _missed(good: KnownGood, wanted: Wanted) -> int:
    """0 where it is all that was asked, else the weight of what it is not."""
    misses = (
        (1000, wanted.gpu is not None and not runs_on(good, wanted.gpu)),
        (30, wanted.mamba is not None and _version(wanted.mamba) != _version(good.mamba)),
        (20, wanted.torch is not None and not _begins(good.torch, wanted.torch)),
        (8, wanted.cuda is not None and not _begins(good.cuda, wanted.cuda)),
        (5, wanted.python is not None and wanted.python != good.python),
    )
    return sum(weight for weight, is_missed in misses if is_missed)


def _begins(version: str, beginning: str) -> bool:
    """ "2.8.0" begins with "2.8", "12.8" with "12"."""
    return (version + ".").startswith(beginning + ".")


def _distance(good: KnownGood, wanted: Wanted) -> float:
    far: float = _missed(good, wanted) + 2 - good.wheels
    if wanted.torch is not None:
        (major, short), (has_major, has_short) = number(wanted.torch), number(good.torch)
        far += abs(100 * (major - has_major) + short - has_short) * 0.5
    if wanted.python is not None:
        far += abs(number(wanted.python)[1] - number(good.python)[1]) * 0.1
    return far


@kept
def combinations() -> tuple[KnownGood, ...]:
    """All that the tables know to be good, the best causal-conv1d for each mamba-ssm; best first.

    The most wheels, then the newest torch, then PyPI's own build, the newest mamba-ssm, the best known Python.
    """
    known = {p for b in builders() for p in b.pythons}
    pythons = [p for p in PYTHONS if p in known]
    found = (good for row in rows(TORCH) if row.builds_known for good in _of_row(row, pythons))
    return tuple(sorted(found, key=_worth, reverse=True))


def _worth(good: KnownGood) -> tuple[object, ...]:
    row = torch_facts.torch_row(good.torch)
    assert row is not None  # it was made of one
    return (
        good.wheels,
        number(good.torch),
        good.torch == row.patches[-1],
        good.cuda == row.pypi_cuda,
        number(good.cuda),
        _version(good.mamba),
        -PYTHONS.index(good.python) if good.python in PYTHONS else -len(PYTHONS),
    )


@kept
def _version(text: str) -> Version:
    return Version(text)


def _of_row(row: TorchRow, pythons: Sequence[str]) -> Iterator[KnownGood]:
    for build in row.builds:
        cuda = torch_facts.dotted(build)
        major, short = number(cuda)  # nvcc's minor need not be torch's: the same, else the newest older one
        toolkit = next((tag for n in range(short, -1, -1) if (tag := cuda_devel_tag(f"{major}.{n}"))), None)
        abi = build in row.cxx11_abi_builds if row.cxx11_abi_builds else row.cxx11_abi
        if toolkit is not None:
            for python in (p for p in pythons if p in row.python):
                yield from _in(_Place(row, cuda, toolkit, python, abi))


@dataclass(frozen=True)
class _Place:
    """Where an extension is installed."""

    row: TorchRow
    cuda: str
    toolkit: str
    python: str
    abi: bool

    @property
    def torch(self) -> str:
        return self.row.patches[-1]

    @property
    def sms(self) -> frozenset[int]:
        """Of torch's build for this CUDA: CUDA 11.8 brought sm_90, 12.8 the Blackwell cards."""
        of_pypi = {s for s in self.row.sm if s < 100 or number(self.cuda) >= (12, 8)}
        return frozenset(of_pypi | ({90} if number(self.cuda) >= (11, 8) else set()))


@dataclass(frozen=True)
class _Comes:
    """A release in a place, as a wheel or as a source build."""

    version: str
    compiles: bool
    sms: tuple[int, ...]


def _in(place: _Place) -> Iterator[KnownGood]:
    causals = list(_coming("causal-conv1d", place))
    for mamba in _coming("mamba-ssm", place):
        paired = [c for c in causals if _are_paired(mamba.version, c.version)]
        if not paired:
            continue
        causal = max(paired, key=lambda c: (not c.compiles, _version(c.version)))
        sms = frozenset(s for s in ARCHS if all(_holds(of, s) for of in (place.sms, mamba.sms, causal.sms)))
        for patch in place.row.patches:
            yield KnownGood(
                torch=patch,
                cuda=place.cuda,
                toolkit=place.toolkit,
                python=place.python,
                mamba=mamba.version,
                causal=causal.version,
                mamba_compiles=mamba.compiles,
                causal_compiles=causal.compiles,
                sms=sms,
            )


def _coming(package: str, place: _Place) -> Iterator[_Comes]:
    """The releases that come there, as far as it is known."""
    for release in wheels.releases(package):
        stack = {"torch": place.torch, "python": place.python, package: release.version}
        if not release.on_pypi or conflicts(stack):
            continue
        found = wheels.wheel_for(
            package, release.version, torch=place.torch, cuda=place.cuda, python=place.python, abi=place.abi
        )
        if isinstance(found, Wheel) and not found.broken:
            yield _Comes(release.version, False, wheels.archs_in_wheel(release, place.cuda.split(".")[0]))
        elif isinstance(found, NoWheel) and _is_buildable(release, place):
            yield _Comes(release.version, True, wheels.archs_of(release, place.toolkit))


def _is_buildable(release: Release, place: _Place) -> bool:
    nvcc, archs = ".".join(map(str, number(place.toolkit))), wheels.archs_of(release, place.toolkit)
    system, gcc = distribution(SYSTEM), newest_gcc(nvcc)
    if release.sdist_has_sources is not True or system is None or gcc is None or system.gcc > gcc:
        return False
    stack = {"torch": place.torch, release.package: release.version, "cuda": nvcc}
    stack |= {"sm": str(archs[0])} if archs else {}
    return not conflicts(stack, {release.package: "source"})


@kept
def _are_paired(mamba: str, causal: str) -> bool:
    return not conflicts({"mamba-ssm": mamba, "causal-conv1d": causal})


def _holds(sms: Iterable[int], sm: int) -> bool:
    """Code of the same major, and no newer minor: no PTX is ever embedded."""
    return any(s // 10 == sm // 10 and s <= sm for s in sms)


# --- why no combination is what was asked for ------------------------------------------------------------------------


def why_not(wanted: Wanted) -> str:
    """One line, of the first cause that the tables know."""
    row = torch_facts.torch_row(wanted.torch) if wanted.torch else None
    pythons = sorted({c.python for c in combinations()}, key=number)
    if wanted.python is not None and wanted.python not in pythons:
        return f"what our tables hold goes with Python {pythons[0]} to {pythons[-1]}, not {wanted.python}"
    found = _of_torch(wanted, row) or _of_mamba(wanted, row) or _of_gpu(wanted)
    return found or "no combination in our tables has all of it"


def _of_torch(wanted: Wanted, row: TorchRow | None) -> str:
    if wanted.torch is None:
        return ""
    if row is None or not any(_begins(p, wanted.torch) for p in row.patches):
        return f"torch {wanted.torch} is not in our table, which ends at {torch_facts.newest_torch().patches[-1]}"
    if wanted.python is not None and wanted.python not in row.python:
        return f"torch {row.minor} has wheels for Python {row.python[0]} to {row.python[-1]}"
    cudas = [torch_facts.dotted(b) for b in row.builds]
    if wanted.cuda is not None and row.builds_known and not any(_begins(c, wanted.cuda) for c in cudas):
        return f"torch {row.minor} is built for CUDA {', '.join(cudas)}"
    stacks = [{"torch": row.minor, "mamba-ssm": r.version} for r in wheels.releases("mamba-ssm") if r.on_pypi]
    found = [conflicts(stack, {"mamba-ssm": "source"}) for stack in stacks]
    if not all(found):
        return ""
    needs = {c.need.why for each in found for c in each if c.need.when == "build"}
    return f"no mamba-ssm compiles under torch {row.minor}, and none has a wheel for it: {', '.join(sorted(needs))}"


def _of_mamba(wanted: Wanted, row: TorchRow | None) -> str:
    if wanted.mamba is None:
        return ""
    release = wheels.release("mamba-ssm", wanted.mamba)
    if release is None or not release.on_pypi:
        newest = wheels.newest("mamba-ssm")
        there = f"; the newest there is {newest.version}" if newest else ""
        return f"mamba-ssm {wanted.mamba} is not on PyPI{there}"
    if row is None:
        return ""
    stack = {"torch": row.minor, "mamba-ssm": release.version}
    for conflict in conflicts(stack):
        return conflict.message
    if not releases_that_fit("causal-conv1d", stack):
        alone = releases_that_fit("causal-conv1d", {"mamba-ssm": release.version})
        why = [c.message for r in alone[-1:] for c in conflicts(stack | {"causal-conv1d": r.version})]
        return f"no causal-conv1d goes with both mamba-ssm {release.version} and torch {row.minor}: {'; '.join(why)}"
    cuda, python = wanted.cuda or row.pypi_cuda, wanted.python or "3.11"
    found = wheels.wheel_for("mamba-ssm", release.version, torch=row.minor, cuda=cuda, python=python, abi=row.cxx11_abi)
    if isinstance(found, NoWheel):
        sources = "; its sdist holds no CUDA sources" if release.sdist_has_sources is False else ""
        return found.why + sources
    return found.broken if found is not None else ""


def _of_gpu(wanted: Wanted) -> str:
    row = gpu(wanted.gpu) if wanted.gpu else None
    if row is None:
        return ""
    if row.is_wrong:
        return row.is_wrong
    if not any(c.has_code_for(row.sm) for c in combinations()):
        return f"no combination in our tables holds code for {row.name} (sm_{row.sm})"
    return f"what is left holds no code for {row.name} (sm_{row.sm})"
