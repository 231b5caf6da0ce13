"""The training loop; in plain Python where torch is not installed."""

import json
import math
import random
from pathlib import Path


def fit(epochs: int, data: Path, results: Path, resume: bool) -> list[float]:
    """The mean loss of every epoch; prints one line an epoch."""
    print(f"data: {sum(1 for _ in data.rglob('*.npz')) if data.is_dir() else 'no mount'}", flush=True)
    try:
        import torch  # noqa: F401
    except ImportError:
        print("torch is not installed here: a logistic regression in plain Python stands in", flush=True)
        return _fit_plain(epochs, results)
    return _fit_torch(epochs, results, resume)


def _fit_plain(epochs: int, results: Path, samples: int = 400, width: int = 8) -> list[float]:
    rng = random.Random(0)
    truth = [rng.gauss(0, 1) for _ in range(width)]
    rows = [[rng.gauss(0, 1) for _ in range(width)] for _ in range(samples)]
    labels = [float(_dot(truth, row) > 0) for row in rows]
    weights, history = [0.0] * width, []
    for epoch in range(1, epochs + 1):
        total = 0.0
        for row, label in zip(rows, labels, strict=True):
            p = 1 / (1 + math.exp(-_dot(weights, row)))
            total -= math.log(max(p if label else 1 - p, 1e-9))
            weights = [w + 0.1 * (label - p) * x for w, x in zip(weights, row, strict=True)]
        history.append(total / samples)
        print(f"epoch {epoch}/{epochs} loss {history[-1]:.4f}", flush=True)
    _keep(results, history)
    return history


def _dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _fit_torch(epochs: int, results: Path, resume: bool) -> list[float]:
    import torch

    from seizure.model import Detector

    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    steps = 50 if device == "cuda" else 2
    model = Detector().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    checkpoint, history = results / "last.pt", []
    if resume and checkpoint.is_file():
        saved = torch.load(checkpoint, map_location=device)
        model.load_state_dict(saved["model"])
        optimizer.load_state_dict(saved["optimizer"])
        history = saved["history"]
        print(f"resumed after epoch {len(history)}", flush=True)
    for epoch in range(len(history) + 1, epochs + 1):
        total = 0.0
        for _ in range(steps):
            x = torch.randn(16, 256, 19, device=device)
            y = (x[..., 0].mean(dim=1) > 0).float()
            loss = torch.nn.functional.binary_cross_entropy_with_logits(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        history.append(total / steps)
        print(f"epoch {epoch}/{epochs} loss {history[-1]:.4f} on {device}", flush=True)
        if results.is_dir():
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "history": history}
            torch.save(state, checkpoint)
    _keep(results, history)
    return history


def _keep(results: Path, history: list[float]) -> None:
    if results.is_dir():
        (results / "history.json").write_text(json.dumps(history))
    else:
        print(f"{results} is not mounted: nothing is kept", flush=True)
