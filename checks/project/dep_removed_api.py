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
Source
    The public names of modal 1.6.4 (facts/modal_api.toml); the release notes for what took their place.
"""

from collections.abc import Iterator

from preflight.api import (
    Context,
    Finding,
    Recipe,
    attributes_of_objects,
    counted,
    error,
    is_certain,
    is_guarded,
    modal_api,
    rule,
    syntax_of,
    uses_of_modal,
)

OWN_RULE = frozenset({"Stub", "stub", "Mount", "mount", "gpu", "build", "NetworkFileSystem"})
OWN_METHODS = {
    "Image": frozenset({"copy_local_file", "copy_local_dir", "copy_mount", "copy_local"}),
    "Volume": frozenset({"lookup", "persisted", "new"}),
    "Dict": frozenset({"lookup", "persisted", "new"}),
    "Queue": frozenset({"lookup", "persisted", "new"}),
    "Secret": frozenset({"lookup"}),
    "Function": frozenset({"lookup"}),
    "Cls": frozenset({"lookup"}),
    "NetworkFileSystem": frozenset({"lookup", "persisted", "new"}),
}
INSTEAD = {
    "Image.from_dockerhub": "modal.Image.from_registry",
    "Image.conda": "modal.Image.micromamba",
    "Image.conda_install": "Image.micromamba_install",
    "Function.web_url": "Function.get_web_url()",
    "App.image": "the Image's own variable: `with image.imports():`",
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


def applies(recipe: Recipe) -> str:
    return counted(len(uses_of_modal(recipe)), "use of Modal's names", "uses of Modal's names")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    syntax, told = syntax_of(recipe.source), set()
    if syntax is None:
        return
    for use in uses_of_modal(recipe):
        gone = _gone(use.name.split(".")[1:])
        if gone and not use.is_guarded:
            where = syntax.where(use.node)
            told.add(where.line)
            yield error(f"modal.{gone} is not in modal {modal_api().version}", _remedy(gone), where, why=WHY)
    for use in attributes_of_objects(recipe):
        gone, where = _gone(use.name.split(".")[1:]), syntax.where(use.node)
        if gone and not use.is_guarded and where.line not in told:
            told.add(where.line)
            yield error(f"{gone} is not in modal {modal_api().version}", _remedy(gone), where, why=WHY)
    for call in recipe.calls:
        gone = _gone(call.name.split(".")[1:])
        if not gone or call.where.line in told or call.node is None or is_guarded(syntax, call.node):
            continue
        if is_certain(recipe, call):
            told.add(call.where.line)
            yield error(f"{gone} is not in modal {modal_api().version}", _remedy(gone), call.where, why=WHY)


WHY = "an AttributeError or ImportError when the line runs: at import for what stands at the top level"


def _gone(parts: list[str]) -> str:
    """The first part of a dotted name that the client lacks; "" when it has it, or can't be judged."""
    api = modal_api()
    if not parts or parts[0].startswith("_") or parts[0] in OWN_RULE:
        return ""
    top = parts[0]
    if top not in api.names and top not in api.submodules:
        return top
    if len(parts) < 2 or parts[1].startswith("_") or parts[1] in ("aio", "*"):
        return ""
    if top == "experimental":
        return "" if parts[1] in api.experimental else f"experimental.{parts[1]}"
    members = api.classes.get(top)
    if members is None or len(members) < 2 or parts[1] in members or parts[1] in OWN_METHODS.get(top, ()):
        return ""
    return f"{top}.{parts[1]}"


def _remedy(gone: str) -> str:
    instead = INSTEAD.get(gone)
    return f"use {instead}" if instead else "see the release notes for what took its place, and leave it out"


CHECK = rule(
    id="PRJ730",
    name="dep-removed-api",
    title="every name of Modal's is one that the client has",
    find=find,
    applies=applies,
)
