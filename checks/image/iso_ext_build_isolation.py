"""CUDA extensions are built without isolation.

Looks at
    CUDA extensions that pip gets as source, and --no-build-isolation in the call, the command or the environment.
Why it matters
    With isolation pip builds in an environment of its own. There, torch is missing ("No module named 'torch'",
    "'packaging'"), or it is the newest torch: the result then fails in yours at run time with "undefined symbol:
    _ZN3c104cuda14ExchangeDeviceEa". Without isolation setup.py sees the torch of the image, and fetches the release
    wheel that fits it.
Example
    before   .pip_install("mamba-ssm==2.2.4")
    after    .pip_install("packaging", "wheel", "setuptools", "ninja")
             .pip_install("mamba-ssm==2.2.4", extra_options="--no-build-isolation")
How to fix
    Install packaging, wheel, setuptools and ninja in a step before, then install with
    `extra_options="--no-build-isolation"`.
Source
    setup.py and pyproject.toml of the releases; A100-Kernel-RL e65fcade to 7e49e8b0 (five tries, given up)
"""

from collections.abc import Iterable

from preflight.api import ExtInstall, Findings, Fix, Recipe, app, build, error, rule
from preflight.rules.subjects import SOURCE_BUILDS, in_place
from preflight.wording import is_or_are


@rule("IMG430", SOURCE_BUILDS.by(in_place))
def find(recipe: Recipe, exts: list[ExtInstall]) -> Findings:
    found = [e for e in exts if e.is_isolated]
    if found:
        names = build.names(found)
        yield error(
            f"{names} {is_or_are(found)} installed with build isolation, where the image's torch is not seen",
            'install packaging, wheel, setuptools, ninja in a step before; then extra_options="--no-build-isolation"',
            found[0].where,
            why="the image build stops, or the extension is built for another torch and fails at run time on the GPU",
            fix=_switch_off(recipe, found),
        )


def _switch_off(recipe: Recipe, found: list[ExtInstall]) -> Fix | None:
    step = found[0].step
    if step.method in ("pip_install", "uv_pip_install"):
        if "extra_options" in step.kwargs or "**" in step.kwargs:
            return None
        return app.add_argument(recipe, step, 'extra_options="--no-build-isolation"', is_safe=_are_alone(step.pip))
    installs = list({id(e.install): e.install for e in found}.values())
    is_safe = _are_alone(installs)
    return app.together(
        (
            app.replace_span(
                recipe, i.where, i.span, "pip install", "pip install --no-build-isolation", is_safe=is_safe
            )
            for i in installs
        ),
        is_safe=is_safe,
    )


def _are_alone(installs: Iterable[app.PipInstall]) -> bool:
    """Nothing else is in these commands that the option would build in another way."""
    return all(i.is_complete and all(build.classify(p)[0] is not None for p in i.packages) for i in installs)
