"""CUDA extensions are installed without build isolation.

Looks at   CUDA extensions that pip gets as source, and --no-build-isolation in the call, the command or the
           environment.
Why        with isolation pip builds in an environment of its own.  There, torch is missing ("No module named
           'torch'", "'packaging'"), or it is the newest torch: the result then fails in yours at run time with
           "undefined symbol: _ZN3c104cuda14ExchangeDeviceEa".  Without isolation setup.py sees the torch of the
           image, and fetches the release wheel that fits it.
Before     .pip_install("mamba-ssm==2.2.4")
After      .pip_install("packaging", "wheel", "setuptools", "ninja")
           .pip_install("mamba-ssm==2.2.4", extra_options="--no-build-isolation")
Source     setup.py and pyproject.toml of the releases; A100-Kernel-RL e65fcade to 7e49e8b0 (five tries, given up)
"""

from collections.abc import Iterator, Sequence

from preflight.api import (
    Context,
    ExtInstall,
    Finding,
    Fix,
    Image,
    PipInstall,
    Recipe,
    Where,
    add_argument,
    classify,
    error,
    names_are,
    over_images,
    replace_span,
    rule,
    source_builds,
    source_builds_in,
)


def applies(recipe: Recipe) -> str:
    return source_builds_in(recipe)


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    places: dict[Where, list[ExtInstall]] = {}
    for ext in source_builds(image):
        if ext.is_isolated:
            places.setdefault(ext.where, []).append(ext)
    for where, found in places.items():
        yield error(
            f"{names_are(found)} installed with build isolation, where the image's torch is not seen",
            'install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"',
            where,
            why="the image build stops, or the extension is built for another torch and fails at run time on the GPU",
            fix=_switch_off(recipe, found),
        )


def _switch_off(recipe: Recipe, found: list[ExtInstall]) -> Fix | None:
    step = found[0].step
    if step.method in ("pip_install", "uv_pip_install"):
        if "extra_options" in step.kwargs or "**" in step.kwargs:
            return None
        return add_argument(recipe, step, 'extra_options="--no-build-isolation"', is_safe=_are_alone(step.pip))
    installs = list({id(e.install): e.install for e in found}.values())
    is_safe = _are_alone(installs)
    fixes = [
        replace_span(recipe, i.where, i.span, "pip install", "pip install --no-build-isolation", is_safe=is_safe)
        for i in installs
    ]
    edits = tuple(e for f in fixes if f is not None for e in f.edits)
    return Fix(edits=edits, is_safe=is_safe) if edits and None not in fixes else None


def _are_alone(installs: Sequence[PipInstall]) -> bool:
    """Nothing else is in these commands that the option would build in another way."""
    return all(i.is_complete and all(classify(p)[0] is not None for p in i.packages) for i in installs)


CHECK = rule(
    id="IMG430",
    name="iso-ext-build-isolation",
    title="CUDA extensions are built without isolation",
    find=find,
    applies=applies,
)
