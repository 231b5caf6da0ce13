"""The guard in a training loop: real torch on the CPU, stand-ins that launch what the kernels would."""

from __future__ import annotations

import ast
import importlib.util
import json
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

from preflight import guard as guard_file
from preflight.probe.expected import table

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "preflight/report/schemas/preflight.guard-1.json").read_text("utf-8"))


def test_it_imports_the_standard_library_and_torch_and_parses_as_python_3_9():
    text = Path(guard_file.__file__).read_text("utf-8")
    tree = ast.parse(text, feature_version=(3, 9))
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert names - sys.stdlib_module_names == {"torch"}


def test_its_kernels_are_those_of_the_table_and_its_least_speeds_half_of_the_healthy_ones():
    for block, (forward, backward) in guard_file.KERNELS.items():
        row, _ = table().row(block, "2.3.2.post1")
        assert row is not None
        assert set(forward) <= {*row.scan_forward, *row.conv_forward}
        assert set(backward) <= {*row.scan_backward, *row.conv_backward}
    assert set(guard_file.KERNELS) == {b.name for b in table().blocks}
    healthy = tomllib.loads((ROOT / "preflight/probe/health.toml").read_text("utf-8"))["gpu"]
    for name, least in guard_file.LEAST_TFLOPS.items():
        assert any(name in row["name"] and row["tflops"] == least * 2 for row in healthy), name


@pytest.fixture
def torch(monkeypatch):
    found = pytest.importorskip("torch", reason="pip install torch: the CPU build is enough")
    for name in [n for n in sys.modules if n.partition(".")[0] == "mamba_ssm"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(Path(__file__).with_name("standins")))
    return found


@pytest.fixture
def train(torch, capsys):
    """Runs steps under the guard; the records it wrote, and the GuardStop that ended them, if one did."""

    def run(net, steps=6, x=None, loss=None, **options):
        watched = guard_file.guard(net, health=False, **options)
        best = torch.optim.SGD(net.parameters(), lr=1e-3)
        stop = None
        try:
            for _ in range(steps):
                best.zero_grad()
                y = watched(torch.randn(1, 4, 16) if x is None else x)
                value = net.preflight_guard.loss(y.square().mean() if loss is None else loss(y))
                value.backward()
                best.step()
            net.preflight_guard.end()
        except guard_file.GuardStop as e:
            stop = e
        lines = [t for t in capsys.readouterr().err.splitlines() if t.startswith("preflight.guard {")]
        records = [json.loads(t.partition(" ")[2]) for t in lines]
        for record in records:
            jsonschema.validate(record, SCHEMA)
        return records, stop

    return run


def net_of(torch, is_lost=lambda step: False, poison=None):
    from mamba_ssm import Mamba

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.block, self.conv = Mamba(16), torch.nn.Conv1d(16, 16, 3, padding=1, groups=16)
            self.step = 0

        def forward(self, x):
            self.step += 1
            if is_lost(self.step):
                return self.conv(x.transpose(1, 2)).transpose(1, 2)
            y = self.block(x)
            if poison is not None:
                y.register_hook(poison)
            return y + 0 * self.conv(x.transpose(1, 2)).transpose(1, 2)

    return Net()


@pytest.mark.torch
def test_a_healthy_run_goes_on_and_says_once_what_it_saw(torch, train):
    records, stop = train(net_of(torch), steps=11, total_steps=1000, hours=24)
    assert stop is None
    assert [r["verdict"] for r in records] == ["watched", "paced"]
    assert records[0]["blocks"]["block"] == {"block": "Mamba", "calls": 4}
    assert records[0]["traced"][0]["kernels"]["selective_scan_bwd_kernel"] == 1
    assert records[1]["step_s"] > 0


@pytest.mark.torch
def test_a_block_that_is_never_called_stops_the_run_in_its_first_steps(torch, train):
    records, stop = train(net_of(torch, lambda step: True))
    assert stop is not None
    assert stop.code == guard_file.EXIT_CODE == records[-1]["exit"]
    assert "none of its 1 Mamba blocks is called" in str(stop)


@pytest.mark.torch
def test_a_fallback_that_takes_over_later_stops_the_run_within_three_steps(torch, train):
    records, stop = train(net_of(torch, lambda step: step > 7), steps=20)
    assert stop is not None
    assert records[-1]["findings"][0] == {"kind": "fallback", "said": records[-1]["findings"][0]["said"], "step": 10}
    assert "is not called any more since step 8" in str(stop)


@pytest.mark.torch
def test_a_kernel_that_does_not_launch_is_named_with_what_was_due(torch, train, monkeypatch):
    net = net_of(torch)
    monkeypatch.setattr(sys.modules["mamba_ssm"], "launch", lambda *names: None)
    _, stop = train(net)
    assert "selective_scan_fwd_kernel launched 0 times in step 1, due 1: Mamba" in str(stop)


@pytest.mark.torch
def test_gradients_and_losses_that_are_not_finite_stop_the_run(torch, train):
    _, stop = train(net_of(torch, poison=lambda g: g * float("nan")))
    assert "gradients are not finite in step 1" in str(stop)
    _, stop = train(net_of(torch), loss=lambda y: y.mean() / 0)
    assert "the loss is not finite in step 1" in str(stop)


@pytest.mark.torch
def test_a_pace_that_does_not_fit_the_hours_stops_the_run_with_its_numbers(torch, train):
    records, stop = train(net_of(torch), steps=12, total_steps=10**9, hours=24)
    assert stop is not None
    assert records[-1]["findings"][0]["kind"] == "pace"
    assert "1000000000 steps at" in str(stop)
    assert "the run has 24" in str(stop)


@pytest.mark.torch
def test_warn_only_says_it_once_and_goes_on_and_the_line_is_kept_in_the_file(torch, train, tmp_path):
    out = tmp_path / "guard.jsonl"
    records, stop = train(net_of(torch, lambda step: step > 5), steps=14, warn_only=True, out=str(out))
    assert stop is None
    assert [r["verdict"] for r in records] == ["watched", "warned"]
    assert [json.loads(line)["verdict"] for line in out.read_text().splitlines()] == ["watched", "warned"]


@pytest.mark.torch
def test_nothing_of_the_traces_is_left_on_the_parameters_and_the_users_own_hooks_stay(torch, train):
    net, seen = net_of(torch), []
    net.block.D.register_hook(seen.append)
    _, stop = train(net, steps=6)
    assert stop is None
    left = {name: p._backward_hooks for name, p in net.named_parameters() if p._backward_hooks is not None}
    assert list(left) == ["block.D"]
    assert len(seen) == 6


@pytest.mark.torch
def test_validation_passes_are_no_steps(torch, train):
    net = net_of(torch)
    guard_file.guard(net, health=False)
    net.eval()
    with torch.no_grad():
        net(torch.randn(1, 4, 16))
    assert net.preflight_guard.step == 0


@pytest.mark.torch
def test_a_loop_is_guarded_batch_by_batch_and_without_a_gpu_the_run_does_not_start(torch):
    net = net_of(torch)
    batches = [torch.randn(1, 4, 16)] * 3
    assert len(list(guard_file.guard(batches, model=net, health=False, warn_only=True))) == 3
    if not torch.cuda.is_available():
        with pytest.raises(guard_file.GuardStop, match="torch reaches no GPU"):
            next(guard_file.guard(batches, model=net_of(torch)))


def test_it_can_be_copied_alone(tmp_path):
    copy = tmp_path / "my_guard.py"
    copy.write_text(Path(guard_file.__file__).read_text("utf-8"))
    spec = importlib.util.spec_from_file_location("my_guard", copy)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.EXIT_CODE == guard_file.EXIT_CODE
