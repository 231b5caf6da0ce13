"""Nothing that the app uses of Modal is announced to end.

Looks at
    Names and keywords of Modal's API in the app, against the announcements in Modal's client, with their dates.
Why it matters
    What works today stops on the day, or with the release, that the announcement names: a run that is started again
    in a month would not begin.
Example
    before   app.registered_functions
    after    app.all_functions, as the announcement says
How to fix
    Use what the announcement names in its place.
Source
    Deprecation warnings of the Modal client, read from its wheel (facts/breaks.toml, each with its date).
"""

from preflight.api import Context, Findings, Recipe, rule
from preflight.build.announced import concerns
from preflight.rules.subjects import MODAL_FILE

# Rules of their own speak of these, with a fix.
TOLD_ELSEWHERE = frozenset({"allow_concurrent_inputs", "NetworkFileSystem", "experimental.clustered"})


@rule("PRJ990", MODAL_FILE)
def find(recipe: Recipe, app: Recipe, context: Context) -> Findings:
    yield from concerns(app, context.now.date(), left_out=TOLD_ELSEWHERE)
