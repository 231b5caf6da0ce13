"""Every keyword is one that the client's function has.

Looks at
    The keywords of every call of Modal's API in the file, against the signatures of the current client.  Calls that
    take any keyword (`.remote()`, `from_registry`) and calls behind a test of the client's version are left out.
Why it matters
    A keyword that was removed, or never was, is a TypeError when the file is imported: nothing of the app runs.
Example
    before   modal.Secret.from_name("wandb", required=False)
    after    modal.Secret.from_name("wandb")
How to fix
    Write the parameter that the message names, or leave the keyword out.
Source
    The signatures of the client, facts/modal_api.toml.
"""

import difflib
from collections.abc import Iterator

from preflight.api import Call, Findings, Recipe, Subject, app, error, facts, rule
from preflight.facts.removed import removed_keywords
from preflight.rules.subjects import syntax

OWN_RULE = removed_keywords() | {"allow_concurrent_inputs"}  # told, with what takes its place, by a rule of its own


def _known(recipe: Recipe) -> Iterator[tuple[Call, tuple[str, ...]]]:
    """Calls whose every keyword the table knows.  Images are judged by their class alone."""
    for call in recipe.calls:
        parameters = None if call.is_bare else facts.modal_api().parameters(call.name)
        if parameters is not None and "**kwargs" not in parameters and not call.name.startswith("modal.Stub"):
            yield call, parameters


@rule("PRJ720", Subject(_known, "call of a known signature"))
def find(recipe: Recipe, known: tuple[Call, tuple[str, ...]]) -> Findings:
    call, parameters = known
    taken = {p for p in parameters if not p.startswith("*")}
    strange = [k for k in call.kwargs if k not in taken and k not in OWN_RULE and k != "**"]
    if (
        not strange
        or call.node is None
        or app.is_guarded(syntax(recipe), call.node)
        or not app.is_certain(recipe, call)
    ):
        return
    for keyword in strange:
        near = difflib.get_close_matches(keyword, [t for t in taken if t not in call.kwargs], n=1, cutoff=0.8)
        yield error(
            f"{call.name.removeprefix('modal.')} has no parameter {keyword!r} (modal {facts.modal_api().version})",
            f"{near[0]} may be meant" if near else f"leave it out; it has {_some(taken)}",
            app.keyword_where(recipe, call, keyword),
            why="a TypeError when the line runs: at import for what stands at the top level",
            fix=app.keyword_renamed(call, keyword, near[0], is_safe=False) if near else None,
        )


def _some(names: set[str]) -> str:
    shown = sorted(n for n in names if not n.startswith("_"))
    return ", ".join(shown[:12]) + (" …" if len(shown) > 12 else "") if shown else "none"
