"""What an unchanged app takes, now and on an earlier day, from an index on this machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from click.testing import CliRunner
from packaging.requirements import Requirement
from packaging.version import Version

from preflight.app import reader
from preflight.build.announced import concerns
from preflight.cli.radar import lock_command, radar_command
from preflight.facts.load import shipped_rows
from preflight.facts.refresh.renew import table_text
from preflight.facts.types import BREAKS
from preflight.model import Severity
from preflight.radar.resolve import Budget, NotResolved, Place, Taken, resolve
from preflight.remote.index.configured import NoIndex, pip_indexes
from preflight.remote.index.packages import PackageIndex
from tests.facts.conftest import Lay, overlay  # noqa: F401 - a fixture
from tests.facts.index_server import Index, serving

SCHEMA = Path(__file__).parents[2] / "preflight/report/schemas/preflight.radar-1.json"
BEFORE, AFTER = "2026-08-01", "2026-10-28"


def wheel(name: str, version: str, day: str, *needs: str, tag: str = "py3-none-any") -> tuple[dict[str, Any], str]:
    needed = "".join(f"Requires-Dist: {n}\n" for n in needs)
    row = {"filename": f"{name}-{version}-{tag}.whl", "upload-time": f"{day}T00:00:00Z", "requires-python": ">=3.9"}
    return row, f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}"


RELEASES = [
    wheel("torch", "2.14.1", BEFORE, "triton~=3.8.0", tag="cp311-cp311-manylinux_2_28_x86_64"),
    wheel("torch", "2.15.0", AFTER, "triton~=3.9.0", tag="cp311-cp311-manylinux_2_28_x86_64"),
    wheel("torch", "2.16.0", AFTER, tag="cp312-cp312-manylinux_2_28_x86_64"),
    wheel("torch", "3.0.0rc1", AFTER, tag="cp311-cp311-manylinux_2_28_x86_64"),
    wheel("triton", "3.8.0", BEFORE),
    wheel("triton", "3.9.0", AFTER),
    wheel("einops", "0.8.0", BEFORE),
    wheel("einops", "0.8.1", BEFORE, 'numpy; extra == "all"', "windows-only; sys_platform == 'win32'"),
    wheel("numpy", "2.0.0", BEFORE),
    wheel("picky", "1.0", BEFORE, "torch<2"),
]


@pytest.fixture
def index() -> Iterator[Index]:
    pages: dict[str, list[dict[str, Any]]] = {}
    members = {}
    for row, metadata in RELEASES:
        name = row["filename"].partition("-")[0]
        pages.setdefault(name, []).append(row)
        release = "-".join(row["filename"].split("-")[:2])
        whole = {f"{release}.dist-info/WHEEL": "Wheel-Version: 1.0\n", f"{release}.dist-info/RECORD": ""}
        members[row["filename"]] = {f"{release}.dist-info/METADATA": metadata, **whole}
    with serving(pages, members) as server:
        yield server


def taken(
    server: Index, kept: Path, *wanted: str, day: date | None = None, python: str = "3.11", installed: Any = None
) -> dict[str, str]:
    with PackageIndex([server.url], kept) as asked:
        found = resolve(asked, [*map(Requirement, wanted)], Place(python, day), installed or {}, Budget())
    return {name: str(one.version) for name, one in found.items()}


def test_the_newest_release_for_that_python_is_taken_with_what_it_needs(index: Index, tmp_path: Path) -> None:
    assert taken(index, tmp_path, "torch>=2.9") == {"torch": "2.15.0", "triton": "3.9.0"}
    assert taken(index, tmp_path, "torch", python="3.12")["torch"] == "2.16.0"


def test_on_an_earlier_day_what_was_uploaded_later_is_not_there(index: Index, tmp_path: Path) -> None:
    assert taken(index, tmp_path, "torch>=2.9", day=date(2026, 9, 1)) == {"torch": "2.14.1", "triton": "3.8.0"}


def test_what_is_installed_stays_where_it_fits_and_is_replaced_where_it_does_not(index: Index, tmp_path: Path) -> None:
    held = {name: Taken(name, Version(v), None, "") for name, v in (("triton", "3.8.0"), ("einops", "0.8.0"))}
    assert taken(index, tmp_path, "einops", installed=held) == {"einops": "0.8.0"}
    assert taken(index, tmp_path, "torch>=2.9", installed=held) == {"torch": "2.15.0", "triton": "3.9.0"}


def test_an_extra_brings_what_it_needs_and_another_platform_nothing(index: Index, tmp_path: Path) -> None:
    assert taken(index, tmp_path, "einops") == {"einops": "0.8.1"}
    assert taken(index, tmp_path, "einops[all]") == {"einops": "0.8.1", "numpy": "2.0.0"}


def test_what_does_not_go_together_is_said_and_not_guessed(index: Index, tmp_path: Path) -> None:
    with pytest.raises(NotResolved, match=r"torch<2 of picky 1\.0"):
        taken(index, tmp_path, "picky", "torch>=2.9")
    with pytest.raises(NotResolved, match="no release fits nosuch"):
        taken(index, tmp_path, "nosuch")


def test_an_index_that_does_not_say_when_a_file_came_answers_nothing_of_an_earlier_day(
    index: Index, tmp_path: Path
) -> None:
    index.pages["numpy"] = [{**row, "upload-time": None} for row in index.pages["numpy"]]
    assert taken(index, tmp_path, "numpy") == {"numpy": "2.0.0"}
    with pytest.raises(NotResolved, match="does not say when numpy was uploaded"):
        taken(index, tmp_path, "numpy", day=date(2026, 9, 1))


APP = """import modal
image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch>=2.9", "einops==0.8.0")
)
app = modal.App("x", image=image)
@app.function()
def f():
    ...
"""


@pytest.fixture
def project(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PIP_INDEX_URL", index.url)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "app.py").write_text(APP)
    (folder / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "0"\n')
    monkeypatch.chdir(folder)
    return folder


def test_radar_names_what_moved_under_an_unchanged_app(project: Path) -> None:
    done = CliRunner().invoke(radar_command, ["app.py", "--since", "2026-09-01", "--json"], standalone_mode=False)
    document = json.loads(done.output)
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert [(m["name"], m["before"], m["now"], m["asked"]) for m in document["moves"]] == [
        ("torch", "2.14.1", "2.15.0", "torch>=2.9"),
        ("triton", "3.8.0", "3.9.0", None),
    ]
    assert document["moves"][0]["uploaded"] == AFTER
    assert document["unknown"] == []
    assert done.return_value == 0


def test_radar_says_which_of_our_tables_that_breaks(project: Path) -> None:
    base = 'modal.Image.from_registry("nvidia/cuda:13.0.1-devel-ubuntu22.04", add_python="3.11")'
    later = '.pip_install("torch>=2.9", "einops==0.8.0")\n    .run_commands("pip install torchvision==0.29.0")'
    text = APP.replace('modal.Image.debian_slim(python_version="3.11")', base)
    (project / "app.py").write_text(text.replace('.pip_install("torch>=2.9", "einops==0.8.0")', later))
    done = CliRunner().invoke(radar_command, ["app.py", "--since", "2026-09-01"], standalone_mode=False)
    words = " ".join(done.output.split())
    assert "torch 2.15.0 came out 2026-10-28: torch>=2.9 (app.py:4) takes it instead of 2.14.1" in words


def test_radar_without_an_index_says_so_and_claims_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    done = CliRunner().invoke(radar_command, ["app.py"], standalone_mode=False)
    assert done.return_value == 3
    assert "not resolved: 127.0.0.1:9" in done.output
    assert "nothing that it asks for has moved" not in done.output


def test_lock_pins_what_the_app_leaves_open_and_leaves_what_is_pinned(project: Path) -> None:
    done = CliRunner().invoke(lock_command, ["app.py"], standalone_mode=False)
    assert done.return_value == 0
    assert "torch==2.15.0  # 2026-10-28" in done.output
    assert '+    .pip_install("torch==2.15.0", "einops==0.8.0")' in done.output
    assert (project / "app.py").read_text() == APP


def test_lock_writes_the_app_and_the_constraints_only_where_it_is_told_to(project: Path) -> None:
    CliRunner().invoke(lock_command, ["app.py", "--write", "-o", "c.txt"], standalone_mode=False)
    assert '"torch==2.15.0"' in (project / "app.py").read_text()
    assert "triton==3.9.0  # 2026-10-28, of torch" in (project / "c.txt").read_text()


def findings(text: str, today: date) -> list[tuple[Severity, str]]:
    recipe = reader.read(Path("app.py"), project=Path(), content=text.encode())
    return [(f.severity, f.message) for f in concerns(recipe, today)]


def test_an_announced_end_is_advice_in_time_and_an_error_when_it_is_due() -> None:
    text = APP.replace("3.11", "3.12")
    assert findings(text, date(2027, 1, 1)) == []
    assert [s for s, _ in findings(text, date(2028, 7, 1))] == [Severity.WARNING]
    assert [s for s, _ in findings(text, date(2028, 11, 1))] == [Severity.ERROR]


def test_a_name_that_the_client_announces_to_drop_concerns_only_who_uses_it(overlay: Lay) -> None:  # noqa: F811
    today = date(2026, 11, 28)
    used = APP + 'nfs = modal.NetworkFileSystem.from_name("x")\n'
    assert [s for s, _ in findings(used, today)] == [Severity.WARNING]
    assert findings(APP, today) == []
    (row,) = [r for r in shipped_rows(BREAKS) if r.name == "NetworkFileSystem"]  # type: ignore[attr-defined]
    overlay({BREAKS.file: table_text(BREAKS, [msgspec.structs.replace(row, gone_in="1.0.0", seen=date(2030, 1, 1))])})
    assert [s for s, _ in findings(used, today)] == [Severity.ERROR]


def test_a_keyword_concerns_only_the_call_that_the_announcement_names() -> None:
    today = date(2026, 11, 28)
    call = "\ndef g(app, c):\n    return modal.Sandbox.create(app=app, {})\n"
    assert len(findings(APP + call.format('environment_name="main"'), today)) == 1
    assert findings(APP + call.format("client=c"), today) == []


def test_pip_is_not_asked_for_an_index_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/python")
    named = {"PIP_INDEX_URL": "https://a.example/simple/", "PIP_EXTRA_INDEX_URL": "https://b.example/simple"}
    assert pip_indexes(named) == ("https://a.example/simple", "https://b.example/simple")
    assert pip_indexes(named | {"PIP_EXTRA_INDEX_URL": ""}) == ("https://a.example/simple",)
    with pytest.raises(NoIndex, match="no pip to ask"):
        pip_indexes({})
