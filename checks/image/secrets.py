"""What reaches the image that should not, and from whom."""

import ast
import itertools
import re
from collections.abc import Callable, Iterator

from preflight.api import (
    Call,
    Finding,
    Findings,
    Link,
    Recipe,
    Subject,
    Where,
    advice,
    app,
    build,
    error,
    facts,
    rule,
    warning,
)
from preflight.redact import is_secret_name
from preflight.rules.subjects import LAYERS, PIP_INSTALLS, SHELL_STRINGS, WHEELS, Install, Package, syntax

FETCHERS = frozenset({"curl", "wget"})
SHELLS = frozenset({"sh", "bash", "zsh", "dash", "python", "python3"})
COPIED = "keys of this machine reach the container, or the image"
PLAIN = re.compile(r"http://(?!localhost\b|127\.|\[::1\])")
KEYWORDS = ("index_url", "extra_index_url", "find_links")
VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)")
IN_URL = re.compile(r"https?://[^\s/\"']*\$\{?([A-Za-z_]\w*)\}?[^\s/\"']*@")
LOGINS = re.compile(
    r"\b(?:huggingface-cli|hf(?:\s+auth)?|wandb|docker|gh\s+auth|npm|aws)\b.*\b(?:login|configure|set)\b"
)
Say = Callable[..., Finding]
REMEDY = "give it to the step or the function with secrets=[…], and write it nowhere"
WHY = "the layer is kept and shared, with the secret in it"
OWNER = re.compile(r"^https?://(?:github\.com|raw\.githubusercontent\.com)/([^/]+/[^/]+)/")


@rule("IMG852", SHELL_STRINGS)
def sec_curl_pipe_sh(recipe: Recipe, string: tuple[Link, tuple[app.ShellCommand, ...]]) -> Findings:
    """No build step runs a script from the network without a check.

    Looks at: `curl` or `wget` piped into sh, bash or python in the build's shell strings.
    Why it matters: The script may be another one tomorrow. The image can't be built again as it was, and whoever owns
        the address runs code in it.
    Example:
        before   image.run_commands("curl -LsSf https://astral.sh/uv/install.sh | sh")
        after    image.pip_install("uv==0.9.11")
    How to fix: Install a pinned package, or check the script's digest before it runs.
    Source: modal.com/docs/guide/images: layers are cached by the text of the command, not by what it fetched.
    """
    for command, following in itertools.pairwise(string[1]):
        fetcher, shell = build.program_of(command)[0], build.program_of(following)[0]
        if command.operator == "|" and fetcher in FETCHERS and shell in SHELLS:
            yield advice(
                f"a script from the network is piped into {shell}",
                "install a pinned package, or check the script's digest before it runs",
                command.where,
            )


def _copies(recipe: Recipe) -> Iterator[tuple[Call, str]]:
    """Calls whose local path is written out in the call."""
    for call in recipe.calls:
        if call.name in ("modal.Image.add_local_dir", "modal.Image.add_local_file") and isinstance(call.node, ast.Call):
            keywords = [k.value for k in call.node.keywords if k.arg == "local_path"]
            for node in [*keywords, *call.node.args[:1]]:
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield call, node.value


@rule("IMG851", Subject(_copies, "local path"))
def sec_local_secrets_copied(recipe: Recipe, copy: tuple[Call, str]) -> Findings:
    """Local secrets are not copied along with the code.

    Looks at: `add_local_dir(".")` without `ignore=`, and `add_local_file` of a `.env` file.
    Why it matters: The folder where `modal run` is started holds `.env`, `.git` and keys. They go into the container,
        and with copy=True into the image, where everybody of the workspace can read them.
    Example:
        before   image.add_local_dir(".", remote_path="/root/project")
        after    image.add_local_dir(".", remote_path="/root/project", ignore=[".env", ".git", ".venv"])
    How to fix: Add `ignore=[".env", ".git", ".venv"]`, or name the folders that are needed. Give variables with
        `modal.Secret.from_dotenv()`.
    Source: modal.com/docs/guide/images, add local files; modal.com/docs/guide/secrets.
    """
    call, path = copy
    chooses = "ignore" in call.kwargs or call.has_spread or len(call.args) > 2
    if call.name.endswith("dir") and path in (".", "./") and not chooses:
        yield warning(
            f"add_local_dir({path!r}) takes everything in the folder, .env and .git too",
            'add ignore=[".env", ".git", ".venv"], or name the folders that are needed',
            call.where,
            why=COPIED,
        )
    elif call.name.endswith("file") and path.rsplit("/", 1)[-1] == ".env":
        yield warning(
            f"add_local_file({path!r}) puts the values of .env into the container as a file",
            "use secrets=[modal.Secret.from_dotenv()]",
            call.where,
            why=COPIED,
        )


@rule("IMG853", PIP_INSTALLS)
def sec_plain_index(recipe: Recipe, install: Install) -> Findings:
    """Packages come over an encrypted connection.

    Looks at: Package indexes and pages of links that begin with http://, and --trusted-host. Those of this machine are
        left out.
    Why it matters: Anybody between the index and the builder can replace a package, and setup.py runs in the build.
    Example:
        before   image.pip_install("torch", index_url="http://mirror.example.com/simple")
        after    image.pip_install("torch", index_url="https://mirror.example.com/simple")
    How to fix: Use the index's https:// address.
    Source: pip's own documentation: pip install, --trusted-host.
    """
    pip, step = install.pip, install.step
    urls = [*install.urls, *pip.find_links, *(p.url for p in pip.packages if p.url)]
    trusted = "--trusted-host" if "--trusted-host" in pip.options else ""
    source = next((u for u in urls if PLAIN.match(u)), trusted)
    if source:
        keyword = next((k for k in KEYWORDS if PLAIN.search(str(step.kwargs.get(k)))), "extra_options")
        yield warning(
            f"{source}: what pip gets can be changed on the way",
            "use an https:// address",
            install.where if step.shell else app.argument_where(recipe, step, keyword),
            why="a changed package runs its setup.py in the build, with the build's secrets",
        )


@rule("IMG840", LAYERS)
def sec_secret_in_image_layer(recipe: Recipe, link: Link) -> Findings:
    """No secret is built into a layer of the image.

    Looks at: `.env()` variables that speak of a secret and get their value from the environment or the configuration;
        shell strings that put one in from an f-string, or that write one down: `git clone https://$TOKEN@…` without a
        later `git remote set-url` to a clean address, `git config`, `huggingface-cli login --token`, `wandb login`, `>
        file`.
    Why it matters: Layers are kept and shared in the workspace: everybody who can use the image can read the secret,
        and a new one does not replace it.
    Example:
        before   image.env({"HF_TOKEN": os.environ["HF_TOKEN"]})
        after    @app.function(image=image, secrets=[modal.Secret.from_name("huggingface")])
    How to fix: Give the secret to the step or the function with `secrets=[…]`, and write it nowhere.
    Source: modal.com/docs/guide/secrets; modal.com/docs/guide/images, build steps take secrets= too.
    """
    node = link.step.node
    if node is not None and link.step.where.path == recipe.source.path:
        for say, name, where in _from_python(syntax(recipe), link.step, node):
            yield say(f"the value of {name} goes into a layer", REMEDY, where, why=WHY)
    for command in link.step.shell:
        names = [n for n in VARIABLE.findall(command.text) if is_secret_name(n)]
        if names and _writes(command, link.shell_after(command)):
            words = " ".join(command.words[:3])
            yield warning(f"`{words} …` writes ${names[0]} into the layer", REMEDY, command.where, why=WHY)


def _from_python(tree: app.Syntax, step: app.Step, node: ast.Call) -> Iterator[tuple[Say, str, Where]]:
    """The secrets that f-strings and the variables of `.env()` put in; certain where the environment is read."""
    if step.method != "env":
        for part in ast.walk(node):
            names = [_secret_of(tree, v) for v in part.values] if isinstance(part, ast.JoinedStr) else []
            if any(names):
                yield warning, next(filter(None, names)), tree.where(part)
        return
    dicts = [each for each in ast.walk(node) if isinstance(each, ast.Dict)]
    pairs = [pair for each in dicts for pair in zip(each.keys, each.values, strict=True)]
    written = {app.text_of(key): (key, value) for key, value in pairs if key is not None}
    for name in filter(is_secret_name, {**step.env, **written}):
        key, value = written.get(name, (node, None))
        where = tree.where(key) if value is not None else step.where
        if is_secret_name(app.read_from(step.env.get(name))):
            yield error, name, where
        elif value is not None and _is_read(tree, value):
            yield warning, name, where


def _is_read(tree: app.Syntax, value: ast.expr) -> bool:
    """Whether the value comes from outside the file: the environment, a settings object."""
    sources = build.sources_of(tree, value)
    return isinstance(value, ast.Attribute) or any(app.environ_variable(inner) is not None for inner in sources)


def _secret_of(tree: app.Syntax, value: ast.expr) -> str:
    """The name of a secret that a piece of an f-string puts in; "" for none."""
    if isinstance(value, ast.FormattedValue) and _is_read(tree, value.value):
        for inner in build.sources_of(tree, value.value):
            name = inner.attr if isinstance(inner, ast.Attribute) else app.text_of(inner)
            if is_secret_name(name):
                return name
    return ""


def _writes(command: app.ShellCommand, later: tuple[app.ShellCommand, ...]) -> bool:
    text, words = " ".join(command.words), command.words
    if words[:1] != ("git",) or not IN_URL.search(text):
        is_echoed = "echo" in words and any(r.startswith(">") for r in command.redirects)
        return is_echoed or LOGINS.search(text) is not None
    if "config" in words or "set-url" in words:
        return "--system" in words or not any("--unset" in c.words for c in later)
    return "clone" in words and not any(
        ("set-url" in c.words and not IN_URL.search(" ".join(c.words))) or ".git" in " ".join(c.words)
        for c in later
        if c.words[:1] in (("git",), ("rm",)) and "clone" not in c.words
    )


@rule("IMG530", WHEELS)
def sec_third_party_wheel(recipe: Recipe, package: Package) -> Findings:
    """Compiled wheels come from the project that wrote them.

    Looks at: Addresses of wheels with a torch tag on GitHub, in a repository that is not the extension's own.
    Why it matters: A binary of a private account runs with your data and your secrets, and it can be replaced at any
        time.
    Example:
        before   .pip_install("https://github.com/someone/flash-attention-wheels/releases/…/flash_attn-….whl")
        after    the project's own release page, or the same file with its hash: …whl#sha256=<digest>
    How to fix: Take the project's own file, or add `#sha256=<digest>` to the address.
    Source: Release pages of mamba, causal-conv1d, flash-attention
    """
    url, wheel = package.package.url or "", package.wheel
    owner = OWNER.match(url)
    row = facts.extension(wheel.name) if wheel is not None and wheel.torch is not None else None
    if owner is None or row is None or "#sha256=" in url or owner[1].lower() in {r.lower() for r in row.repos}:
        return
    yield advice(
        f"the wheel of {row.name} comes from {owner[1]}, not from {row.repos[0]}",
        "take the project's own file, or add #sha256=<digest> to the address",
        package.where,
    )
