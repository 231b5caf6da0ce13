"""GPU functions name the region where the house's data lies.

Looks at
    `region=` of every function with a GPU.
Why it matters
    Data that is read across an ocean is paid for by the gigabyte.
Example
    before   @app.function(gpu="H100")
    after    @app.function(gpu="H100", region="us-east")
How to fix
    Add `region="us-east"`.
Source
    The house's own rules.
"""

from collections.abc import Iterator

from preflight.api import FUNCTIONS, Finding, Function, Recipe, rule, warning
from preflight.api.app import keyword_where


@rule("HSE010", FUNCTIONS.only(lambda f: f.gpu, "GPU function"))
def find(recipe: Recipe, function: Function) -> Iterator[Finding]:
    if function.call.kwargs.get("region") != "us-east":
        yield warning(
            f"{function.name} has a GPU and does not run in us-east",
            'add region="us-east"',
            keyword_where(recipe, function.call, "region"),
            why="reading the data costs more than the GPU",
        )
