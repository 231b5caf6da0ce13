"""A build of flash-attn is told how many jobs it may run.

Looks at
    flash-attn where it may compile, and MAX_JOBS before it.
Why it matters
    Each of its compilers takes several GB, and ninja starts one a core. The builder runs out of memory and the
    build is killed.
Example
    before   .pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
    after    .env({"MAX_JOBS": "4"}).pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
How to fix
    Put `.env({"MAX_JOBS": "4"})` before the step.
Source
    README of flash-attn
"""

from preflight.api import ExtInstall, Findings, Recipe, advice, app, build, rule
from preflight.rules.subjects import SOURCE_BUILDS, env_for


@rule("IMG150", SOURCE_BUILDS.only(lambda e: e.name == "flash-attn", "install of flash-attn"))
def find(recipe: Recipe, ext: ExtInstall) -> Findings:
    if "MAX_JOBS" not in env_for(ext) and build.outcome_of(ext) is not build.Outcome.WHEEL:
        yield advice(
            "flash-attn may compile, and MAX_JOBS does not limit the number of its compilers",
            'put .env({"MAX_JOBS": "4"}) before this step',
            ext.where,
            why="the image builder may run out of memory after 10 to 30 min",
            fix=app.insert_link(recipe, ext.step, '.env({"MAX_JOBS": "4"})', is_safe=False),
        )
