"""What Modal's cache of layers keeps, and what breaks it."""

import ast
import itertools
import re
from collections.abc import Iterator

from preflight.api import Call, Findings, Link, Recipe, Where, advice, app, build, rule, warning
from preflight.app.syntax import Def
from preflight.rules.subjects import IMAGE_CALLS, LAYERS, LINKS, syntax

CHANGES = re.compile(
    r"^(?:time\.(?:time|time_ns|strftime|ctime|monotonic)|(?:datetime\.)?datetime\.(?:now|utcnow|today)|date\.today"
    r"|datetime\.date\.today|uuid\.uuid[14]|uuid[14]|random\.\w+|secrets\.token_\w+|os\.getpid|os\.urandom"
    r"|randint|np\.random\.\w+)$"
)
OF_A_JOB = re.compile(
    r"COMMIT|(?:^|_)SHA(?:$|_)|RUN_(?:ID|NUMBER|ATTEMPT)|BUILD_(?:ID|NUMBER|URL)|JOB_ID|TIMESTAMP|BUILDKITE_"
    r"|GITHUB_(?:SHA|RUN)|SESSION_ID"
)
GIT = re.compile(r"\bgit\b.*\b(?:rev-parse|describe|log)\b|^(?:rev-parse|describe)$")
WORDS = re.compile(
    r"cache[-_ ]?(?:bust|break|inval|version|key)|\bbust\b|force[-_ ]?(?:re)?build|\brebuild\b|signature"
    r"|build[-_ ]?(?:id|stamp|version|date)|image[-_ ]?version|\b20\d\d-\d\d-\d\d\b",
    re.IGNORECASE,
)
ECHOING = LINKS.only(lambda k: k.step.method in ("run_commands", "env"), "layer of variables or commands")
MOVES = re.compile(r"^(?:main|master|edge|dev|develop|stable)$|(?:^|[-_.])(?:latest|nightly)(?:[-_.]|$)")
FROM_REGISTRY = LINKS.only(lambda k: k.n == 0 and k.step.method == "from_registry", "registry base")
FETCHED = re.compile(r"\b(?:snapshot_download|hf_hub_download|from_pretrained|hub\.load|load_model)\b")
FILES = re.compile(r"\.(?:safetensors|ckpt|gguf|pth|pt|bin|onnx)\b")
FETCHERS = frozenset({"wget", "curl", "aria2c", "gdown", "aws", "gsutil"})
RUNNING = LINKS.only(lambda k: k.step.method in ("run_commands", "run_function"), "build step that runs something")


@rule("IMG800", LAYERS)
def cac_env_per_run(recipe: Recipe, link: Link) -> Findings:
    """No layer changes with every run.

    Looks at: `.env()`, and the f-strings of `run_commands` and `dockerfile_commands`: the time, random numbers, uuids,
        the git commit, and environment variables of a CI job. A stable build setting read with `os.environ.get` and a
        branch's name are left out.
    Why it matters: A layer is cached by its text: one that is new each time is built again, with every layer after it.
    Example:
        before   image.env({"GIT_SHA": os.environ["GITHUB_SHA"]}).pip_install("torch")
        after    @app.function(image=image, env={"GIT_SHA": os.environ.get("GITHUB_SHA", "")})
    How to fix: Give the value to the function, with `env=` or a Secret, or put the layer after everything else.
    Source: modal.com/docs/guide/images, caching; FastVideo 90d3bd19 moved such variables out.
    """
    node, method = link.step.node, link.step.method
    if node is None or link.step.where.path != recipe.source.path:
        return
    parts: list[tuple[ast.expr, str]] = []
    for arg in [*node.args, *(k.value for k in node.keywords if k.arg in ("vars", "env"))]:
        if method == "env" and isinstance(arg, ast.Dict):
            shown = [repr(k.value) if isinstance(k, ast.Constant) else "a variable" for k in arg.keys]
            parts += [(value, f".env {name}") for name, value in zip(shown, arg.values, strict=True)]
        else:
            parts.append((arg, f".{method}"))
    for part, name in parts:
        what = _changing(syntax(recipe), part)
        if what:
            yield warning(
                f"{name} holds {what}: the layer is new with every run",
                "give it to the function, with env= or a Secret, or put it after everything else",
                syntax(recipe).where(part),
                why="this layer and all after it are built again each time, extensions included",
            )


def _changing(tree: app.Syntax, node: ast.expr) -> str:
    """What in the expression is another with every run; "" for nothing."""
    sources = [*build.sources_of(tree, node)]
    called = {app.dotted(n.func) for n in sources if isinstance(n, ast.Call)}
    bodies = (ast.walk(d) for d in tree.defs() if d.name in called and tree.is_import_time(d))  # of the file's own
    for inner in itertools.chain(sources, *bodies):
        variable = app.environ_variable(inner)
        if variable and OF_A_JOB.search(variable):
            return f"the job's variable {variable}"
        name = app.dotted(inner.func) if isinstance(inner, ast.Call) else ""
        if CHANGES.match(name):
            return f"{name}()"
        if name.startswith("subprocess.") and any(GIT.search(str(c.value)) for c in app.strings_in(inner)):
            return "the git commit"
    return ""


@rule("IMG810", IMAGE_CALLS)
def cac_force_build_left(recipe: Recipe, call: Call) -> Findings:
    """No `force_build=True` is left behind.

    Looks at: `force_build=True` on any image step, `from_registry` included. A named flag that is False is left out.
    Why it matters: The step and all after it are built on every run, extensions included. It does not make pip compile
        a wheel: for that there is `--no-binary`, or the package's own *_FORCE_BUILD variable.
    Example:
        before   image.pip_install("mamba-ssm", force_build=True)
        after    image.pip_install("mamba-ssm")
    How to fix: Leave `force_build=True` out, or set MODAL_FORCE_BUILD=1 for the one run that needs it.
    Source: modal.com/docs/guide/images, "Forcing an image to rebuild"; brain-go-brr 1272c4f1 took it for a compile
        flag.
    """
    if call.kwargs.get("force_build") is True:
        yield warning(
            f"force_build=True on {call.name.rsplit('.', 1)[-1]}: it and all after it are built on every run",
            "leave it out, or set MODAL_FORCE_BUILD=1 for the one run that needs it",
            app.keyword_where(recipe, call, "force_build"),
            why="minutes of building before every run; a compiled extension takes 10 to 40",
            fix=app.keyword_dropped(recipe.source, call, "force_build", is_safe=True),
        )


@rule("IMG821", ECHOING)
def cac_manual_cache_bust(recipe: Recipe, link: Link) -> Findings:
    """No step stands there only to break the cache.

    Looks at: `echo` alone in a string of `run_commands`, and variables of `.env()`, whose words are about a cache, a
        rebuild, a version or a date.
    Why it matters: All after it is built again whenever somebody edits the text, extensions included, and the file does
        not tell why.
    Example:
        before   image.run_commands("echo cache-bust-v9").run_commands("git clone https://github.com/x/y")
        after    image.run_commands("git clone https://github.com/x/y && cd y && git checkout 1f2e3d4")
    How to fix: Pin what has to be new (a commit, a version), or use `force_build=True` for one run.
    Source: modal.com/docs/guide/images, caching; what is meant is a pin, or force_build=True for one run.
    """
    found = []
    for command in link.step.shell:
        text = " ".join(command.words[1:])
        is_alone = command.operator == "" and not command.redirects
        if command.words[:1] == ("echo",) and is_alone and WORDS.search(text):
            found.append((f"`echo {text[:40]}`", command.where))
    found += [(f".env {key}", app.word_where(recipe, link.step, key)) for key in link.step.env if WORDS.search(key)]
    for what, where in found:
        yield advice(
            f"{what} does nothing but make the layer new",
            "pin what has to be new (a commit, a version), or use force_build=True for one run",
            where,
        )


@rule("IMG820", FROM_REGISTRY)
def cac_mutable_tag(recipe: Recipe, link: Link) -> Findings:
    """The base image's tag always means the same image.

    Looks at: The tag of `from_registry`: none, `latest`, `nightly` and the like, without a digest.
    Why it matters: Modal caches what the tag meant on the first build. Elsewhere, or after force_build, it is another
        image.
    Example:
        before   modal.Image.from_registry("vllm/vllm-openai:latest")
        after    modal.Image.from_registry("vllm/vllm-openai:v0.11.0")   # or …@sha256:…
    How to fix: Name a version, or the digest (`…@sha256:…`).
    Source: modal.com/docs/guide/existing-images.
    """
    tag = build.tag_of(link.image) or ""
    version = tag.rsplit("/", 1)[-1].partition(":")[2]
    if tag and "@sha256:" not in tag and (not version or MOVES.search(version)):
        yield warning(
            f"the base {tag} " + (f"has the moving tag {version!r}" if version else "has no tag: it means latest"),
            "name a version, or the digest (…@sha256:…)",
            app.argument_where(recipe, link.step, "tag", 0),
            why="the cached layer and the next full build are different images",
        )


@rule("IMG822", RUNNING)
def cac_weights_in_image(recipe: Recipe, link: Link) -> Findings:
    """Model weights are kept in a Volume, not in the image.

    Looks at: Build steps that fetch weights: `run_function` of a function that calls `snapshot_download`,
        `from_pretrained` and the like without `volumes=`, and shell commands that download them.
    Why it matters: Every change before the step downloads them again, and each container start pulls a layer of
        gigabytes.
    Example:
        before   image.run_function(download_model)
        after    @app.function(volumes={"/models": modal.Volume.from_name("models", create_if_missing=True)})
                 def download_model(): …
    How to fix: Download the weights once into a Volume that the functions mount.
    Source: modal.com/docs/guide/model-weights.
    """
    for what, where in _fetched(link.step):
        yield advice(
            f"{link.step.method} puts model weights into the image ({what})",
            "download them once into a Volume that the functions mount",
            where,
        )


def _fetched(step: app.Step) -> Iterator[tuple[str, Where]]:
    for command in step.shell:
        name, words = build.program_of(command)
        if name in ("huggingface-cli", "hf") and "download" in words[:2]:
            yield f"{name} download", command.where
        elif name in FETCHERS and FILES.search(command.text):
            yield name, command.where
        elif name.startswith("python") and (found := FETCHED.search(command.text)):
            yield found[0], command.where
    node = getattr(step.args[0], "node", None) if step.args else None
    if isinstance(node, Def) and "volumes" not in step.kwargs and (found := FETCHED.search(ast.unparse(node))):
        yield f"{node.name} calls {found[0]}", step.where
