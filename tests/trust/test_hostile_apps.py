"""Files made to hang, to fill the memory or to break the reader: at most 2 s of CPU and 300 MB, and never exit 4."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trust.conftest import Forks
from tests.trust.table import Tally

MOST_S, MOST_MB, LONGEST_S = 2.0, 300.0, 90.0
HEAD = 'import os\nimport modal\napp = modal.App("x")\n'
END = "@app.function(image=modal.Image.debian_slim().run_commands(str(X)), timeout=3600)\ndef train(): ...\n"
ENV = "os.environ.get('A"
IMAGE = "@app.function(image=image, timeout=3600)\ndef train(): ...\n"
RUNS = f"{HEAD}image = modal.Image.debian_slim().run_commands('"


def doubled(start: str, step: str, times: int) -> str:
    return f"X = {start}\n" + f"X = {step}\n" * times


VALUES = {  # what X is
    "a text, doubled": doubled('"ab"', "X + X", 40),
    "a text, doubled in an f-string": doubled('"ab"', 'f"{X}{X}"', 60),
    "a text, doubled by %": doubled('"ab"', '"%s%s" % (X, X)', 60),
    "a text, doubled by format": doubled('"ab"', '"{0}{0}".format(X)', 60),
    "a text, doubled by join": doubled('"ab"', '"".join([X, X])', 60),
    "a text, times": doubled('"ab"', "X * 10", 40),
    "a list, doubled": doubled("[1]", "X + X", 60),
    "a list of itself": doubled("[1]", "[X, X]", 400),
    "a tuple of itself": doubled("(1,)", "(X, X)", 400),
    "a dict of itself": doubled("{1: 1}", "{1: X, 2: X}", 400),
    "a set of itself": doubled("frozenset([1])", "frozenset([X, (X,)])", 200),
    "a list, spread": doubled("[1]", "[*X, *X]", 60),
    "a dict, spread": doubled("{}", "{**X, **{str(i): i for i in range(9999)}}", 100),
    "a number, squared": doubled("7", "X * X", 60),
    "a number, to the power of itself": doubled("9", "X ** X", 5),
    "a number, shifted": doubled("1", "X << 1000000", 50),
    "in place": "X = 'ab'\n" + "X += X\n" * 60,
    "width by %": 'X = "%2000000000d" % 1',
    "precision by %": 'X = "%.2000000000d" % 1',
    "precision of a float": 'X = "%.999999999f" % 1.0',
    "width by name": 'X = "%(a)999999999d" % {"a": 1}',
    "width by star": 'X = "%*d" % (999999999, 1)',
    "width by format": 'X = "{:>999999999}".format(1)',
    "width by a field of a field": 'X = "{0:{1}}".format(1, 10**9)',
    "width in an f-string": 'X = f"{1:>999999999}"',
    "width from a name": 'N = 10**9\nX = f"{1:>{N}}"',
    "width by format()": 'X = format(1, ">999999999")',
    "many fields": 'X = ("{0}" * 30000).format("x" * 100000)',
    "many %": 'X = ("%s" * 30000) % (("x" * 100000,) * 30000)',
    "ljust": 'X = "x".ljust(10**9)',
    "center": 'X = "x".center(10**9)',
    "zfill": 'X = "1".zfill(10**9)',
    "expandtabs": 'X = "\\t\\t".expandtabs(10**9)',
    "replace": 'X = ("x" * 100000).replace("x", "y" * 100000)',
    "replace of nothing": 'X = ("x" * 100000).replace("", "y" * 100000)',
    "join": 'X = ("y" * 100000).join("x" * 100000)',
    "translate": 'X = ("x" * 100000).translate({120: "y" * 100000})',
    "split": 'X = ("x " * 5000000).split()',
    "times": 'X = "x" * 10**10',
    "times of bytes": 'X = b"x" * 10**10',
    "times of a list": "X = [0] * 10**9",
    "bytes()": "X = bytes(10**10)",
    "list(range())": "X = list(range(10**10))",
    "tuple(range())": "X = tuple(range(10**9))",
    "sum(range())": "X = sum(range(10**10))",
    "sorted(range())": "X = sorted(range(10**9))",
    "max of a comprehension": "X = max(i for i in range(10**9))",
    "a comprehension": "X = [i for i in range(10**9)]",
    "comprehensions in comprehensions": "X = [[[k for k in range(999)] for j in range(999)] for i in range(999)]",
    "a product of comprehensions": "X = [(i, j, k) for i in range(999) for j in range(999) for k in range(999)]",
    "a dict comprehension": "X = {i: 'x' * 999 for i in range(10**8)}",
    "a shift": "X = 1 << 10**10",
    "a power": "X = 10 ** 10 ** 10",
    "a tower": "X = 9 ** 9 ** 9 ** 9",
    "pow()": "X = pow(7, 10**10)",
    "str of a large number": "X = str(10 ** 1000000)",
    "int of a long text": 'X = int("9" * 10**7)',
    "a factorial": "import math\nX = math.factorial(10**7)",
    "repr of nested lists": "X = [1]\n" + "X = [X]\n" * 5000 + "X = repr(X)",
    "a path of paths": 'from pathlib import Path\nX = Path("a")\n' + "X = X / X\n" * 60,
    "an endless loop": "X = 1\nwhile True:\n    X += 1",
    "an endless loop that appends": "X = []\nwhile True:\n    X.append(X)",
    "loops in loops": "X = 0\nR = range(60)\nfor i in R:\n    for j in R:\n        for k in R:\n            X += 1",
    "a loop over much": "X = ''\nfor i in range(10**9):\n    X += 'x'",
    "a function that calls itself": "def f(n): return f(n + 1)\nX = f(0)",
    "a function that calls itself twice": "def f(n): return f(n - 1) + f(n - 1) if n else 'x'\nX = f(60)",
    "functions that call each other": "def f(n): return g(n)\ndef g(n): return f(n)\nX = f(1)",
    "functions, each of which calls the last twice": "def f0(): return 'x'\n"
    + "".join(f"def f{n}(): return f{n - 1}() + f{n - 1}()\n" for n in range(1, 60))
    + "X = f59()",
    "a lambda of itself": "f = lambda f: f(f)\nX = f(f)",
    "itertools": "import itertools\nX = list(itertools.count())",
    "a tree of ifs": "X = 'a'\n" + "".join(f"if os.environ.get('A{n}'):\n    X = X + '{n}'\n" for n in range(60)),
    "a tree of ifs and elses": "X = 'a'\n"
    + "".join(f"if os.environ.get('A{n}'):\n    X = X + 'a'\nelse:\n    X = 'b' + X\n" for n in range(60)),
    "a tree of ternaries": "X = 'a'\n" + "".join(f"X = X + 'b' if os.environ.get('A{n}') else X\n" for n in range(60)),
    "a tree of ors": "X = 'a'\n" + "".join(f"X = (os.environ.get('A{n}') or 'b') + X\n" for n in range(60)),
    "a tree of tries": "X = 'a'\n"
    + "".join(f"try:\n    X = X + open('{n}')\nexcept OSError:\n    X += 'b'\n" for n in range(60)),
    "a tree of matches": "X = 'a'\n"
    + "".join(f"match {ENV}{n}'):\n  case '1':\n    X = X + 'a'\n  case _:\n    X += 'b'\n" for n in range(60)),
    "ifs in ifs": "X = 'a'\n" + "".join(f"{' ' * n}if {ENV}{n}'):\n{' ' * (n + 1)}X = X + 'a'\n" for n in range(80)),
    "ternaries in ternaries": "X = " + "'a' if os.environ.get('A') else (" * 80 + "'b'" + ")" * 80,
    "2,000 elifs": "X = 0\n"
    + f"if {ENV}'):\n    X = 1\n" + "".join(f"elif {ENV}{n}'):\n    X = {n}\n" for n in range(2000)),
}  # fmt: skip
FILES: dict[str, str | bytes] = {
    "5 MB of functions": HEAD + "def f(a, b=1, *c, **d):\n    return [a, b, c, d]\n" * 100_000,
    "2,000 functions": HEAD + "".join(f"@app.function(timeout={n + 1})\ndef f{n}(x): return x\n" for n in range(2000)),
    "2,000 functions, one image": HEAD
    + 'image = modal.Image.debian_slim().pip_install("torch")\n'
    + "".join(f"@app.function(image=image, timeout={n + 1})\ndef f{n}(x): return x\n" for n in range(2000)),
    "2,000 shell strings": HEAD
    + "image = modal.Image.debian_slim()\n"
    + "".join(f'image = image.run_commands("pip install torch=={n} && (cd /x; make) | tee {n}")\n' for n in range(2000))
    + IMAGE,
    "one call of 2,000 shell strings": HEAD
    + f"image = modal.Image.debian_slim().run_commands({[f'pip install a{n} && make' for n in range(2000)]})\n"
    + IMAGE,
    "20,000 packages": HEAD
    + f"image = modal.Image.debian_slim().pip_install({[f'package-{n}=={n}' for n in range(20000)]})\n"
    + IMAGE,
    "1,000 images": HEAD
    + "".join(f'i{n} = modal.Image.debian_slim().pip_install("torch=={n}")\n' for n in range(1000))
    + "".join(f"@app.function(image=i{n})\ndef f{n}(): ...\n" for n in range(1000)),
    "loops of a shell": HEAD
    + "image = modal.Image.debian_slim().run_commands('"
    + "for i in a b; do " * 60
    + "pip install torch"
    + "; done" * 60
    + "')\n"
    + IMAGE,
    "60 by 60 by 60 loops of a shell": HEAD
    + "image = modal.Image.debian_slim().run_commands('"
    + "".join(f"for {v} in {' '.join(map(str, range(60)))}; do " for v in "ijk")
    + "pip install torch==$i.$j.$k; done; done; done')\n"
    + IMAGE,
    "braces of a shell": RUNS + "pip install " + "{a,b}" * 60 + "')\n" + IMAGE,
    "substitutions of a shell": HEAD
    + "image = modal.Image.debian_slim().run_commands('X=a; "
    + "X=$X$X; " * 60
    + "pip install $X')\n"
    + IMAGE,
    "a shell in a shell": RUNS + "sh -c $(" * 500 + "')\n" + IMAGE,
    "quotes of a shell": RUNS + '"`$((' * 5000 + "')\n" + IMAGE,
    "a long shell string": RUNS + "a && " * 100_000 + "b')\n" + IMAGE,
    "here documents": RUNS + "''" + "cat <<A\nx\n" * 3000 + "''')\n" + IMAGE,
    "10,000 brackets": HEAD + "X = " + "(" * 10_000 + ")" * 10_000,
    "90 lists": HEAD + "X = " + "[" * 90 + "]" * 90 + "\n" + END,
    "minuses": HEAD + "X = " + "-" * 50_000 + "1\n" + END,
    "nots": HEAD + "X = " + "not " * 50_000 + "1\n" + END,
    "pluses": HEAD + "X = " + "+".join(["1"] * 100_000) + "\n" + END,
    "texts beside each other": HEAD + "X = (" + "'a' " * 100_000 + ")\n" + END,
    "attributes": HEAD + "X = app" + ".a" * 20_000 + "\n" + END,
    "calls of calls": HEAD + "X = f" + "()" * 20_000 + "\n" + END,
    "a chain of 3,000 steps": HEAD + "image = modal.Image.debian_slim()" + '.env({"A": "1"})' * 3000 + "\n" + IMAGE,
    "lambdas of lambdas": HEAD + "X = " + "lambda: " * 5000 + "1\n" + END,
    "decorators": HEAD + "@app.function()\n" * 5000 + "def train(): ...\n",
    "classes in classes": HEAD + "".join(f"{' ' * n}class A{n}:\n" for n in range(95)) + " " * 95 + "x = 1\n",
    "functions in functions": HEAD + "".join(f"{' ' * n}def f{n}():\n" for n in range(95)) + " " * 95 + "return 1\n",
    "f-strings in f-strings": HEAD + "X = f'{f\"{1}\"}'\n" * 20_000 + END,
    "a line of 5 MB": HEAD + "X = '" + "x" * 5_000_000 + "'\n" + END,
    "a comment of 10 MB": HEAD + "#" + "x" * 10_000_000 + "\n" + END,
    "a million empty lines": HEAD + "\n" * 1_000_000 + IMAGE,
    "a million comments": HEAD + "# x\n" * 1_000_000,
    "100,000 keys": HEAD + "X = {" + ", ".join(f"'k{n}': {n}" for n in range(100_000)) + "}\n" + END,
    "100,000 assignments": HEAD + "".join(f"x{n} = {n}\n" for n in range(100_000)),
    "50,000 reads of variables": HEAD + "".join(f"x = os.environ.get('A{n}')\n" for n in range(50_000)),
    "6,000 secrets": HEAD
    + f"@app.function(secrets=[{', '.join(['modal.Secret.from_name(chr(97))'] * 6_000)}])\ndef f(): ...\n",
    "NUL": HEAD.encode() + b"\0" * 1000,
    "bytes that are no text": HEAD.encode() + bytes(range(256)) * 1000,
    "UTF-16": (HEAD + IMAGE).encode("utf-16"),
    "a codec that does not exist": b"# -*- coding: nonsense -*-\n" + HEAD.encode(),
    "a codec that runs": b"# -*- coding: rot13 -*-\n" + HEAD.encode(),
    "UTF-7": b"# -*- coding: utf-7 -*-\n" + HEAD.encode(),
    "IDNA, which is slow": b"# -*- coding: idna -*-\n" + HEAD.encode() + b"#" + b"a" * 100_000,
    "unicode_escape": b"# -*- coding: unicode_escape -*-\n" + HEAD.encode() + b"\\n" * 10_000,
    "only carriage returns": (HEAD + IMAGE).replace("\n", "\r") * 1000,
    "form feeds": HEAD + "\f" * 100_000 + IMAGE,
    "backslashes": HEAD + "\\\n" * 100_000 + IMAGE,
    "dedents": HEAD + "".join(" " * (n % 90) + "if 1:\n" for n in range(20_000)),
    "an unending text": HEAD + "X = '''" + "x\n" * 500_000,
    "a number of a million digits": HEAD + "X = " + "9" * 1_000_000 + "\n" + END,
    "names of a million characters": HEAD + "x" * 1_000_000 + " = 1\n" + END,
    "ignores": HEAD + "x = 1  # preflight: ignore[A*,B-]\n" * 50_000,
    "an import of itself": HEAD + "from app import X, image\nimport app as other\n" + END,
}  # fmt: skip


def siblings(folder: Path) -> None:
    (folder / "app.py").write_text(HEAD + "".join(f"from m{n} import *\n" for n in range(200)) + END, "utf-8")
    for n in range(200):
        (folder / f"m{n}.py").write_text(f"from m{(n + 1) % 200} import *\nimport modal\nX = [m{n}] * 10**9\n", "utf-8")


def fifo(name: str, text: str = HEAD + IMAGE) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / "app.py").write_text(text, "utf-8")
        (folder / name).unlink(missing_ok=True)
        os.mkfifo(folder / name)

    return make


def loop(folder: Path) -> None:
    (folder / "app.py").symlink_to("app.py")
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")


def deep(folder: Path) -> None:
    (folder / "app.py").write_text(HEAD + IMAGE, "utf-8")
    (folder / "around").symlink_to(".")
    (folder / "up").symlink_to("..")
    for n in range(300):
        (folder / "many" / f"d{n}").mkdir(parents=True)
        (folder / "many" / f"d{n}" / "app.py").write_text("import modal\n", "utf-8")


def large(name: str, line: str, times: int, app: str = HEAD + IMAGE) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / "app.py").write_text(app, "utf-8")
        (folder / name).write_text(line * times, "utf-8")

    return make


NAMED = HEAD + 'image = modal.Image.debian_slim().pip_install_from_requirements("requirements.txt")\n' + IMAGE
FOLDERS: dict[str, Callable[[Path], object]] = {
    "200 siblings in a circle": siblings,
    "a FIFO": fifo("app.py"),
    "a FIFO beside it": fifo("other.py"),
    "a FIFO as its requirements": fifo("requirements.txt", NAMED),
    "a FIFO as its lock": fifo("uv.lock"),
    "a FIFO as its Makefile": fifo("Makefile"),
    "a FIFO as its module": fifo("helper.py", HEAD + "from helper import image\n" + IMAGE),
    "a FIFO as its Dockerfile": fifo("Dockerfile", f'{HEAD}image = modal.Image.from_dockerfile("Dockerfile")\n{IMAGE}'),
    "a device": lambda folder: (folder / "app.py").symlink_to("/dev/zero"),
    "a device as its requirements": lambda folder: (
        (folder / "app.py").write_text(NAMED, "utf-8"), (folder / "requirements.txt").symlink_to("/dev/zero")),
    "a folder": lambda folder: (folder / "app.py").mkdir(),
    "links that go round": loop,
    "folders that go round": deep,
    "requirements that go round": large("requirements.txt", "-r requirements.txt\n", 1000, NAMED),
    "requirements of 50 MB": large("requirements.txt", "torch==2.5.1 ; python_version > '3'\n", 1_400_000, NAMED),
    "a lock of 40 MB": large("uv.lock", '[[package]]\nname = "a"\nversion = "1"\n', 1_000_000),
    "settings of 5 MB": large("pyproject.toml", "# x\n", 1_250_000),
    "a .env of 20 MB": large(".env", "A=1\n", 5_000_000),
}  # fmt: skip


def attack(light: Forks, tally: Tally, folder: Path, *words: str, files: int = 1, **environ: str) -> None:
    """``files`` are the apps that it looks at: each of many costs some more.  On a machine that is busy with something
    else the CPU's time is longer, too: what is over the limit is tried once more.
    """
    most_s = MOST_S + 0.03 * (files - 1)
    for _ in range(2):
        ended = light(folder, *words, limit_s=LONGEST_S, HOME=str(folder / "home"), **environ)
        if ended.code is not None and ended.cpu_s < most_s:
            break
    is_bad = ended.code not in (0, 1, 2, 3) or ended.cpu_s > most_s or ended.mb > MOST_MB or "Traceback" in ended.err
    tally.add(is_bad, seconds=ended.cpu_s, mb=ended.mb)
    assert not is_bad, (ended.code, ended.cpu_s, ended.mb, ended.err[-2000:])


@pytest.mark.parametrize("name", VALUES)
def test_a_value_that_grows_is_not_made(light: Forks, tmp_path: Path, tally: Tally, name: str) -> None:
    (tmp_path / "app.py").write_text(f"{HEAD}{VALUES[name]}\n{END}", encoding="utf-8")
    attack(light, tally, tmp_path, "lint", "app.py")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_large_deep_or_no_text_is_read_in_time_or_too_large(
    light: Forks, tmp_path: Path, tally: Tally, name: str
) -> None:
    content = FILES[name]
    (tmp_path / "app.py").write_bytes(content if isinstance(content, bytes) else content.encode())
    attack(light, tally, tmp_path, "lint", "app.py")


@pytest.mark.parametrize("command", [("lint", "."), ("run", "--stage", "static", "app.py")])
@pytest.mark.parametrize("name", FOLDERS)
def test_what_is_no_file_or_goes_round_keeps_nobody_waiting(
    light: Forks, tmp_path: Path, tally: Tally, name: str, command: tuple[str, ...]
) -> None:
    FOLDERS[name](tmp_path)
    files = len(list(tmp_path.rglob("*.py"))) if command == ("lint", ".") else 1
    attack(light, tally, tmp_path, *command, files=files)


@pytest.mark.parametrize("command", [("list", "--discovered", "app.py"), ("estimate", "app.py"), ("init", "app.py")])
@pytest.mark.parametrize("name", ["a text, doubled", "a list of itself", "precision by %", "a tree of ifs"])
def test_other_commands_read_as_lint_does(
    light: Forks, tmp_path: Path, tally: Tally, name: str, command: tuple[str, ...]
) -> None:
    (tmp_path / "app.py").write_text(f"{HEAD}{VALUES[name]}\n{END}", encoding="utf-8")
    nobody = {"MODAL_SERVER_URL": "http://127.0.0.1:9", "MODAL_TOKEN_ID": "ak-1", "MODAL_TOKEN_SECRET": "as-1"}
    attack(light, tally, tmp_path, *command, **nobody)
