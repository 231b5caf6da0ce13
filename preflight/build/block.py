"""A known-good combination as the image block of a Modal app: pinned, in an order that builds."""

from __future__ import annotations

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
    links = [
        f'modal.Image.from_registry("nvidia/cuda:{good.toolkit}", add_python="{good.python}")',
        ".entrypoint([])",
        *_compilers(good),
        *_torch(good),
        "# without build isolation setup.py sees what is here: it must be here first",
        _call("pip_install", [f'"{p}"' for p in (*_tools(good), *_caps(good))]),
        *_extension(good, "causal-conv1d", good.causal, compiles=good.causal_compiles),
        *_extension(good, "mamba-ssm", good.mamba, compiles=good.mamba_compiles),
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
    least = [b.version for b in builders() if good.python in b.pythons]
    if least and least[-1] != builders()[-1].version:
        lines.append(
            f"Python {good.python} needs Image Builder {least[-1]} or older; {builders()[-1].version} has none"
        )
    lines.append("check it: preflight run APP")
    return [f"# {line}" for line in lines]


def _compilers(good: KnownGood) -> list[str]:
    env = {"CC": "gcc", "CXX": "g++"}
    if good.compiles and _splits(good):
        env["NVCC_APPEND_FLAGS"] = "--split-compile=0"
    said = ", ".join(f'"{k}": "{v}"' for k, v in env.items())
    return ["# the Python of add_python was built with clang, and would ask for it", f".env({{{said}}})"]


def _splits(good: KnownGood) -> bool:
    """nvcc from 12.8 on spreads the kernels of one file over the cores."""
    return number(good.toolkit) >= (12, 8)


def _torch(good: KnownGood) -> list[str]:
    row = torch_facts.torch_row(good.torch)
    index = [] if row is not None and row.pypi_cuda == good.cuda else [f'index_url="{INDEX}/{_build(good.cuda)}"']
    return [_call("pip_install", [f'"torch=={good.torch}"', *index])]


def _build(cuda: str) -> str:
    return "cu" + cuda.replace(".", "")


def _tools(good: KnownGood) -> tuple[str, ...]:
    fitting = (
        tools
        for least, tools in TOOLS
        if number(good.torch) >= least and not conflicts({**tools, "torch": good.torch}, {"torch": "source"})
    )
    return tuple(f"{name}=={version}" for name, version in next(fitting).items())


def _caps(good: KnownGood) -> list[str]:
    """What would else come in a release that this torch, or this mamba-ssm, does not import under."""
    row = torch_facts.torch_row(good.torch)
    caps = ["numpy<2"] if row is not None and not row.numpy2 else []
    return caps + [f"transformers{n.needs}" for n in needs_of("mamba-ssm", good.mamba, "transformers")]


def _extension(good: KnownGood, name: str, version: str, *, compiles: bool) -> list[str]:
    measured = wheels.build_time(name)
    how = "a release wheel for this torch and Python"
    if compiles:
        how = "no release wheel: it compiles"
        if measured is not None:
            minutes = math.ceil((measured.split_s if _splits(good) else measured.seconds) / 60)
            how += f", for {minutes} min or more"
    return [f"# {how}", _call("pip_install", [f'"{name}=={version}"', OFF])]


def _call(method: str, arguments: list[str]) -> str:
    """On one line where it fits, else one argument a line."""
    line = f".{method}({', '.join(arguments)})"
    if len(line) + 4 <= WIDTH:
        return line
    return "\n".join([f".{method}(", *(f"    {a}," for a in arguments), ")"])
