"""The variables that the code needs are promised by its secrets, or set by its image.

Looks at
    `os.environ["X"]` in a function that runs on Modal and in the helpers it calls, and what libraries read by
    themselves (`boto3.client`, `s3fs`, `wandb.init`, `huggingface_hub.login` …), against the keys of its secrets
    (`required_keys=`, `from_dict`), its `env=` and the `.env()` of its image.  `os.getenv` and `os.environ.get` have
    an answer for what is not there, and are left out.
Why it matters
    A secret without the key shows as a KeyError when the line runs: after the image build, on the GPU.  With
    `required_keys` Modal refuses it when the app starts.
Example
    before   @app.function(secrets=[modal.Secret.from_name("wandb")])
    after    @app.function(secrets=[modal.Secret.from_name("wandb", required_keys=["WANDB_API_KEY"])])
Source
    modal 1.6.4 Secret.from_name; the libraries' own documentation of their variables.
"""

import ast
import re
from collections.abc import Iterator

from preflight.api import (
    Context,
    EnvironRead,
    Finding,
    Function,
    Recipe,
    SecretRef,
    Syntax,
    Unresolved,
    advice,
    base_of,
    counted,
    dotted,
    functions_of,
    is_secret_name,
    listed,
    rule,
    syntax_of,
    warning,
)

IN_CONTAINER = re.compile(
    r"^(?:PATH|HOME|PWD|USER|LANG|HOSTNAME|SHELL|TMPDIR|LD_LIBRARY_PATH|PYTHON\w*|MODAL_\w+|CUDA_\w+|NVIDIA_\w+"
    r"|RANK|LOCAL_RANK|WORLD_SIZE|MASTER_ADDR|MASTER_PORT|LOCAL_WORLD_SIZE|GROUP_RANK|SLURM_\w+)$"
)
SETS = frozenset({"os.environ.setdefault", "environ.setdefault", "os.putenv"})
UPDATES = frozenset({"os.environ.update", "environ.update"})


INSTEAD = {  # what makes a library look for no key, or for another
    "WANDB_API_KEY": ("WANDB_MODE", "WANDB_DISABLED"),
    "HF_TOKEN": ("HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH"),
    "AWS_ACCESS_KEY_ID": ("AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    "AWS_SECRET_ACCESS_KEY": ("AWS_PROFILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"),
}
SIGNS_IN = {"wandb.login": "WANDB_API_KEY", "huggingface_hub.login": "HF_TOKEN", "login": "HF_TOKEN"}
OPEN_SECRETS = frozenset({"from_dotenv", "recorded"})  # whose keys are not all known


def applies(recipe: Recipe) -> str:
    return counted(sum(len(needs) for _, needs in _needs(recipe)), "variable that code on Modal needs", NEEDED)


NEEDED = "variables that code on Modal needs"


def find(recipe: Recipe, context: Context) -> Iterator[Finding]:
    told = set()
    for function, needs in _needs(recipe):
        given = _given(function)
        if given is None:
            continue
        named = [s.name for s in function.secrets if isinstance(s, SecretRef) and s.name is not None]
        for read in needs:
            if {read.key, *INSTEAD.get(read.key, ())} & given or (read.key, read.where) in told:
                continue
            told.add((read.key, read.where))
            if named:
                yield _not_promised(function, read, named)
            elif _can_tell(function, read):
                yield warning(
                    f"{function.name} {_reads(read)}, and no secret, env= or .env() of its image sets it",
                    f'give it a secret that holds it: modal.Secret.from_name("…", required_keys=["{read.key}"])',
                    read.where,
                    why="the container does not have your shell's variables: it stops at this line, on the GPU",
                )


def _not_promised(function: Function, read: EnvironRead, named: list[str]) -> Finding:
    secrets = listed([f"{n!r}" for n in named])
    return advice(
        f"{function.name} {_reads(read)}; of its secrets ({secrets}) none promises it",
        f'name it: modal.Secret.from_name("{named[0]}", required_keys=["{read.key}"])',
        read.where,
        why="a secret without it is then refused when the app starts, and not found out on the GPU",
    )


def _reads(read: EnvironRead) -> str:
    how = f'os.environ["{read.key}"]' if read.is_required else f"{read.key} through {read.by}"
    return f"reads {how}"


def _needs(recipe: Recipe) -> list[tuple[Function, list[EnvironRead]]]:
    """For each function on Modal, what it can't do without; nothing where a .env file may hold it."""
    syntax = syntax_of(recipe.source)
    if syntax is None or any(dotted(c.func).endswith("load_dotenv") for c in syntax.every(ast.Call)):
        return []
    answered = _answered(syntax) | {r.key for r in recipe.environ_reads if r.by == "in os.environ"}
    answered |= {key for key, others in INSTEAD.items() if answered & set(others)}
    caught = {syntax.where(n) for n in syntax.every(ast.Subscript) if syntax.is_caught(n)}
    needed = [
        r
        for r in recipe.environ_reads
        if (r.is_required or (r.by[:2] != "os" and r.by != "in os.environ"))
        and r.key not in answered
        and not IN_CONTAINER.match(r.key)
        and r.where not in caught
    ]
    found = []
    for function in functions_of(recipe):
        if function.where.path != recipe.source.path or function.body is None:
            continue
        names = _reached(function.body, syntax)
        mine = [r for r in needed if r.inside and r.inside.split(".")[0] in names]
        if mine:
            found.append((function, mine))
    return found


def _answered(syntax: Syntax) -> set[str]:
    """Variables that the file's own code sets."""
    found: set[str] = set()
    for node in syntax.every(ast.Subscript):
        is_set = isinstance(node.ctx, ast.Store) and dotted(node.value) in ("os.environ", "environ")
        if is_set and isinstance(node.slice, ast.Constant):
            found.add(str(node.slice.value))
    for call in syntax.every(ast.Call):
        name = dotted(call.func)
        if name in SIGNS_IN and (call.args or call.keywords):
            found.add(SIGNS_IN[name])
        if name in SETS and call.args and isinstance(call.args[0], ast.Constant):
            found.add(str(call.args[0].value))
        elif name in UPDATES:
            found |= {k.arg for k in call.keywords if k.arg}
            for arg in call.args:
                keys = arg.keys if isinstance(arg, ast.Dict) else []
                found |= {str(k.value) for k in keys if isinstance(k, ast.Constant)}
    return found


def _reached(body: ast.AST, syntax: Syntax) -> set[str]:
    """The function's name and those of the file's own functions that it calls, and they in turn."""
    defs = {n.name: n for n in syntax.defs() if isinstance(syntax.parent(n), ast.Module)}
    found: set[str] = set()
    pending = [body]
    while pending:
        current = pending.pop()
        found.add(getattr(current, "name", ""))
        for node in ast.walk(current):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                called = defs.get(node.func.id)
                if called is not None and called.name not in found:
                    found.add(called.name)
                    pending.append(called)
    return found


def _given(function: Function) -> set[str] | None:
    """Variables that the function's container is said to have; None where the text leaves that open."""
    if function.call.has_spread or isinstance(function.call.kwargs.get("env"), Unresolved):
        return None
    names: set[str] = set()
    given = function.call.kwargs.get("env")
    if isinstance(given, dict):
        names |= {str(k) for k in given}
    for secret in function.secrets:
        if isinstance(secret, Unresolved) or secret.made_by in OPEN_SECRETS:
            return None
        names |= {*secret.keys, *secret.required_keys}
    if isinstance(function.images, Unresolved):
        return None
    for image in function.images or ():
        if not image.is_complete:
            return None
        for step in image.steps:
            if step.method == "env" and not step.is_complete:
                return None
            names |= set(step.env)
            if step.method == "dockerfile_commands" and "ENV " in str(step.args):
                return None
    return names


def _can_tell(function: Function, read: EnvironRead) -> bool:
    """Nobody but a secret gives a credential; another variable may stand in a base image that was not read."""
    if is_secret_name(read.key):
        return not any(s.made_by == "from_dict" and not s.keys for s in function.secrets if isinstance(s, SecretRef))
    if isinstance(function.images, Unresolved):
        return False
    return all((base := base_of(image)) is not None and base.is_slim for image in function.images or ())


CHECK = rule(
    id="RES681",
    name="sto-environ-promised",
    title="the variables that the code needs are promised by its secrets, or set by its image",
    find=find,
    applies=applies,
)
