"""No `force_build=True` is left behind.

Looks at
    `force_build=True` on any image step, `from_registry` included. A named flag that is False is left out.
Why it matters
    The step and all after it are built on every run, extensions included.  It does not make pip compile a wheel:
    for that there is `--no-binary`, or the package's own *_FORCE_BUILD variable.
Example
    before   image.pip_install("mamba-ssm", force_build=True)
    after    image.pip_install("mamba-ssm")
How to fix
    Leave `force_build=True` out, or set MODAL_FORCE_BUILD=1 for the one run that needs it.
Source
    modal.com/docs/guide/images, "Forcing an image to rebuild"; brain-go-brr 1272c4f1 took it for a compile flag.
"""

from preflight.api import Call, Findings, Recipe, app, rule, warning
from preflight.rules.subjects import IMAGE_CALLS


@rule("IMG810", IMAGE_CALLS)
def find(recipe: Recipe, call: Call) -> Findings:
    if call.kwargs.get("force_build") is True:
        yield warning(
            f"force_build=True on {call.name.rsplit('.', 1)[-1]}: it and all after it are built on every run",
            "leave it out, or set MODAL_FORCE_BUILD=1 for the one run that needs it",
            app.keyword_where(recipe, call, "force_build"),
            why="minutes of building before every run; a compiled extension takes 10 to 40",
            fix=app.keyword_dropped(recipe.source, call, "force_build", is_safe=True),
        )
