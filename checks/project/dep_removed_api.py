"""Every name of Modal's is one that the client has.

Looks at
    Names below `modal.`, methods and attributes of its objects (images, volumes, secrets, apps), against the current
    client.
    Names behind `hasattr`, a `try` or a version test are left out, and so are receivers that may be something
    else (an `app` that is a FastAPI inside a function).
Why it matters
    A name that was removed is an AttributeError or ImportError when the line runs, mostly at import.
Example
    before   modal.Image.from_dockerhub("ubuntu:22.04")
    after    modal.Image.from_registry("ubuntu:22.04", add_python="3.12")
How to fix
    Use what the message names; the release notes tell what took the place of other names.
Source
    The public names of the client, facts/modal_api.toml; the release notes for what took their place.
"""

from collections.abc import Iterator

from preflight.api import Findings, Recipe, Where, app, error, facts, rule
from preflight.facts.removed import removed_names
from preflight.rules.removals import MODAL_NAMES
from preflight.rules.subjects import USES, syntax

OWN_RULE = removed_names() | {"gpu", ".lookup"}  # told, with what takes its place, by a rule of its own
INSTEAD = {
    "App.image": "the Image's own variable: `with image.imports():`",
    "Image.from_dockerhub": "modal.Image.from_registry",
    "Image.conda": "modal.Image.micromamba",
    "Image.conda_install": "Image.micromamba_install",
    "Function.web_url": "Function.get_web_url()",
    "SharedVolume": "modal.Volume",
    "App.webhook": "@modal.fastapi_endpoint() below @app.function()",
    "App.asgi": "@modal.asgi_app() below @app.function()",
    "App.wsgi": "@modal.wsgi_app() below @app.function()",
    "experimental.raw_dockerfile_image": "modal.Image.from_dockerfile",
    "experimental.raw_registry_image": "modal.Image.from_registry",
    "Volume.delete": "modal.Volume.objects.delete",
    "Dict.delete": "modal.Dict.objects.delete",
    "Queue.delete": "modal.Queue.objects.delete",
    "Secret.create_deployed": "modal.Secret.objects.create",
    "Volume.create_deployed": "modal.Volume.objects.create",
}
OTHERWISE = "see the release notes for what took its place, and leave it out"
WHY = "an AttributeError or ImportError when the line runs: at import for what stands at the top level"


@rule("PRJ730", MODAL_NAMES)
def find(recipe: Recipe, _: Recipe) -> Findings:
    told = set()
    for gone, where in _all_gone(recipe):
        if where.line not in told:
            told.add(where.line)
            remedy = (
                f"use {INSTEAD[gone.removeprefix('modal.')]}" if gone.removeprefix("modal.") in INSTEAD else OTHERWISE
            )
            yield error(f"{gone} is not in modal {facts.modal_api().version}", remedy, where, why=WHY)


def _all_gone(recipe: Recipe) -> Iterator[tuple[str, Where]]:
    tree = syntax(recipe)
    for use in USES.of(recipe):
        if not use.is_guarded and (gone := _gone(use.name)):
            yield f"modal.{gone}", tree.where(use.node)
    for use in app.attributes_of_objects(recipe):
        if not use.is_guarded and (gone := _gone(use.name)):
            yield gone, tree.where(use.node)
    for call in recipe.calls:
        gone = _gone(call.name)
        if gone and call.node is not None and not app.is_guarded(tree, call.node) and app.is_certain(recipe, call):
            yield gone, call.where


def _gone(name: str) -> str:
    """The first part of a dotted name that the client lacks; "" when it has it, or can't be judged."""
    api, parts = facts.modal_api(), name.split(".")[1:]
    if not parts or parts[0].startswith("_") or parts[0] in OWN_RULE:
        return ""
    top = parts[0]
    if top not in api.names and top not in api.submodules:
        return top
    if len(parts) < 2 or parts[1].startswith("_") or parts[1] in ("aio", "*"):
        return ""
    both = f"{top}.{parts[1]}"
    if top == "experimental":
        return "" if parts[1] in api.experimental else both
    members = api.classes.get(top)
    if members is None or len(members) < 2 or parts[1] in members or {both, f".{parts[1]}"} & OWN_RULE:
        return ""
    return both
