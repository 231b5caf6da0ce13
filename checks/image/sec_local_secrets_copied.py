"""Local secrets are not copied along with the code.

Looks at
    `add_local_dir(".")` without `ignore=`, and `add_local_file` of a `.env` file.
Why it matters
    The folder where `modal run` is started holds `.env`, `.git` and keys; they go into the container, and with
    copy=True into the image, where everybody of the workspace can read them.
Example
    before   image.add_local_dir(".", remote_path="/root/project")
    after    image.add_local_dir(".", remote_path="/root/project", ignore=[".env", ".git", ".venv"])
Source
    modal.com/docs/guide/images, add local files; modal.com/docs/guide/secrets.
"""

import ast
from collections.abc import Iterator

from preflight.api import Call, Context, Finding, Recipe, counted, rule, warning

HERE = frozenset({".", "./"})


def applies(recipe: Recipe) -> str:
    return counted(len(_copies(recipe)), "local path")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for call, path in _copies(recipe):
        is_folder = call.name.endswith("add_local_dir")
        if is_folder and path in HERE and "ignore" not in call.kwargs and not call.has_spread and len(call.args) < 3:
            yield warning(
                f"add_local_dir({path!r}) takes everything in the folder, .env and .git too",
                'add ignore=[".env", ".git", ".venv"], or name the folders that are needed',
                call.where,
                why="keys of this machine reach the container, or the image",
            )
        elif not is_folder and path.rsplit("/", 1)[-1] == ".env":
            yield warning(
                f"add_local_file({path!r}) puts the values of .env into the container as a file",
                "use secrets=[modal.Secret.from_dotenv()]",
                call.where,
                why="keys of this machine reach the container, or the image",
            )


def _copies(recipe: Recipe) -> list[tuple[Call, str]]:
    """Calls whose local path is written out in the call."""
    found = []
    for call in recipe.calls:
        if call.name in ("modal.Image.add_local_dir", "modal.Image.add_local_file") and isinstance(call.node, ast.Call):
            named = [k.value for k in call.node.keywords if k.arg == "local_path"]
            for node in [*named, *call.node.args[:1]]:
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append((call, node.value))
    return found


CHECK = rule(
    id="IMG851",
    name="sec-local-secrets-copied",
    title="local secrets are not copied along with the code",
    find=find,
    applies=applies,
)
