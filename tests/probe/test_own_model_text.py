"""The user's own model found in the project's text, and the arguments that are typed for it."""

from __future__ import annotations

import pytest

from preflight.probe.own_model import arguments, candidates, model_input, uses_half

MODEL = """
import torch
from mamba_ssm import Mamba2 as Block

class Layer(torch.nn.Module):
    def __init__(self, width):
        self.block = Block(width)

class Net(torch.nn.Module):
    def __init__(self, width, depth=2, *, classes):
        self.layers = [Layer(width) for _ in range(depth)]

class Head(torch.nn.Module):
    pass

def build(config):
    net = Net(config.width, classes=2)
    return net.cuda()

def train():
    net = build(None)
"""


def found(tmp_path, **files):
    for name, text in files.items():
        path = tmp_path / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [(c.name, c.wants) for c in candidates(tmp_path)]


def test_factories_come_first_then_the_outermost_class_and_blocks_without_mamba_do_not(tmp_path):
    assert found(tmp_path, src__net=MODEL) == [
        ("net:build", "config"),
        ("net:Net", "width, classes"),
        ("net:Layer", "width"),
    ]


def test_the_hook_is_the_first_wherever_it_stands(tmp_path):
    hook = "def preflight_model():\n    from pkg.net import Net\n    return Net(2), None\n"
    names = found(tmp_path, pkg__net=MODEL, zz=hook)
    assert names[0] == ("zz:preflight_model", "")
    assert candidates(tmp_path)[0].is_hook
    assert candidates(tmp_path)[0].command == "--model zz:preflight_model"


def test_what_to_type_names_the_arguments_without_a_default(tmp_path):
    found(tmp_path, net=MODEL)
    assert candidates(tmp_path)[0].command == "--model net:build --model-args 'config=…' --model-input 2x960x64"


@pytest.mark.parametrize("text", ["import torch\nclass Net: pass\n", "from mamba_ssm import Mamba2 (\n", ""])
def test_a_project_without_such_a_class_has_no_candidate(tmp_path, text):
    assert found(tmp_path, net=text) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("64", {"args": [64], "kwargs": {}}),
        ("d_model=64, layers=[1, 2]", {"args": [], "kwargs": {"d_model": 64, "layers": [1, 2]}}),
        ("config=@configs/base.json", {"args": [], "kwargs": {"config": {"file": "configs/base.json"}}}),
        ("@base.toml, name='a, b'", {"args": [{"file": "base.toml"}], "kwargs": {"name": "a, b"}}),
    ],
)
def test_arguments_are_literals_and_files(text, wanted):
    assert arguments(text) == wanted


@pytest.mark.parametrize("text", ["d_model=", "os.getcwd()", "x=__import__('os')", "f(1)"])
def test_anything_else_is_refused_and_nothing_is_run(text):
    with pytest.raises(ValueError, match="wanted Python literals"):
        arguments(text)


def test_an_input_is_a_shape_with_a_dtype():
    assert model_input("2x960x64") == {"shape": [2, 960, 64], "dtype": "float32"}
    assert model_input("2x960:int64") == {"shape": [2, 960], "dtype": "int64"}
    with pytest.raises(ValueError, match="wanted a shape"):
        model_input("big")


def test_float16_is_probed_where_the_text_speaks_of_it(tmp_path):
    (tmp_path / "train.py").write_text("import torch\nx = torch.bfloat16\n")
    assert not uses_half(tmp_path)
    (tmp_path / "train.py").write_text("import torch\nscaler = torch.amp.GradScaler()\n")
    assert uses_half(tmp_path)


@pytest.mark.parametrize("text", ["1) + f(2", "**{'a': 1}", "{1, 2}", "b'x'", "1e999", "x=" + "(" * 3000, "f=@"])
def test_what_no_json_can_carry_is_refused_before_anything_is_started(text):
    with pytest.raises(ValueError, match="wanted Python literals"):
        arguments(text)


def test_an_at_sign_in_quotes_is_no_file():
    assert arguments("x='a@b', y=\"@c\"")["kwargs"] == {"x": "a@b", "y": "@c"}


def test_a_file_too_large_to_be_written_by_hand_is_not_read(tmp_path):
    (tmp_path / "net.py").write_text(MODEL + "#" * 1_000_000)
    assert candidates(tmp_path) == () and not uses_half(tmp_path)
