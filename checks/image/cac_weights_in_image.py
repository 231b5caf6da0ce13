"""Model weights are kept in a Volume, not in the image.

Looks at
    Build steps that fetch weights: `run_function` of a function that calls `snapshot_download`, `from_pretrained` and
    the like without `volumes=`, and shell commands that download them.
Why it matters
    Every change before the step downloads them again, and each container start pulls a layer of gigabytes.
Example
    before   image.run_function(download_model)
    after    @app.function(volumes={"/models": modal.Volume.from_name("models", create_if_missing=True)})
             def download_model(): …
How to fix
    Download the weights once into a Volume that the functions mount.
Source
    modal.com/docs/guide/model-weights.
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import Findings, Link, Recipe, Where, advice, app, rule
from preflight.app.syntax import Def
from preflight.rules.subjects import LINKS

FETCHED = re.compile(r"\b(?:snapshot_download|hf_hub_download|from_pretrained|hub\.load|load_model)\b")
FILES = re.compile(r"\.(?:safetensors|ckpt|gguf|pth|pt|bin|onnx)\b")
FETCHERS = frozenset({"wget", "curl", "aria2c", "gdown", "aws", "gsutil"})
RUNNING = LINKS.only(lambda k: k.step.method in ("run_commands", "run_function"), "build step that runs something")


@rule("IMG822", RUNNING)
def find(recipe: Recipe, link: Link) -> Findings:
    for what, where in _fetched(link.step):
        yield advice(
            f"{link.step.method} puts model weights into the image ({what})",
            "download them once into a Volume that the functions mount",
            where,
        )


def _fetched(step: app.Step) -> Iterator[tuple[str, Where]]:
    yield from ((what, command.where) for command in step.shell if (what := _by_command(command)))
    node = getattr(step.args[0], "node", None) if step.args else None
    if isinstance(node, Def) and "volumes" not in step.kwargs and (found := FETCHED.search(ast.unparse(node))):
        yield f"{node.name} calls {found[0]}", step.where


def _by_command(command: app.ShellCommand) -> str:
    name = command.words[0].rsplit("/", 1)[-1] if command.words else ""
    if name in ("huggingface-cli", "hf") and "download" in command.words[:3]:
        return f"{name} download"
    if name in FETCHERS and FILES.search(command.text):
        return name
    if name.startswith("python") and (found := FETCHED.search(command.text)):
        return found[0]
    return ""
