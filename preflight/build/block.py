"""A known-good combination as the image block of a Modal app: pinned, in an order that builds."""

from __future__ import annotations

import json
import math

from preflight.build.compat import conflicts, needs_of
from preflight.build.known_good import KnownGood
from preflight.facts import torch as torch_facts
from preflight.facts import wheels
from preflight.facts.images import builders
from preflight.facts.torch import INDEX, number

WIDTH = 100
TOOLS = (  # the first whose setuptools goes with torch; 80 reads licences as PEP 639 has them, as torch from 2.9 does
    ((2, 9), {"packaging": "25.0", "setuptools": "80.9.0", "wheel": "0.45.1", "ninja": "1.13.0"}),
    ((0, 0), {"packaging": "24.2", "setuptools": "75.8.0", "wheel": "0.45.1", "ninja": "1.11.1.3"}),
    ((0, 0), {"packaging": "24.2", "setuptools": "69.5.1", "wheel": "0.45.1", "ninja": "1.11.1.3"}),
)
OFF = 'extra_options="--no-build-isolation"'


def block(good: KnownGood, *, gpu: str | None = None) -> str:
    """Python text that binds ``image``; it ends in a newline.  ``gpu`` is only said in a comment."""
    row = torch_facts.torch_row(good.torch)
    is_of_pypi = row is not None and row.pypi_cuda == good.cuda
    index = [] if is_of_pypi else [f'index_url="{INDEX}/cu{good.cuda.replace(".", "")}"']
    splits = number(good.toolkit) >= (12, 8)  # nvcc from 12.8 on spreads the kernels of one file over the cores
    env = {"CC": "gcc", "CXX": "g++"} | ({"NVCC_APPEND_FLAGS": "--split-compile=0"} if good.compiles and splits else {})
    fitting = (
        tools
        for least, tools in TOOLS
        if number(good.torch) >= least and not conflicts({**tools, "torch": good.torch}, {"torch": "source"})
    )
    # what would else come in a release that this torch, or this mamba-ssm, does not import under
    caps = ["numpy<2"] if row is not None and not row.numpy2 else []
    caps += [f"transformers{n.needs}" for n in needs_of("mamba-ssm", good.mamba, "transformers")]
    links = [
        f'modal.Image.from_registry("nvidia/cuda:{good.toolkit}", add_python="{good.python}")',
        ".entrypoint([])",
        "# the Python of add_python was built with clang, and would ask for it",
        f".env({json.dumps(env)})",
        _pip_install([f'"torch=={good.torch}"', *index]),
        "# without build isolation setup.py sees what is here: it must be here first",
        _pip_install([f'"{p}"' for p in (*(f"{name}=={v}" for name, v in next(fitting).items()), *caps)]),
        _how("causal-conv1d", compiles=good.causal_compiles, splits=splits),
        _pip_install([f'"causal-conv1d=={good.causal}"', OFF]),
        _how("mamba-ssm", compiles=good.mamba_compiles, splits=splits),
        _pip_install([f'"mamba-ssm=={good.mamba}"', OFF]),
    ]
    body = "\n".join(f"    {line}" for link in links for line in link.splitlines())
    return "\n".join([*_head(good, gpu), "import modal", "", f"image = (\n{body}\n)", ""])


def _head(good: KnownGood, gpu: str | None) -> list[str]:
    row = torch_facts.torch_row(good.torch)
    seen = f", by tables of {row.seen}" if row else ""
    archs = " ".join(f"sm_{s}" for s in sorted(good.sms))
    lines = [
        f"torch {good.torch} (CUDA {good.cuda}), Python {good.python}, mamba-ssm {good.mamba}, "
        f"causal-conv1d {good.causal}{seen}",
        f"runs on {archs}" + (f", {gpu} among them" if gpu else ""),
    ]
    newest, having = builders()[-1].version, [b.version for b in builders() if good.python in b.pythons]
    if having and having[-1] != newest:
        lines.append(f"Python {good.python} needs Image Builder {having[-1]} or older; {newest} has none")
    return [f"# {line}" for line in (*lines, "check it: preflight run APP")]


def _how(package: str, *, compiles: bool, splits: bool) -> str:
    if not compiles:
        return "# a release wheel for this torch and Python"
    measured = wheels.build_time(package)
    minutes = math.ceil((measured.split_s if splits else measured.seconds) / 60) if measured is not None else 0
    return "# no release wheel: it compiles" + (f", for {minutes} min or more" if minutes else "")


def _pip_install(arguments: list[str]) -> str:
    """On one line where it fits, else one argument a line."""
    line = f".pip_install({', '.join(arguments)})"
    if len(line) + 4 <= WIDTH:
        return line
    return "\n".join([".pip_install(", *(f"    {a}," for a in arguments), ")"])
