"""packaging, wheel and setuptools are there before a build without isolation.

Looks at
    Extensions built with --no-build-isolation, and whether packaging, wheel and setuptools are in the image by
    then: from an earlier pip command, from the base, or brought by another package.
Why it matters
    Without isolation nobody installs build requirements. setup.py stops at its first import: "No module named
    'packaging'", then 'wheel'. The same pip call does not count: it builds before it installs.
Example
    before   .pip_install("torch==2.2.2").run_commands("pip install --no-build-isolation mamba-ssm==2.2.2")
    after    .pip_install("torch==2.2.2", "packaging", "wheel", "setuptools", "ninja").run_commands(…)
How to fix
    Put `.pip_install("packaging", "wheel", "setuptools", "ninja")` before the step.
Source
    setup.py of the releases; modal base images per builder; brain-go-brr-v2 692d806b, cured in beb585ff
"""

from preflight.api import Context, ExtInstall, Findings, Recipe, app, build, error, rule, warning
from preflight.rules.subjects import SOURCE_BUILDS, in_place
from preflight.wording import is_or_are, listed

UNISOLATED = SOURCE_BUILDS.only(lambda e: not e.is_isolated, "extension built without isolation")


@rule("IMG440", UNISOLATED.by(in_place), asks_builder=True)
def find(recipe: Recipe, exts: list[ExtInstall], context: Context) -> Findings:
    lacking = [(e, missing) for e in exts if (missing := build.missing_before(e, context.builder))]
    if not lacking:
        return
    found, missing = [e for e, _ in lacking], {name: sure for _, each in lacking for name, sure in each.items()}
    say = error if any(missing.values()) else warning
    packages = ", ".join(f'"{m}"' for m in (*missing, "ninja"))
    yield say(
        f"{build.names(found)} {is_or_are(found)} built without isolation, and {listed(list(missing))} "
        f"{is_or_are(missing)} not installed before it",
        f"put .pip_install({packages}) before this step",
        found[0].where,
        why=f"the image build stops with: No module named '{next(iter(missing))}'",
        fix=app.insert_link(recipe, found[0].step, f".pip_install({packages})", is_safe=True),
    )
