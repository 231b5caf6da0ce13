"""Where the house's data lies."""

from preflight.api import FUNCTIONS, Findings, Function, Recipe, app, rule, warning


@rule("HSE010", FUNCTIONS.only(lambda f: f.gpu, "GPU function"))
def house_region(recipe: Recipe, function: Function) -> Findings:
    """GPU functions name the region where the house's data lies.

    Looks at: `region=` of every function with a GPU.
    Why it matters: Data that is read across an ocean is paid for by the gigabyte.
    Example:
        before   @app.function(gpu="H100")
        after    @app.function(gpu="H100", region="us-east")
    How to fix: Add `region="us-east"`.
    Source: The house's own rules.
    """
    if function.call.kwargs.get("region") != "us-east":
        yield warning(
            f"{function.name} has a GPU and does not run in us-east",
            'add region="us-east"',
            app.keyword_where(recipe, function.call, "region"),
            why="reading the data costs more than the GPU",
        )
