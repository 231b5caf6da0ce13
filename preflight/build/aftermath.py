"""Why an extension that was installed fails at its import: what it meets there does not go with it."""

from __future__ import annotations

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from preflight.facts.types import Release
from preflight.build.compiling import FLOOR, Stop, Torch
from preflight.build.ext_steps import ExtInstall
from preflight.build.surroundings import is_known_before


def trouble_after(ext: ExtInstall, row: Release, torch: Torch) -> Stop | None:
    """Why what was installed fails at its import, under the torch and the transformers that it meets."""
    version = Version(row.version)
    if ext.name == "causal-conv1d" and version >= Version("1.5.1") and torch.has < (2, 4):
        why = f"torch {torch.version} has no torch.library.custom_op (2.4 has), and the import fails"
        return Stop("", why, torch.told_by_floor, "pin causal-conv1d to 1.5.0.post8 or older, or torch to 2.4 or newer")
    if ext.name != "mamba-ssm":
        return None
    if version >= Version("2.3.2") and torch.has < (2, 9):
        why = f"it requires triton 3.5, and pip replaces the one that torch {torch.version} pins"
        return Stop("", why, torch.told_by_floor, "pin mamba-ssm to 2.3.1 or older, or torch to 2.9 or newer")
    if version < Version("2.3.0") and brings_transformers_5(ext):
        why = "import mamba_ssm fails under the transformers 5 that it brings: GreedySearchDecoderOnlyOutput is gone"
        remedy = 'add "transformers<5" to the step that installs torch'
        return Stop("", why, FLOOR if ext.version is not None else "", remedy)
    return None


def brings_transformers_5(ext: ExtInstall) -> bool:
    """It depends on transformers, and nothing in the image keeps that below 5.  False where a step is not known."""
    installs = [i for _, i in ext.image.pip_installs()]
    if not is_known_before(ext.image, len(ext.image.steps)) or any(
        {"-c", "--constraint"} & {*i.options} for i in installs
    ):
        return False
    asked = [p for i in installs for p in i.packages if p.name == "transformers"]
    if ext.install.is_without_deps and not asked:
        return False
    return not any(p.url or _excludes(p.specifier, "5.23.0") for p in asked)


def _excludes(specifier: str, version: str) -> bool:
    try:
        return not SpecifierSet(specifier).contains(version)
    except InvalidSpecifier:
        return True
