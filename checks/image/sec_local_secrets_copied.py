"""Local secrets are not copied along with the code.

Looks at
    `add_local_dir(".")` without `ignore=`, and `add_local_file` of a `.env` file.
Why it matters
    The folder where `modal run` is started holds `.env`, `.git` and keys. They go into the container, and with
    copy=True into the image, where everybody of the workspace can read them.
Example
    before   image.add_local_dir(".", remote_path="/root/project")
    after    image.add_local_dir(".", remote_path="/root/project", ignore=[".env", ".git", ".venv"])
How to fix
    Add `ignore=[".env", ".git", ".venv"]`, or name the folders that are needed. Give variables with
    `modal.Secret.from_dotenv()`.
Source
    modal.com/docs/guide/images, add local files; modal.com/docs/guide/secrets.
"""

import ast
from collections.abc import Iterator

from preflight.api import Call, Findings, Recipe, Subject, rule, warning

WHY = "keys of this machine reach the container, or the image"


def _copies(recipe: Recipe) -> Iterator[tuple[Call, str]]:
    """Calls whose local path is written out in the call."""
    for call in recipe.calls:
        if call.name in ("modal.Image.add_local_dir", "modal.Image.add_local_file") and isinstance(call.node, ast.Call):
            keywords = [k.value for k in call.node.keywords if k.arg == "local_path"]
            for node in [*keywords, *call.node.args[:1]]:
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield call, node.value


@rule("IMG851", Subject(_copies, "local path"))
def find(recipe: Recipe, copy: tuple[Call, str]) -> Findings:
    call, path = copy
    is_folder = call.name.endswith("add_local_dir")
    chooses = "ignore" in call.kwargs or call.has_spread or len(call.args) > 2
    if is_folder and path in (".", "./") and not chooses:
        yield warning(
            f"add_local_dir({path!r}) takes everything in the folder, .env and .git too",
            'add ignore=[".env", ".git", ".venv"], or name the folders that are needed',
            call.where,
            why=WHY,
        )
    elif not is_folder and path.rsplit("/", 1)[-1] == ".env":
        yield warning(
            f"add_local_file({path!r}) puts the values of .env into the container as a file",
            "use secrets=[modal.Secret.from_dotenv()]",
            call.where,
            why=WHY,
        )
