"""Any file is read, or said to be broken, in bounded time and memory; nothing of it raises."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from preflight.app import reader
from preflight.app.find import find_apps
from preflight.app.model import Recipe

HEAD = "import modal\n\napp = modal.App('x')\n"
TAIL = "\n\n@app.function(gpu='T4')\ndef last():\n    pass\n"
APP = HEAD + TAIL


def _read(folder: Path, content: str | bytes) -> Recipe:
    file = folder / "app.py"
    file.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return reader.read(file, project=folder)


READABLE = {
    "byte-order mark": b"\xef\xbb\xbf" + APP.encode(),
    "CRLF": APP.replace("\n", "\r\n").encode(),
    "CR alone": APP.replace("\n", "\r").encode(),
    "latin-1 with a coding line": b"# -*- coding: latin-1 -*-\n# caf\xe9\n" + APP.encode(),
    "form feeds": APP.replace("\n\n", "\n\f\n").encode(),
    "95 nested blocks": (HEAD + "".join(f"{' ' * n}if x:\n" for n in range(95)) + " " * 95 + "y = 1" + TAIL).encode(),
    "90 nested lists": (HEAD + "x = " + "[" * 90 + "]" * 90 + TAIL).encode(),
    "lone surrogates": (HEAD + "x = modal.Secret.from_name('\\ud800')" + TAIL).encode(),
}


@pytest.mark.parametrize("content", READABLE.values(), ids=READABLE)
def test_unusual_but_right_files_are_read(tmp_path: Path, content: bytes) -> None:
    recipe = _read(tmp_path, content)
    assert (recipe.broken, [f.name for f in recipe.functions]) == ("", ["last"])


BROKEN = {
    "UTF-16": APP.encode("utf-16"),
    "UTF-16 without a mark": APP.encode("utf-16-le"),
    "latin-1 without a coding line": b"# caf\xe9\n" + APP.encode(),
    "unknown coding": b"# -*- coding: nonsense -*-\n" + APP.encode(),
    "coding that is no text": b"# -*- coding: hex -*-\n" + APP.encode(),
    "coding that always fails": b"# -*- coding: undefined -*-\n" + APP.encode(),
    "null bytes": (HEAD + "\0" + TAIL).encode(),
    "nothing but null bytes": b"\0" * 10_000,
    "every byte": bytes(range(256)) * 40,
    "missing comma": (HEAD + "@app.function(gpu='T4' timeout=1)\ndef f(): ...\n").encode(),
    "syntax of the future": (HEAD + "x = modal ?? app\n").encode(),
    "5,000 parentheses": (HEAD + "x = " + "(" * 5000 + "1" + ")" * 5000 + TAIL).encode(),
    "20,000 minus signs": (HEAD + "x = " + "-" * 20_000 + "1" + TAIL).encode(),
    "20,000 attributes": (HEAD + "x = a" + ".b" * 20_000 + TAIL).encode(),
    "6 MB": b"#" * 6_000_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_what_python_would_not_read_is_said_to_be_broken(tmp_path: Path, content: bytes) -> None:
    recipe = _read(tmp_path, content)
    assert recipe.broken
    assert "\n" not in recipe.broken
    assert recipe.broken_at is not None
    assert (recipe.functions, recipe.images, recipe.calls) == ((), (), ())


def test_an_empty_file_is_no_app_and_not_broken(tmp_path: Path) -> None:
    recipe = _read(tmp_path, b"")
    assert (recipe.broken, recipe.is_modal_app) == ("", False)


def test_a_newer_python_is_read_where_this_one_can(tmp_path: Path) -> None:
    recipe = _read(tmp_path, HEAD + "type X = int\ndef g[T](x: T) -> T: ...\n" + TAIL)
    assert [f.name for f in recipe.functions] == (["last"] if sys.version_info >= (3, 12) else [])
    assert bool(recipe.broken) == (sys.version_info < (3, 12))


HEAVY = {
    "a text doubled 200 times": "x = 'a'\n" + "x = x + x\n" * 200,
    "a list doubled 200 times": "x = [1]\n" + "x = x + x\n" * 200,
    "lists of lists": "x = [1]\n" + "x = [x, x]\n" * 60 + "i = modal.Image.debian_slim().pip_install(x)\n",
    "dicts of dicts": "x = {'a': 1}\n"
    + "".join(f"x = {{'a{n}': x, 'b{n}': x}}\n" for n in range(60))
    + "@app.function(volumes=x)\ndef f(): ...\n",
    "lists of lists compared": "x = y = [1]\n" + "x = [x, x]\ny = [y, y]\n" * 60 + "z = x == y\n",
    "lists of lists as text": "x = [1]\n" + "x = [x, x]\n" * 60 + "y = str(x)\nz = f'{x}'\n",
    "joins": "x = 'ab'\n" + "x = x.join([x, x])\n" * 60,
    "replacements": "x = 'ab'\n" + "x = x.replace('a', x)\n" * 60,
    "formats": "x = '{0}'\n" + "x = '{0}{0}'.format(x)\n" * 60,
    "f-strings": "x = 'ab'\n" + "x = f'{x}{x}'\n" * 60,
    "repetitions": "x = 'ab' * 10**9\ny = [0] * 10**12\nz = 10**10**10\nw = 1 << 10**9\nv = 9 ** 9 ** 9\n",
    "padding": "x = '%1000000000d' % 1\ny = '{:1000000000}'.format(1)\nz = f'{1:1000000000}'\nw = 'a'.rjust(10**9)\n",
    "powers of powers": "x = 9\n" + "x = x ** 9\n" * 50,
    "nested loops": "i = modal.Image.debian_slim()\n"
    + "".join(f"{' ' * n}for a{n} in range(60):\n" for n in range(6))
    + "      i = i.env({'A': '1'})\n",
    "nested comprehension": "x = [1 " + " ".join(f"for a{n} in range(60)" for n in range(6)) + "]\n",
    "60 conditions on an image": "i = modal.Image.debian_slim()\n"
    + "".join(f"if c{n}:\n    i = i.env({{'A{n}': '1'}})\n" for n in range(60))
    + "@app.function(image=i)\ndef f(): ...\n",
    "60 conditions on options": "o = {}\n"
    + "".join(f"if c{n}:\n    o['{n}'] = 1\n" for n in range(60))
    + "@app.function(**o)\ndef f(): ...\n",
    "a helper that calls itself": "def r(n): return r(n + 1) + r(n + 2)\n"
    "i = modal.Image.debian_slim().env({'x': r(0)})\n",
    "helpers that fan out": "def f0(): return [modal.Image.debian_slim()]\n"
    + "".join(f"def f{n}(): return [f{n - 1}(), f{n - 1}(), f{n - 1}()]\n" for n in range(1, 12))
    + "x = f11()\n",
    "a decorator that decorates with itself": "def d(f):\n    @d\n    def g(): ...\n    return g\n@d\ndef h(): ...\n",
    "a class that makes itself": "class A:\n    def __init__(self): self.x = A()\na = A()\n",
    "a property that asks itself": "class A:\n    @property\n    def x(self): return self.x\na = A().x\n",
    "a dict that holds itself": "d = {}\n" + "d['d'] = d\nd['e'] = d\n" * 50 + "@app.function(**d)\ndef f(): ...\n",
    "partials of partials": "from functools import partial\np = partial(app.function, gpu='T4')\n"
    + "p = partial(p, timeout=1)\n" * 500
    + "@p()\ndef f(): ...\n",
    "90,000 parentheses of shell": f"i = modal.Image.debian_slim().run_commands('{'(' * 90_000}')\n",
    "substitutions in substitutions": f"i = modal.Image.debian_slim().run_commands('{'$(' * 20_000}')\n",
    "5,000 heredocs": f"i = modal.Image.debian_slim().run_commands('{'cat <<A ' * 5000}')\n",
    "a continued line of blanks": "i = modal.Image.debian_slim().run_commands('a" + " " * 100_000 + "b')\n",
    "500 links": "i = modal.Image.debian_slim()" + ".env({'A': '1'})" * 200 + "\n",
}


def _read_in_a_child(file: Path) -> tuple[str, float]:
    """What the reading comes to, as text, and its seconds of processor time; "" where a bound ended the process."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (2 * 2**30, 2 * 2**30))
        recipe = reader.read(file, project=file.parent)
        os.write(into, f"{len(recipe.functions)} {len(recipe.unresolved)} {recipe.broken}".encode())
        os._exit(0)
    os.close(into)
    with os.fdopen(out, "rb") as lines:
        text = lines.read().decode()
    _, _, usage = os.wait4(child, 0)
    return text, usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("body", HEAVY.values(), ids=HEAVY)
def test_what_grows_without_bound_is_read_within_2_s_of_cpu_and_2_gib(tmp_path: Path, body: str) -> None:
    file = tmp_path / "app.py"
    file.write_text(HEAD + body + TAIL, "utf-8")
    text, seconds = _read_in_a_child(file)
    functions, unresolved, broken = text.split(" ", 2)
    assert broken == ""
    assert int(functions) or int(unresolved)  # the last function is found, or it is said that it may be missed
    assert seconds < 2


def test_what_is_past_a_bound_is_unresolved_and_what_follows_is_read(tmp_path: Path) -> None:
    body = "x = [1]\n" + "x = [x, x]\n" * 60 + "@app.function(timeout=30, secrets=x)\ndef f(): ...\n"
    recipe = _read(tmp_path, HEAD + body + TAIL)
    assert [(f.name, len(f.secrets)) for f in recipe.functions] == [("f", 1), ("last", 0)]
    assert recipe.functions[0].secrets[0].where.line > 0


def test_ten_thousand_lines_are_read_to_the_last(tmp_path: Path) -> None:
    body = "".join(f"def f{n}(x):\n    y = x + {n}\n    return [y, str(y)]\n\n" for n in range(2500))
    recipe = _read(tmp_path, HEAD + body + TAIL)
    assert recipe.functions[-1].where.line == recipe.source.text.count("\n") - 1
    assert recipe.unresolved == ()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_broken(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    assert isinstance(_read(tmp_path_factory.mktemp("bytes"), content), Recipe)


PIECES = st.sampled_from(
    "modal app image i x = . ( ) [ ] { } , : ** * + if else for in range(3) lambda def class import from as \n \n\n "
    "'a' f'{x}' 1 None True Image debian_slim pip_install function( @app.function( gpu= os.environ.get('A') or and not "
    '== is while try: except: with return yield \t # \\ ; ~ @ -> := 0x1 1e9 ... \' """'.split(" ")
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=40))
def test_any_text_of_python_words_is_read_or_broken(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    recipe = _read(tmp_path_factory.mktemp("words"), HEAD + " ".join(pieces))
    assert recipe.broken or recipe.is_modal_app  # HEAD makes one


H = 'import modal, os\napp = modal.App("x", image=modal.Image.debian_slim())\n'
LARGE = {  # no more than 2 s of this machine's time and 300 MB, whatever they hold
    "precision": 'X = "%.2000000000d" % 1\nY = "%(a)999999999d" % {"a": 1}\nZ = "%.999999999f" % 1.0\n',
    "format": 'X = ("{0}" * 30000).format("x" * 100000)\nY = "%s" * 30000 % (("x" * 100000,) * 30000)\n',
    "doubled lists": "X = [1]\n" + "X = [X, X]\n" * 400,
    "doubled names": "".join(f"a{i + 1} = (a{i}, a{i})\n" for i in range(60)).replace("a0", "'x'"),
    "conditions": "X = 'a'\n" + "".join(f"if os.environ.get('A{i}'):\n    X = X + 'b{i}'\n" for i in range(40)),
    "functions": "".join(f"def f{i}(a, b=2):\n    return a * {i}\n" for i in range(120_000)),
    "links": "image = modal.Image.debian_slim()" + ".pip_install('a')" * 5000 + "\n",
}


@pytest.mark.parametrize("name", LARGE)
def test_what_is_large_is_read_in_bounds_or_said_to_be_too_large(name: str) -> None:
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    recipe = reader.read(Path("app.py"), project=Path(), content=(H + LARGE[name]).encode())
    assert time.process_time() - began < 4
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    assert recipe.is_too_large is (name in ("functions", "links", "doubled lists"))


def test_many_shell_strings_are_cut_and_the_recipe_says_so() -> None:
    strings = ", ".join(f'"pip install a{i}"' for i in range(100))
    text = H + "image = modal.Image.debian_slim()" + f".run_commands({strings})" * 100 + "\n"
    recipe = reader.read(Path("app.py"), project=Path(), content=text.encode())
    assert recipe.is_too_large and not recipe.broken


@pytest.mark.parametrize("name", ["app.py", "helper.py", "req.txt"])
def test_a_fifo_at_a_path_is_no_file_and_blocks_nothing(name: str, tmp_path: Path) -> None:
    text = H + "import helper\nimage = modal.Image.debian_slim().pip_install_from_requirements('req.txt')\n"
    (tmp_path / "app.py").write_text(text)
    (tmp_path / name).unlink(missing_ok=True)
    os.mkfifo(tmp_path / name)
    if name == "app.py":
        with pytest.raises(OSError, match="not a regular file"):
            reader.read(tmp_path / "app.py", project=tmp_path)
    else:
        assert len(reader.read(tmp_path / "app.py", project=tmp_path).images) == 1
    assert find_apps(tmp_path) == (() if name == "app.py" else (tmp_path / "app.py",))


def test_links_that_go_round_are_no_file(tmp_path: Path) -> None:
    (tmp_path / "app.py").symlink_to(tmp_path / "other.py")
    (tmp_path / "other.py").symlink_to(tmp_path / "app.py")
    with pytest.raises(OSError):
        reader.read(tmp_path / "app.py", project=tmp_path)
    assert find_apps(tmp_path) == ()
