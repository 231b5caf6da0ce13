"""Why no combination of the tables is what was asked for."""

from __future__ import annotations

from preflight.build.compat import conflicts, releases_that_fit
from preflight.build.known_good import Asked, begins, combinations
from preflight.facts import torch as torch_facts
from preflight.facts import wheels
from preflight.facts.gpus import gpu
from preflight.facts.torch import number
from preflight.facts.types import TorchRow
from preflight.facts.wheels import NoWheel


def why_not(asked: Asked) -> str:
    """One line, of the first cause that the tables know."""
    row = torch_facts.torch_row(asked.torch) if asked.torch else None
    found = _of_python(asked) or _of_torch(asked, row) or _of_mamba(asked, row) or _of_gpu(asked)
    return found or "no combination in our tables has all of it"


def _of_python(asked: Asked) -> str:
    pythons = sorted({c.python for c in combinations()}, key=number)
    if asked.python is None or asked.python in pythons:
        return ""
    return f"what our tables hold goes with Python {pythons[0]} to {pythons[-1]}, not {asked.python}"


def _of_torch(asked: Asked, row: TorchRow | None) -> str:
    if asked.torch is None:
        return ""
    if row is None or not any(begins(p, asked.torch) for p in row.patches):
        return f"torch {asked.torch} is not in our table, which ends at {torch_facts.newest_torch().patches[-1]}"
    if asked.python is not None and asked.python not in row.python:
        return f"torch {row.minor} has wheels for Python {row.python[0]} to {row.python[-1]}"
    cudas = [torch_facts.dotted(b) for b in row.builds]
    if asked.cuda is not None and row.builds_known and not any(begins(c, asked.cuda) for c in cudas):
        return f"torch {row.minor} is built for CUDA {', '.join(cudas)}"
    releases = [r for r in wheels.releases("mamba-ssm") if r.on_pypi]
    stacks = [{"torch": row.minor, "mamba-ssm": r.version} for r in releases]
    if all(conflicts(s, {"mamba-ssm": "source"}) for s in stacks):
        needs = {c.need.why for s in stacks for c in conflicts(s, {"mamba-ssm": "source"}) if c.need.when == "build"}
        return f"no mamba-ssm compiles under torch {row.minor}, and none has a wheel for it: {', '.join(sorted(needs))}"
    return ""


def _of_mamba(asked: Asked, row: TorchRow | None) -> str:
    if asked.mamba is None:
        return ""
    release = wheels.release("mamba-ssm", asked.mamba)
    if release is None or not release.on_pypi:
        newest = wheels.newest("mamba-ssm")
        return f"mamba-ssm {asked.mamba} is not on PyPI" + (f"; the newest there is {newest.version}" if newest else "")
    if row is None:
        return ""
    stack = {"torch": row.minor, "mamba-ssm": release.version}
    for conflict in conflicts(stack):
        return conflict.message
    if not releases_that_fit("causal-conv1d", stack):
        alone = releases_that_fit("causal-conv1d", {"mamba-ssm": release.version})
        why = [c.message for r in alone[-1:] for c in conflicts(stack | {"causal-conv1d": r.version})]
        return f"no causal-conv1d goes with both mamba-ssm {release.version} and torch {row.minor}: {'; '.join(why)}"
    cuda, python = asked.cuda or row.pypi_cuda, asked.python or "3.11"
    found = wheels.wheel_for("mamba-ssm", release.version, torch=row.minor, cuda=cuda, python=python, abi=row.cxx11_abi)
    if isinstance(found, NoWheel):
        sources = "; its sdist holds no CUDA sources" if release.sdist_has_sources is False else ""
        return found.why + sources
    return found.broken if found is not None else ""


def _of_gpu(asked: Asked) -> str:
    row = gpu(asked.gpu) if asked.gpu else None
    if row is None:
        return ""
    if row.is_wrong:
        return row.is_wrong
    if not any(c.has_code_for(row.sm) for c in combinations()):
        return f"no combination in our tables holds code for {row.name} (sm_{row.sm})"
    return f"what is left holds no code for {row.name} (sm_{row.sm})"
