"""A build of flash-attn is told how many compilers it may run.

Looks at   flash-attn where it may compile, and MAX_JOBS before it.
Why        each of its compilers takes several GB; ninja starts one a core.  The builder runs out of memory and the
           build is killed.
Before     .pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
After      .env({"MAX_JOBS": "4"}).pip_install("flash-attn==2.6.3", extra_options="--no-build-isolation")
Source     README of flash-attn
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Image,
    Outcome,
    Recipe,
    advice,
    counted,
    env_before,
    insert_link,
    outcome_of,
    over_images,
    rule,
    source_builds,
)


def applies(recipe: Recipe) -> str:
    return counted(
        sum(e.name == "flash-attn" for i in recipe.images for e in source_builds(i)),
        "install of flash-attn",
        "installs of flash-attn",
    )


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    return over_images(recipe, context, look)


def look(recipe: Recipe, context: Context, image: Image) -> Iterator[Finding]:
    for ext in source_builds(image):
        said = {**env_before(image, ext.n), **ext.install.env}
        if ext.name == "flash-attn" and "MAX_JOBS" not in said and outcome_of(ext) is not Outcome.WHEEL:
            yield advice(
                "flash-attn may compile, and MAX_JOBS does not say how many compilers may run",
                'put .env({"MAX_JOBS": "4"}) before this step',
                ext.where,
                why="the image builder may run out of memory after 10 to 30 min",
                fix=insert_link(recipe, ext.step, '.env({"MAX_JOBS": "4"})', is_safe=False),
            )


CHECK = rule(
    id="IMG150",
    name="tool-max-jobs",
    title="a build of flash-attn is told how many jobs it may run",
    find=find,
    applies=applies,
)
