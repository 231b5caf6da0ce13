"""What the body of a function that Modal runs does, as far as its text shows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from preflight.app.model import Function, Recipe
from preflight.app.syntax import Def, dotted, strings_in, text_of

TRAINING_NAME = re.compile(
    r"(?:^|_)(?:re|pre)?(?:train|training|finetune|finetuning|fine_tune|fit|sft|dpo|grpo|rlhf|distill)(?:_|$)"
)
NOT_TRAINING = re.compile(r"(?:^|_)(?:after|before|post|check|test|status|load|list|get|download|prepare|plot)(?:_|$)")
LAUNCHED = re.compile(r"\b(?:torchrun|accelerate launch|deepspeed|axolotl)\b|\b\w*(?:train|finetune)\w*\.py\b")
CALLS_TRAINER = re.compile(r"(?i:trainer).*\.(?:train|fit)$|(?:^|\.)(?i:model)\.fit$")
RUNS = frozenset(
    "subprocess.run subprocess.check_call subprocess.call subprocess.Popen subprocess.check_output os.system".split()
)
NEEDS_GPU = frozenset(
    "unsloth.FastLanguageModel.from_pretrained FastLanguageModel.from_pretrained vllm.LLM "
    "torch.cuda.set_device torch.cuda.empty_cache torch.cuda.synchronize".split()
)
WEB = ("fastapi_endpoint", "web_endpoint", "asgi_app", "wsgi_app", "web_server")


def defs_of(function: Function) -> tuple[Def, ...]:
    """The function itself, or the methods of a class."""
    body = function.body
    if isinstance(body, ast.ClassDef):
        return tuple(item for item in body.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef))
    return (body,) if body is not None else ()


def calls_in(*defs: Def) -> Iterator[ast.Call]:
    for each in defs:
        for statement in each.body:
            for node in ast.walk(statement):
                if isinstance(node, ast.Call):
                    yield node


def is_web(function: Function) -> bool:
    """Whether it answers web requests, by itself or with one of its methods."""
    if function.kind == "server" or any(d.name.rsplit(".", 1)[-1] in WEB for d in function.decorators):
        return True
    for each in defs_of(function):
        for decorator in each.decorator_list:
            name = dotted(decorator.func if isinstance(decorator, ast.Call) else decorator)
            if name.rsplit(".", 1)[-1] in WEB:
                return True
    return False


def training_of(function: Function) -> str:
    """How the text shows that this trains a model: "its name", "it calls trainer.train()" …; "" if it does not."""
    for each in defs_of(function):
        name = each.name.lower()
        if TRAINING_NAME.search(name) and not NOT_TRAINING.search(name) and _does_something(each):
            return f"{each.name} trains by its name"
        for call in calls_in(each):
            name = dotted(call.func)
            launched = (LAUNCHED.search(str(s.value)) for s in (strings_in(call) if name in RUNS else ()))
            if (found := next(filter(None, launched), None)) is not None:
                return f"it runs {found[0]}"
            if CALLS_TRAINER.search(name):
                return f"it calls {name}()"
    if isinstance(function.body, ast.ClassDef) and re.search(r"Train(?:er|ing)\b|FineTun", function.body.name):
        return f"{function.body.name} trains by its name"
    return ""


def _does_something(each: Def) -> bool:
    """More than asking another function to run: ``other.remote()`` is what an orchestrator does."""
    names = [dotted(c.func) for c in calls_in(each)]
    return bool(names) and not any(n.rsplit(".", 1)[-1] in ("remote", "spawn", "map", "starmap") for n in names)


def cuda_use_of(function: Function) -> ast.Call | None:
    """The first call that fails without a GPU; None when the code asks for one first, or uses none."""
    for each in defs_of(function):
        found = next(filter(_needs_cuda, calls_in(each)), None)
        if found is not None and "is_available" not in ast.unparse(each):
            return found
    return None


def _needs_cuda(call: ast.Call) -> bool:
    name = dotted(call.func)
    attribute = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if (attribute == "cuda" and not call.args and not call.keywords) or name in NEEDS_GPU:
        return True
    first = call.args[:1] if attribute == "to" or name == "torch.device" else []
    named = [*first, *(k.value for k in call.keywords if k.arg in ("device", "device_map"))]
    return any(text_of(value).startswith("cuda") for value in named)


def options_given_later(recipe: Recipe, name: str) -> frozenset[str]:
    """Keywords of every ``name.with_options(…)`` in the file."""
    tree = recipe.source.tree
    if tree is None or "with_options" not in recipe.source.text:
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr == "with_options" and dotted(node.func.value).rsplit(".", 1)[-1] in (name, ""):
            found |= {k.arg or "**" for k in node.keywords}
    return frozenset(found)
