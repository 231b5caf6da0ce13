"""No `force_build=True` is left behind.

Looks at
    `force_build=True` on any image step, `from_registry` included.  A named flag that is False is left out.
Why it matters
    The step and all after it are built on every run, extensions included.  It does not make pip compile a wheel:
    for that there is `--no-binary`, or the package's own *_FORCE_BUILD variable.
Example
    before   image.pip_install("mamba-ssm", force_build=True)
    after    image.pip_install("mamba-ssm")
Source
    modal.com/docs/guide/images, "Forcing an image to rebuild"; brain-go-brr 1272c4f1 took it for a compile flag.
"""

from collections.abc import Iterator

from preflight.api import Call, Context, Finding, Recipe, counted, keyword_dropped, keyword_where, rule, warning


def applies(recipe: Recipe) -> str:
    return counted(len(_steps(recipe)), "image step")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call in _steps(recipe):
        if call.kwargs.get("force_build") is True:
            yield warning(
                f"force_build=True on {call.name.rsplit('.', 1)[-1]}: it and all after it are built on every run",
                "leave it out, or set MODAL_FORCE_BUILD=1 for the one run that needs it",
                keyword_where(recipe, call, "force_build"),
                why="minutes of building before every run; a compiled extension takes 10 to 40",
                fix=keyword_dropped(recipe.source, call, "force_build", is_safe=True),
            )


def _steps(recipe: Recipe) -> list[Call]:
    return [c for c in recipe.calls if c.name.startswith("modal.Image.")]


CHECK = rule(
    id="IMG810",
    name="cac-force-build-left",
    title="no force_build=True is left behind",
    find=find,
    applies=applies,
)
