"""A plugin outside the tree: type-checked as its author would, and run from an installed wheel."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from preflight import api
from preflight.testing import findings
from tests.conftest import REPOSITORY, Preflight

PLUGIN = REPOSITORY / "tests" / "data" / "plugin"
APP = 'import modal\n\napp = modal.App("a")\n\n\n@app.function(gpu="H100")\ndef f(): ...\n'


def run(*words: str | Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run([sys.executable, *map(str, words)], capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
    return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that pip has installed the plugin's wheel into."""
    folder = tmp_path_factory.mktemp("plugin")
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text("utf-8"))["project"]
    stem = f"{project['name'].replace('-', '_')}-{project['version']}"
    points = "".join(f"{k} = {v}\n" for k, v in project["entry-points"]["preflight.checks"].items())
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as made:
        for file in sorted(PLUGIN.glob("house_rules/*")):
            if file.is_file():
                made.write(file, f"house_rules/{file.name}")
        info = f"{stem}.dist-info"
        made.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
        made.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{info}/entry_points.txt", f"[preflight.checks]\n{points}")
        made.writestr(f"{info}/RECORD", "")
    site = folder / "site"
    run("-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile", "--target", site, wheel)
    return site


def test_its_author_can_check_its_types_strictly() -> None:
    cache = REPOSITORY / ".mypy_cache" / "plugin"  # its options are others than those of our own run
    command = ("-m", "mypy", "--strict", "--config-file", "", "--python-version", "3.11", "--cache-dir", cache)
    run(*command, "--follow-imports", "silent", PLUGIN / "house_rules")


def test_installed_it_is_listed_explained_and_asked(installed: Path, preflight: Preflight, tmp_path: Path) -> None:
    path = {"PYTHONPATH": f"{installed}:{REPOSITORY}"}
    (tmp_path / "app.py").write_text(APP, "utf-8")
    listed = {row["id"]: row for row in json.loads(preflight("list", "--json", env=path).out)["checks"]}
    assert listed["HSE010"]["title"] == "GPU functions name the region where the house's data lies"
    assert "How to fix\n    Wait for January." in preflight("explain", "house-freeze", env=path).out
    linted = preflight("lint", "app.py", cwd=tmp_path, env=path)
    assert "f has a GPU and does not run in us-east" in linted.out, linted.out + linted.err


def test_its_rule_is_tested_with_a_source_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PLUGIN))
    from house_rules.house_region import house_region  # type: ignore[import-not-found]

    [found] = findings(house_region, APP)
    assert (found.where.line, found.remedy) == (6, 'add region="us-east"')
    assert findings(house_region, APP.replace('gpu="H100"', 'gpu="H100", region="us-east"')) == ()


def test_a_check_costs_its_author_no_other_room() -> None:
    code = "import sys; from preflight.api import Check; print(sum(m.startswith('preflight') for m in sys.modules))"
    assert int(run("-c", code).stdout) < 15


RENAMED = ("cuda_dotted", "version_number", "Ending", "FORETOLD", "foretold")  # bound by a facade itself


def names(module: ModuleType) -> set[str]:
    """What the module hands on: its imports of the form ``x as x``, and what it binds itself."""
    tree = ast.parse(Path(module.__file__ or "").read_text("utf-8"))
    nodes = [*ast.walk(tree)]
    handed_on = {a.asname for n in nodes if isinstance(n, ast.ImportFrom) for a in n.names if a.asname == a.name}
    own = {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and not n.name.startswith("_")}
    return handed_on | own | {name for name in vars(module) if name in RENAMED}


def test_every_name_of_the_api_is_there() -> None:
    assert {n for n in names(api) if getattr(api, n, None) is None} == set()
    assert 40 < len(names(api)) < 60
    for facade in api.FACADES:
        module = getattr(api, facade)
        assert {n for n in names(module) if getattr(module, n, None) is None} == set()
        assert names(module) <= {n for n in dir(module) if not n.startswith("_")}


def test_a_name_that_was_published_stays() -> None:
    published = tomllib.loads((Path(__file__).parent / "api.toml").read_text("utf-8"))
    for room, kept in published.items():
        module = api if room == "api" else getattr(api, room)
        assert [n for n in kept if n not in names(module)] == []
