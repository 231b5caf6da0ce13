"""Trainers whose text shows, or does not show, that they go on where they were cut off."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.app import reader
from preflight.cost.keeping import Keeping, Resumes, keeping_of

HEAD = 'import modal\nimport torch\napp = modal.App("x")\nvol = modal.Volume.from_name("v")\n'
ON_VOLUME = '@app.function(gpu="H100", timeout=86400, volumes={"/ckpt": vol})\n'


def kept(tmp_path: Path, body: str, *, above: str = ON_VOLUME, **files: str) -> Keeping:
    for name, text in files.items():
        path = tmp_path / name.replace("__", "/")
        path = path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    app = tmp_path / "app.py"
    app.write_text(HEAD + above + body, encoding="utf-8")
    recipe = reader.read(app, project=tmp_path)
    return keeping_of(next(f for f in recipe.functions if f.name == "train"), recipe, tmp_path)


LOOP = "    for epoch in range(100):\n        loss = step(model)\n"
FORGETFUL = {
    "no mount at all": (
        "def train(resume=True):\n    fit(resume=resume)\n    torch.save(m, '/ckpt/last.pt')\n",
        "@app.function(gpu='H100')\n",
    ),
    "a mount that is read only": (
        "def train(resume=True):\n    fit(resume=resume)\n    torch.save(m, 'last.pt')\n",
        "@app.function(gpu='H100', volumes={'/d': modal.CloudBucketMount('b', read_only=True)})\n",
    ),
    "it neither saves nor resumes": (f"def train():\n{LOOP}", ON_VOLUME),
    "it saves and never resumes": (
        f"def train():\n{LOOP}        torch.save(model.state_dict(), '/ckpt/last.pt')\n",
        ON_VOLUME,
    ),
    "it loads pretrained weights, which is no resuming": (
        "def train():\n    model.load_state_dict(torch.load('/ckpt/base.pt'))\n"
        + LOOP
        + "    torch.save(model, '/ckpt/end.pt')\n",
        ON_VOLUME,
    ),
    "it resumes what nothing saves": (
        f"def train(resume=True):\n    if resume:\n        load(resume)\n{LOOP}",
        ON_VOLUME,
    ),
    "resuming is switched off where it is called": (
        "def train():\n    trainer.train(resume_from_checkpoint=False)\n    trainer.save_model('/ckpt')\n",
        ON_VOLUME,
    ),
    "a parameter that nothing reads": (f"def train(resume=True):\n{LOOP}    torch.save(m, '/ckpt/x.pt')\n", ON_VOLUME),
    "it saves beside the mount": (
        f"def train(resume=True):\n    start = 0 if not resume else 1\n{LOOP}    torch.save(m, '/tmp/last.pt')\n",
        ON_VOLUME,
    ),
    "only a comment speaks of it": (
        f"def train():\n    # resume from the last checkpoint: later\n{LOOP}    torch.save(m, '/ckpt/x.pt')\n",
        ON_VOLUME,
    ),
    "the Hugging Face trainer as it is": (
        "def train():\n    Trainer(args=TrainingArguments(save_steps=50)).train()\n",
        ON_VOLUME,
    ),
    "Lightning as it is": ("def train():\n    L.Trainer(callbacks=[ModelCheckpoint('/ckpt')]).fit(model)\n", ON_VOLUME),
}
SAVE = "    torch.save(m, '/ckpt/last.pt')\n"
RESUMING = {
    "a flag that is used": "def train(resume=True):\n    m = load('/ckpt/last.pt') if resume else new()\n" + SAVE,
    "its optimizer comes back": "def train():\n    optimizer.load_state_dict(torch.load('/ckpt/o.pt'))\n" + SAVE,
    "the Hugging Face trainer": "def train():\n    t.train(resume_from_checkpoint=True)\n    t.save_state()\n",
    "Lightning": "def train():\n    L.Trainer(callbacks=[ModelCheckpoint('/ckpt')]).fit(m, ckpt_path='last')\n",
    "a helper of the same file": "def train():\n    go()\n\ndef go():\n    m = load_checkpoint('/ckpt')\n" + SAVE,
    "a word of a command": (
        "def train():\n    import subprocess\n"
        "    subprocess.run(['python', 'fit.py', '--resume', '--ckpt', '/ckpt'], check=True)\n"
    ),
}


@pytest.mark.parametrize("name", FORGETFUL)
def test_a_trainer_that_starts_again_from_nothing_is_told(name: str, tmp_path: Path) -> None:
    body, above = FORGETFUL[name]
    found = kept(tmp_path, body, above=above)
    assert found.resumes is Resumes.NO, found
    assert found.why


@pytest.mark.parametrize("name", RESUMING)
def test_a_trainer_that_goes_on_is_told_with_the_place_that_shows_it(name: str, tmp_path: Path) -> None:
    found = kept(tmp_path, RESUMING[name])
    assert found.resumes is Resumes.YES, found
    assert found.where is not None and found.where.path == "app.py"


def test_the_projects_own_modules_are_read(tmp_path: Path) -> None:
    loop = "import torch\ndef fit(resume):\n    if resume:\n        pass\n    torch.save({}, '/ckpt/last.pt')\n"
    body = "def train():\n    from mine.loop import fit\n    fit(True)\n"
    found = kept(tmp_path, body, src__mine__loop=loop)
    assert found.resumes is Resumes.YES
    assert found.where is not None and (found.where.path, found.where.line) == ("src/mine/loop.py", 2)


def test_a_script_that_is_run_is_read(tmp_path: Path) -> None:
    body = "def train():\n    import subprocess\n    subprocess.run(['python', '/root/fit.py'], check=True)\n"
    found = kept(tmp_path, body, fit="import torch\ntorch.save({}, '/ckpt/x.pt')\n")
    assert found.resumes is Resumes.NO
    assert "fit.py" in found.why


def test_a_script_that_is_not_there_leaves_it_open(tmp_path: Path) -> None:
    found = kept(
        tmp_path, "def train():\n    import subprocess\n    subprocess.run(['torchrun', 'fit.py'], check=True)\n"
    )
    assert found.resumes is Resumes.UNKNOWN
    assert "fit.py" in found.why


def test_a_module_that_does_not_parse_leaves_it_open(tmp_path: Path) -> None:
    found = kept(tmp_path, "def train():\n    import loop\n    loop.fit()\n", loop="def fit(:\n")
    assert found.resumes is Resumes.UNKNOWN


def test_modules_that_import_each_other_are_read_once(tmp_path: Path) -> None:
    found = kept(tmp_path, "def train():\n    import a\n    a.fit()\n", a="import b\n", b="import a\n")
    assert found.resumes is Resumes.NO


def test_a_flag_that_is_off_by_default_is_a_condition(tmp_path: Path) -> None:
    body = "def train(epochs=1, *, resume=False):\n    m = load(resume)\n    torch.save(m, '/ckpt/last.pt')\n"
    assert "resume is given, which is False by default" in kept(tmp_path, body).condition


def test_a_flag_that_is_on_by_default_is_none(tmp_path: Path) -> None:
    body = "def train(resume=True):\n    m = load(resume)\n    torch.save(m, '/ckpt/last.pt')\n"
    assert kept(tmp_path, body).condition == ""


def test_a_file_outside_of_the_project_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text("def fit(resume):\n    print(resume)\n", encoding="utf-8")
    project = tmp_path / "project"
    project.mkdir()
    (project / "linked.py").symlink_to(tmp_path / "outside.py")
    found = kept(project, "def train():\n    import linked\n    linked.fit(1)\n    torch.save(m, '/ckpt/x')\n")
    assert found.resumes is Resumes.NO
