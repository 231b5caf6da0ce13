"""Whose Modal: the project's environment is found by its files, and preflight's own only where there is none."""

from __future__ import annotations

import base64
import hashlib
import os
import sys
from pathlib import Path

import pytest

from checks.account.client_version import CHECK
from preflight.interpreter import NoInterpreter, asked_with, find
from preflight.model import Severity
from preflight.remote.lookups import CLIENT, RESOLVED_BUILDER, WORKSPACE
from preflight.remote.modal_types import Client, Workspace
from preflight.settings import Settings
from preflight.testing import run_check
from tests.conftest import Preflight, Ran, python

BUILDERS = ("2023.12", "2024.10", "2025.06")
TOOL = str(Path(sys.executable).parent)


def environment(
    folder: Path, modal: str | None = "1.2.6", builders: tuple[str, ...] = BUILDERS, kept_in: str = "builder"
) -> Path:
    """As much of a virtual environment as its files say: an interpreter, a command, a client's metadata."""
    packages = folder / "lib" / "python3.11" / "site-packages"
    (folder / "bin").mkdir(parents=True)
    packages.mkdir(parents=True)
    (folder / "pyvenv.cfg").write_text("home = /usr\n")
    (folder / "bin" / "python").symlink_to(sys.executable)
    if modal:
        command = folder / "bin" / "modal"
        command.write_text(f"#!/bin/sh\necho modal client version: {modal}\n")
        command.chmod(0o755)
        (packages / f"modal-{modal}.dist-info").mkdir()
        (packages / "modal" / kept_in).mkdir(parents=True)
        for builder in (*builders, "base-images", "PREVIEW"):
            (packages / "modal" / kept_in / f"{builder}.txt").write_text("")
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text('[project]\nname = "Brain Go"\n')
    (folder / ".git").mkdir()
    return folder


def environ(**more: str) -> dict[str, str]:
    return {"PATH": f"{TOOL}:/usr/bin:/bin", **more}


@pytest.mark.parametrize("version", ["1.0.5", "1.2.6", "1.4.3", "1.5.4", "1.6.3"])
def test_the_projects_client_is_read_from_its_environment_whatever_its_version(project: Path, version: str) -> None:
    environment(project / ".venv", version)
    found = find(project, environ())
    assert (found.found_by, found.version, found.is_ours) == (".venv", version, False)
    assert found.client and found.client.builders == BUILDERS


def test_an_old_client_keeps_its_builders_elsewhere_and_one_that_it_does_not_know_is_an_error(project: Path) -> None:
    environment(project / ".venv", "1.0.5", ("2023.12", "2024.04", "2024.10"), kept_in="requirements")
    settings = Settings(project=project, interpreter=find(project, environ()))
    (finding,) = run_check(CHECK, looked("2025.06"), settings=settings).findings
    assert finding.severity is Severity.ERROR
    assert finding.message == "client 1.0.5 knows builders up to 2024.10; 2025.06 is in force"


def test_the_active_environment_comes_before_the_one_in_the_folder(project: Path, tmp_path: Path) -> None:
    environment(project / ".venv", "1.2.6")
    active = environment(tmp_path / "active", "1.5.4")
    assert find(project, environ(VIRTUAL_ENV=str(active))).version == "1.5.4"
    assert find(project, {"PATH": f"{active}/bin:/usr/bin"}).found_by == "PATH"


def test_our_own_environment_being_active_does_not_hide_the_projects(project: Path) -> None:
    environment(project / ".venv", "1.2.6")
    assert find(project, environ(VIRTUAL_ENV=sys.prefix)).version == "1.2.6"


def test_the_configured_interpreter_comes_before_every_other(project: Path, tmp_path: Path) -> None:
    environment(project / ".venv", "1.2.6")
    other = environment(tmp_path / "other", "1.4.3")
    for named in (str(other), str(other / "bin" / "python")):
        assert find(project, environ(), configured=named).version == "1.4.3"
    with pytest.raises(NoInterpreter, match="nowhere/python"):
        find(project, environ(), configured="nowhere/python")


def test_a_member_of_a_uv_workspace_has_the_environment_of_its_root(project: Path) -> None:
    environment(project / ".venv", "1.2.6")
    (project / "uv.lock").write_text('[[package]]\nname = "modal"\nversion = "1.2.6"\n')
    member = project / "packages" / "training"
    member.mkdir(parents=True)
    (member / "pyproject.toml").write_text('[project]\nname = "training"\n')
    assert find(member, environ()).version == "1.2.6"


def test_poetrys_environment_is_found_by_the_hash_of_the_folder(project: Path, tmp_path: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.poetry]\nname = "Brain Go"\n')
    digest = base64.urlsafe_b64encode(hashlib.sha256(str(project.resolve()).encode()).digest()).decode()[:8]
    environment(tmp_path / "home/.cache/pypoetry/virtualenvs" / f"brain_go-{digest}-py3.11", "1.3.0")
    found = find(project, environ(HOME=str(tmp_path / "home")))
    assert (found.found_by, found.version) == ("poetry", "1.3.0")


def test_a_lock_speaks_where_no_environment_has_a_client(project: Path) -> None:
    (project / "uv.lock").write_text('[[package]]\nname = "modal"\nversion = "1.2.1"\nsource = {}\n')
    environment(project / ".venv", None)
    found = find(project, {"PATH": f"{project / '.venv' / 'bin'}:/nowhere"})
    assert found.locked == "1.2.1"
    assert found.version == (found.client.version if found.client else "1.2.1")


def test_the_projects_programs_come_first_and_the_tools_own_last(project: Path) -> None:
    environment(project / ".venv")
    first, *rest = find(project, environ(PATH=f"{TOOL}:/opt/mine:/usr/bin")).path.split(os.pathsep)
    assert first == str(project / ".venv" / "bin")
    assert rest == ["/opt/mine", "/usr/bin", TOOL]


def test_without_an_environment_the_users_path_stays_in_front(project: Path) -> None:
    assert find(project, environ(PATH="/opt/mine:/usr/bin")).path.split(os.pathsep) == ["/opt/mine", "/usr/bin", TOOL]


def test_the_demand_on_our_own_client_is_that_of_our_metadata() -> None:
    least, has = asked_with()
    assert has and tuple(map(int, has.split(".")[:2])) >= tuple(map(int, least.split(".")[:2]))


OURS = Client(
    version="1.6.4", builders=(*BUILDERS, "2026.10"), builder_override=None, override_by=None, profile=None,
    token_id=None, environment=None, server_url="",
)  # fmt: skip


def looked(builder: str) -> dict[object, object]:
    return {CLIENT: OURS, WORKSPACE: Workspace(name="w", warnings=()), RESOLVED_BUILDER: builder}


def test_client_version_speaks_of_the_projects_client_and_names_the_one_that_asks(project: Path) -> None:
    environment(project / ".venv", "1.2.6")
    settings = Settings(project=project, interpreter=find(project, environ()))
    fine = run_check(CHECK, looked("2025.06"), settings=settings)
    assert "modal 1.2.6 (by .venv)" in fine.reason and "preflight asks with 1.6.4" in fine.reason
    assert not fine.findings
    too_new = run_check(CHECK, looked("2026.10"), settings=settings)
    assert [f.severity for f in too_new.findings] == [Severity.ERROR]
    assert ".venv/bin/python -m pip install --upgrade modal" in too_new.findings[0].remedy


def test_a_quality_command_runs_with_the_projects_programs(preflight: Preflight, project: Path) -> None:
    environment(project / ".venv", "1.2.6")
    (project / "app.py").write_text('import modal\n\napp = modal.App("x")\n')
    with (project / "pyproject.toml").open("a") as file:
        file.write("[tool.preflight.lint]\ncommand = 'modal --version | grep 1.2.6'\n")
    ran = preflight("check", "project-lint", "app.py", cwd=project)
    assert ran.code == 0, ran.out


@pytest.mark.parametrize("has", ["1.2.6", None])
def test_a_client_too_old_for_preflight_itself_is_one_line_with_the_fix(
    preflight: Preflight, project: Path, tmp_path: Path, has: str | None
) -> None:
    """It stands first where Python looks for packages, as `pip install` over ours would leave it."""
    packages = tmp_path / "first" / "site-packages"
    (packages / "modal").mkdir(parents=True)
    (packages / "modal" / "__init__.py").write_text("raise ImportError('old')\n")
    if has:
        (packages / f"modal-{has}.dist-info").mkdir()
    own = packages / "modal_preflight-9.dist-info"
    own.mkdir()
    (own / "METADATA").write_text("Name: modal-preflight\nRequires-Dist: modal<2,>=1.6.3\n")
    (project / "app.py").write_text('import modal\n\napp = modal.App("x")\n')
    first = f"import runpy, sys; sys.path.insert(0, {str(packages)!r}); runpy.run_module('preflight', None, '__main__')"

    def preflight_beside_it(*words: str) -> Ran:
        environ = preflight.environ()
        done = python(["-c", first, *words], cwd=project, env=environ, limit_s=60, is_fresh=True)
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    for words in (["run", "app.py"], ["run", "--sandbox"], ["estimate", "app.py"], ["apps"]):
        ran = preflight_beside_it(*words)
        assert (ran.code, ran.out) == (2, ""), ran.err
        assert f"modal {has} is installed" in ran.err if has else "no modal package" in ran.err
        assert "1.6.3 or newer" in ran.err and "uvx" in ran.err and "Traceback" not in ran.err
    ran = preflight_beside_it("explain", "modal-auth")
    assert ran.code == 0 and "needs 1.6.3" in ran.err
