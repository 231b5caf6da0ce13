"""What a decorator asks for, and whether its trainer resumes: every word of the answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from preflight.app import reader
from preflight.cost.keeping import Keeping, Resumes, keeping_of
from preflight.cost.resources import NotSaid, gpu_named, resources_of
from preflight.model import Where
from tests.cost.test_keeping import kept
from tests.kept import assert_kept

# --- what the decorator asks for -------------------------------------------------------------------------------------

HEAD = "import modal\napp = modal.App('x')\n"
DECORATORS: dict[str, str] = {
    "nothing": "",
    "a GPU": "gpu='a100'",
    "several GPUs": "gpu=['H100:8', 'A100-80GB:2']",
    "no such GPU count": "gpu='H100:0'",
    "an open GPU": "gpu=g()",
    "cores and memory": "cpu=2.5, memory=4096",
    "the least cores": "cpu=0.01",
    "limits": "cpu=(1, 4), memory=(1024, 8192)",
    "a limit of memory alone": "memory=(1024, 8192)",
    "a limit of cores alone": "cpu=(1, 4)",
    "open cores": "cpu=c()",
    "open memory": "memory=m()",
    "disk": "ephemeral_disk=524288",
    "disk that costs less than the memory": "ephemeral_disk=20480, memory=2048",
    "disk, a fraction": "ephemeral_disk=2048.5",
    "disk that is on": "ephemeral_disk=True",
    "open disk": "ephemeral_disk=d()",
    "disk in words": "ephemeral_disk='1'",
    "a timeout": "timeout=7200",
    "the longest timeout": "timeout=86400",
    "a timeout that is too long": "timeout=90000",
    "an open timeout": "timeout=t()",
    "retries": "retries=3",
    "no retries": "retries=0",
    "retries below none": "retries=-2",
    "open retries": "retries=r()",
    "a region": "region='us'",
    "a region and no preemption": "region='us', nonpreemptible=True",
    "preemption": "nonpreemptible=False",
    "kept warm": "min_containers=1",
    "kept warm in two ways": "keep_warm=2, buffer_containers=1",
    "none kept warm": "min_containers=0",
}
CLUSTERS = {
    "a cluster": "@modal.experimental.clustered(size=4)\n",
    "a cluster by place": "@modal.experimental.clustered(2)\n",
    "a cluster of one": "@modal.experimental.clustered(1)\n",
    "a cluster of none": "@modal.experimental.clustered(0)\n",
    "an open cluster": "@modal.experimental.clustered(n())\n",
    "a cluster of true": "@modal.experimental.clustered(True)\n",
    "a cluster of nothing": "@modal.experimental.clustered()\n",
}
LATER = {
    "options at a call": "train.with_options(gpu='B200', timeout=5, max_containers=2).remote()",
    "options that cost nothing": "train.with_options(max_containers=2).remote()",
    "open options": "train.with_options(**more()).remote()",
}


def requested(decorator: str, above: str = "", below: str = "") -> str:
    text = f"{HEAD}@app.function({decorator})\n{above}def train():\n    pass\n\n\ndef main():\n    {below or 'pass'}\n"
    recipe = reader.read(Path("app.py"), project=Path(), content=text.encode())
    try:
        return repr(resources_of(recipe.functions[0], recipe=recipe))
    except NotSaid as e:
        return f"NotSaid: {e}"


def test_every_request_is_as_it_was_read_and_kept() -> None:
    rows = {name: requested(decorator) for name, decorator in DECORATORS.items()}
    rows |= {name: requested("gpu='H100'", above=above) for name, above in CLUSTERS.items()}
    rows |= {name: requested("gpu='H100'", below=below) for name, below in LATER.items()}
    assert_kept("requests", rows)


@pytest.mark.parametrize(
    ("written", "found"),
    [("A100-80GB", ("A100-80GB", 1)), ("h100:8", ("H100", 8)), ("H100!:64", ("H100", 64)), ("T4:1", ("T4", 1))],
)
def test_a_gpu_in_words(written: str, found: tuple[str, int]) -> None:
    assert gpu_named(written) == found


@pytest.mark.parametrize("written", ["", "H100:", "H100:0", "H100:65", "H100:99999", "two words", ":8"])
def test_what_names_no_gpu_is_refused_in_words(written: str) -> None:
    with pytest.raises(NotSaid) as e:
        gpu_named(written)
    assert str(e.value) == f"{written!r} names no GPU; wanted like A100-80GB or H100:8"


# --- whether it resumes ----------------------------------------------------------------------------------------------

VOLUME = "@app.function(volumes={'/ckpt': vol})\n"
LOST = "def train(resume=True):\n    fit(resume)\n    torch.save(m, '/tmp/a.pt')\n    torch.save(m, '/tmp/b.pt')\n"
RUN = "def train():\n    import subprocess\n    subprocess.run({})\n"
TRAINERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "no mount": ("@app.function()\n", "def train():\n    pass\n", {}),
    "no mount, and it uploads": ("@app.function()\n", "def train(resume):\n    x.push_to_hub(resume)\n", {}),
    "a read-only Volume": (
        "@app.function(volumes={'/v': vol.read_only()})\n",
        "def train():\n    pass\n",
        {},
    ),
    "saved beside the mount": (VOLUME, LOST, {}),
    "saved in both": (VOLUME, LOST.replace("/tmp/b", "/ckpt/b"), {}),
    "saved beside a mount of nearly that name": (VOLUME, LOST.replace("/tmp/", "/ckpt2/"), {}),
    "saved at a relative place": (VOLUME, LOST.replace("/tmp/b", "b"), {}),
    "saved at an open place": (VOLUME, LOST.replace("'/tmp/b.pt'", "where"), {}),
    "saved in an open mount": ("@app.function(volumes={where(): vol})\n", LOST, {}),
    "saved in a mount with a slash": ("@app.function(volumes={'/tmp/': vol})\n", LOST, {}),
    "it resumes, and nothing saves": (VOLUME, "def train(resume):\n    fit(resume)\n", {}),
    "it saves": (VOLUME, "def train():\n    torch.save(m, '/ckpt/x')\n", {}),
    "it saves in a module": (
        VOLUME,
        "def train():\n    import loop\n",
        {"loop": "\n\nimport torch\ntorch.save(1, '/ckpt/x')\n"},
    ),
    "neither": (VOLUME, "def train():\n    pass\n", {}),
    "neither, in two files": (VOLUME, "def train():\n    import a, b\n", {"a": "", "b": ""}),
    "a script that is not there": (VOLUME, RUN.format("['python', 'fit.py']"), {}),
    "two scripts, of which the first is not there": (VOLUME, RUN.format("'python a.py; python b.py'"), {"b": ""}),
    "a script under /root": (VOLUME, RUN.format("['python', '/root/sub/fit.py']"), {"sub__fit": "resume_from = 1\n"}),
    "a script by its name alone": (VOLUME, RUN.format("['python', '/opt/fit.py']"), {"fit": "x.save_state()\n"}),
    "a module that is run": (VOLUME, RUN.format("['python', '-m', 'pkg.fit']"), {"pkg__fit": "x.save_state()\n"}),
    "a module that is not there": (VOLUME, RUN.format("['python', '-m', 'pkg.fit']"), {}),
    "a launcher of nothing known": (VOLUME, RUN.format("['accelerate launch', 'fit']"), {}),
    "a plain command": (VOLUME, RUN.format("['nvidia-smi']"), {}),
    "a module that does not parse": (VOLUME, "def train():\n    import loop\n", {"loop": "def (\n"}),
    "a module of src": (VOLUME, "def train():\n    from mine import loop\n", {"src__mine__loop": "load_checkpoint()"}),
    "a module that imports one": (VOLUME, "def train():\n    import a\n", {"a": "import b\n", "b": "x.save_state()\n"}),
    "an import at the top": ("import a\nimport b\n" + VOLUME, "def train():\n    a.go()\n", {"a": "x.save_state()\n"}),
    "an import at the top under another name": (
        "import a.c as z\n" + VOLUME,
        "def train():\n    z.go()\n",
        {"a__c": "x.save_state()\n"},
    ),
    "a part of a package at the top": (
        "import a.c\n" + VOLUME,
        "def train():\n    a.c.go()\n",
        {"a__c": "x.save_state()\n"},
    ),
    "an import at the top that is not used": ("import a\n" + VOLUME, "def train():\n    go()\n", {"a": "save_state()"}),
    "helpers of the file": (
        VOLUME,
        "def train():\n    one()\n\ndef one():\n    two()\n\ndef two():\n    s.save_state()\n",
        {},
    ),
    "a function of Modal's that it calls": (
        VOLUME,
        "def train():\n    other()\n\n@app.function()\ndef other():\n    s.save_state()\n",
        {},
    ),
    "a word that is off": (VOLUME, "def train():\n    fit(save_state=False, resume=None)\n", {}),
    "a word of a command": (VOLUME, RUN.format("['x', '--save-steps', '5', '--resume-from', 'y']"), {}),
    "a download that resumes": (VOLUME, "def train():\n    get(resume_download=True)\n    s.save_state()\n", {}),
    "off by default": (VOLUME, "def train(n, resume=False):\n    fit(resume)\n    s.save_state()\n", {}),
    "off by default, by its name": (
        VOLUME,
        "def train(n=1, *, a, resume_from=''):\n    fit(resume_from)\n    save()\n",
        {},
    ),
    "another word that is off": (VOLUME, "def train(n=0, resume=1):\n    fit(resume)\n    save()\n", {}),
}


def test_whether_it_resumes_is_told_as_it_was_read_and_kept(tmp_path: Path) -> None:
    rows = {}
    for n, (name, (above, body, files)) in enumerate(TRAINERS.items()):
        folder = tmp_path / str(n)
        folder.mkdir()
        found = kept(folder, body, above=above, **files)
        why = found.why.replace(str(folder), "…")
        rows[name] = f"{found.resumes}: {why} | {found.where} | {found.condition}"
    assert_kept("keeping", rows)


def test_a_package_is_read_from_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("load_checkpoint()\nx.save_state()\n", encoding="utf-8")
    found = kept(tmp_path, "def train():\n    import mine\n")
    where = Where("mine/__init__.py", 1)
    assert found == Keeping(Resumes.YES, "load_checkpoint in mine/__init__.py:1", where)


@pytest.mark.parametrize("over", ["MOST_FILES", "MOST_BYTES"])
def test_more_files_than_are_read_leave_it_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: str) -> None:
    body, files = "def train():\n    import a\n", {"a": "import b  \n", "b": "import os\n"}
    monkeypatch.setattr(f"preflight.cost.keeping.{over}", {"MOST_FILES": 2, "MOST_BYTES": 11}[over])
    assert kept(tmp_path, body, **files).resumes is Resumes.NO
    monkeypatch.setattr(f"preflight.cost.keeping.{over}", {"MOST_FILES": 1, "MOST_BYTES": 10}[over])
    found = kept(tmp_path, body, **files)
    file = {"MOST_FILES": "b.py", "MOST_BYTES": "a.py"}[over]
    assert found == Keeping(Resumes.UNKNOWN, f"{tmp_path / file} is not among the files that were read")


def test_an_app_that_was_not_parsed_has_nothing_to_follow(tmp_path: Path) -> None:
    content = f"{HEAD}vol = modal.Volume.from_name('v')\n{VOLUME}def train():\n    pass\n".encode()
    recipe = reader.read(tmp_path / "app.py", project=tmp_path, content=content)
    found = keeping_of(recipe.functions[0], recipe, tmp_path)
    assert found == Keeping(Resumes.NO, "nothing in train's body saves or resumes", recipe.functions[0].where)
    assert isinstance(found.where, Where)
