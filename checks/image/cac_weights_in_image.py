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
Source
    modal.com/docs/guide/model-weights.
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import Context, Finding, Recipe, ShellCommand, Step, Where, advice, counted, image_links, rule

FETCHED = re.compile(r"\b(?:snapshot_download|hf_hub_download|from_pretrained|hub\.load|load_model)\b")
FILES = re.compile(r"\.(?:safetensors|ckpt|gguf|pth|pt|bin|onnx)\b")
FETCHERS = frozenset({"wget", "curl", "aria2c", "gdown", "aws", "gsutil"})


def applies(recipe: Recipe) -> str:
    return counted(len(_steps(recipe)), "build step that runs something", "build steps that run something")


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    for step in _steps(recipe):
        for what, where in _fetched(step):
            yield advice(
                f"{step.method} puts model weights into the image ({what})",
                "download them once into a Volume that the functions mount",
                where,
            )


def _steps(recipe: Recipe) -> list[Step]:
    return [k.step for k in image_links(recipe) if k.step.method in ("run_commands", "run_function")]


def _fetched(step: Step) -> Iterator[tuple[str, Where]]:
    for command in step.shell:
        what = _by_command(command)
        if what:
            yield what, command.where
    node = getattr(step.args[0], "node", None) if step.args else None
    if "volumes" in step.kwargs or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    found = FETCHED.search(ast.unparse(node))
    if found:
        yield f"{node.name} calls {found[0]}", step.where


def _by_command(command: ShellCommand) -> str:
    name = command.words[0].rsplit("/", 1)[-1] if command.words else ""
    if name in ("huggingface-cli", "hf") and "download" in command.words[:3]:
        return f"{name} download"
    if name in FETCHERS and FILES.search(command.text):
        return name
    if name.startswith("python") and (found := FETCHED.search(command.text)):
        return found[0]
    return ""


CHECK = rule(
    id="IMG822",
    name="cac-weights-in-image",
    title="model weights are kept in a Volume, not in the image",
    find=find,
    applies=applies,
)
