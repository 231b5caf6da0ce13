"""Which torch, CUDA, Python, mamba-ssm and causal-conv1d go together, by the tables: the best that fits what is asked.

A combination is good when both extensions come as a sound release wheel, or compile: nothing in it is known to fail.
What is known to fail is asked of ``compat``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from packaging.version import Version

from preflight.build.compat import conflicts
from preflight.facts import torch as torch_facts
from preflight.facts import wheels
from preflight.facts.gpus import gpu
from preflight.facts.images import builders, cuda_devel_tag, distribution, newest_gcc
from preflight.facts.in_force import kept
from preflight.facts.load import rows_of
from preflight.facts.torch import number
from preflight.facts.types import TORCH, Release, TorchRow
from preflight.facts.wheels import NoWheel, Wheel

PYTHONS = ("3.11", "3.12", "3.13", "3.14", "3.10")  # the best known first; Modal drops 3.10
SYSTEM = "ubuntu22.04"  # of every image in the table of CUDA toolkits
ARCHS = (75, 80, 86, 89, 90, 100, 120)  # of the GPUs that Modal has


@dataclass(frozen=True, kw_only=True)
class Asked:
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
        return _holds(tuple(self.sms), sm)

    @property
    def options(self) -> str:
        """As `preflight init --recipe` takes them."""
        return f"--torch {self.torch} --cuda {self.cuda} --python {self.python} --mamba {self.mamba}"


def best(asked: Asked) -> KnownGood | None:
    """The first of ``combinations`` that is all that was asked."""
    return next((c for c in combinations() if not any(_misses(c, asked))), None)


@kept
def nearest(asked: Asked) -> KnownGood:
    """The first of those that leave least of what was asked; the GPU is given up last."""
    return min(combinations(), key=lambda c: _distance(c, asked))


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
    return row is not None and not row.is_wrong and good.has_code_for(row.sm) and not _is_too_old(good, row.least_cuda)


def _misses(good: KnownGood, asked: Asked) -> tuple[bool, ...]:
    return (
        asked.gpu is not None and not runs_on(good, asked.gpu),
        asked.mamba is not None and _version(asked.mamba) != _version(good.mamba),
        asked.torch is not None and not begins(good.torch, asked.torch),
        asked.cuda is not None and not begins(good.cuda, asked.cuda),
        asked.python is not None and asked.python != good.python,
    )


def _is_too_old(good: KnownGood, least_cuda: str) -> bool:
    toolkit = number(good.toolkit) if good.compiles else number(good.cuda)
    return bool(least_cuda) and min(toolkit, number(good.cuda)) < number(least_cuda)


def begins(version: str, beginning: str) -> bool:
    """ "2.8.0" begins with "2.8", "12.8" with "12"."""
    return (version + ".").startswith(beginning + ".")


WEIGHTS = (1000.0, 30.0, 20.0, 8.0, 5.0)  # of the misses: GPU, mamba-ssm, torch, CUDA, Python


def _distance(good: KnownGood, asked: Asked) -> float:
    far = sum(weight for weight, missed in zip(WEIGHTS, _misses(good, asked), strict=True) if missed)
    far += 2 - good.wheels
    if asked.torch is not None:
        far += abs(_minors(asked.torch) - _minors(good.torch)) * 0.5
    if asked.python is not None:
        far += abs(number(asked.python)[1] - number(good.python)[1]) * 0.1
    return far


def _minors(version: str) -> int:
    major, short = number(version)
    return 100 * major + short


@kept
def combinations() -> tuple[KnownGood, ...]:
    """All that the tables know to be good, the best causal-conv1d for each mamba-ssm; best first.

    The most wheels, then the newest torch, then PyPI's own build, the newest mamba-ssm, the best known Python.
    """
    known = {p for b in builders() for p in b.pythons}
    pythons = [p for p in PYTHONS if p in known]
    found = (good for row in rows_of(TORCH, TorchRow) if row.builds_known for good in _of_row(row, pythons))
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
        toolkit = _toolkit(cuda)
        abi = build in row.cxx11_abi_builds if row.cxx11_abi_builds else row.cxx11_abi
        if toolkit is not None:
            for python in (p for p in pythons if p in row.python):
                yield from _in(_Place(row, cuda, toolkit, python, abi))


def _toolkit(cuda: str) -> str | None:
    """The tag of the same CUDA, else of the newest older one of the same major: nvcc's minor need not be torch's."""
    major, short = number(cuda)
    return next((tag for n in range(short, -1, -1) if (tag := cuda_devel_tag(f"{major}.{n}"))), None)


def _in(place: _Place) -> Iterator[KnownGood]:
    of_torch = _torch_sms(place.row, place.cuda)
    causals = [(r, how) for r in wheels.releases("causal-conv1d") if (how := _comes(r, place)) is not None]
    for mamba in wheels.releases("mamba-ssm"):
        how = _comes(mamba, place)
        paired = [(r, h) for r, h in causals if _are_paired(mamba.version, r.version)]
        if how is None or not paired:
            continue
        causal, causal_how = max(paired, key=lambda p: (not p[1].compiles, _version(p[0].version)))
        sms = frozenset(s for s in ARCHS if all(_holds(of, s) for of in (of_torch, how.sms, causal_how.sms)))
        for patch in place.row.patches:
            yield KnownGood(
                torch=patch,
                cuda=place.cuda,
                toolkit=place.toolkit,
                python=place.python,
                mamba=mamba.version,
                causal=causal.version,
                mamba_compiles=how.compiles,
                causal_compiles=causal_how.compiles,
                sms=sms,
            )


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


@dataclass(frozen=True)
class _How:
    compiles: bool
    sms: tuple[int, ...]


def _comes(release: Release, place: _Place) -> _How | None:
    """As a wheel or as a source build; None: neither, or not known."""
    stack = {"torch": place.torch, "python": place.python, release.package: release.version}
    if not release.on_pypi or conflicts(stack):
        return None
    found = wheels.wheel_for(
        release.package, release.version, torch=place.torch, cuda=place.cuda, python=place.python, abi=place.abi
    )
    if isinstance(found, Wheel) and not found.broken:
        return _How(False, wheels.archs_in_wheel(release, place.cuda.split(".")[0]))
    if isinstance(found, NoWheel) and _is_buildable(release, place):
        return _How(True, wheels.archs_of(release, place.toolkit))
    return None


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


def _torch_sms(row: TorchRow, cuda: str) -> tuple[int, ...]:
    """Of the build for this CUDA: CUDA 11.8 brought sm_90, 12.8 the Blackwell cards."""
    of_pypi = {s for s in row.sm if s < 100 or number(cuda) >= (12, 8)}
    return tuple(sorted(of_pypi | ({90} if number(cuda) >= (11, 8) else set())))


def _holds(sms: tuple[int, ...], sm: int) -> bool:
    """Code of the same major, and no newer minor: no PTX is ever embedded."""
    return any(s // 10 == sm // 10 and s <= sm for s in sms)
