"""Every keyword is one that the client's function has.

Looks at
    The keywords of every call of Modal's API in the file, against the signatures of the current client.  Calls that
    take any keyword (`.remote()`, `from_registry`) and calls behind a test of the client's version are left out.
Why it matters
    A keyword that was removed, or never was, is a TypeError when the file is imported: nothing of the app runs.
Example
    before   modal.Secret.from_name("wandb", required=False)
    after    modal.Secret.from_name("wandb")
Source
    The signatures of modal 1.6.4 (facts/modal_api.toml).
"""

import difflib
from collections.abc import Iterator

from preflight.api import (
    Call,
    Context,
    Finding,
    Recipe,
    counted,
    error,
    is_certain,
    is_guarded,
    keyword_renamed,
    keyword_where,
    modal_api,
    rule,
    syntax_of,
)

OWN_RULE = {  # told, with its replacement, by a rule of its own
    "keep_warm",
    "concurrency_limit",
    "container_idle_timeout",
    "allow_concurrent_inputs",
    "mounts",
    "wrap_returned_exceptions",
}


def applies(recipe: Recipe) -> str:
    return counted(len(_known(recipe)), "call of a known signature", "calls of known signatures")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    api, syntax = modal_api(), syntax_of(recipe.source)
    for call, parameters in _known(recipe):
        taken = {p for p in parameters if not p.startswith("*")}
        for keyword in call.kwargs:
            if keyword in taken or keyword in OWN_RULE or keyword == "**":
                continue
            if syntax is None or call.node is None or is_guarded(syntax, call.node) or not is_certain(recipe, call):
                continue
            near = difflib.get_close_matches(keyword, [t for t in taken if t not in call.kwargs], n=1, cutoff=0.8)
            name = call.name.removeprefix("modal.")
            yield error(
                f"{name} has no parameter {keyword!r} (modal {api.version})",
                f"{near[0]} may be meant" if near else f"leave it out; it has {_some(taken)}",
                keyword_where(recipe, call, keyword),
                why="a TypeError when the line runs: at import for what stands at the top level",
                fix=keyword_renamed(call, keyword, near[0], is_safe=False) if near else None,
            )


def _known(recipe: Recipe) -> list[tuple[Call, tuple[str, ...]]]:
    """Calls whose every keyword the table knows.  Images are judged by their class alone."""
    found = []
    for call in recipe.calls:
        parameters = None if call.is_bare else modal_api().parameters(call.name)
        if parameters is not None and "**kwargs" not in parameters and not call.name.startswith("modal.Stub"):
            found.append((call, parameters))
    return found


def _some(names: set[str]) -> str:
    shown = sorted(n for n in names if not n.startswith("_"))
    return ", ".join(shown[:12]) + (" …" if len(shown) > 12 else "") if shown else "none"


CHECK = rule(
    id="PRJ720",
    name="dep-unknown-kwarg",
    title="every keyword is one that the client's function has",
    find=find,
    applies=applies,
)
