"""The project's Modal client fits the server and the Image Builder.

Looks at: The version of the client that the project's own commands run (the environment that is configured or active,
    `.venv`, uv's, Poetry's, else `modal` on the PATH, else preflight's own), the builders that it carries, what the
    server says about the client that preflight asks with (the ClientHello call, and a header on every answer), and the
    Image Builder that is in force.
Why it matters: A client that does not know the workspace's builder refuses every image (VersionError), and a deprecated
    one stops working on a day that the server names before.
How to fix: Upgrade modal in the environment that deploys; or name another with `[tool.preflight] python`.
Source: Modal client 1.6.4: ClientHello.server_warnings, x-modal-warning; builder/*.txt of the client's package.
"""

from pathlib import Path

from packaging.version import Version

from preflight.api import Kind, Problem, account, advice, error, failed, warning
from preflight.changes import Group
from preflight.facts.modal_api import modal_api
from preflight.lookups import Looked, LookupFailed
from preflight.model import Answer, Check, Severity, Stage
from preflight.wording import counted


async def run(looked: Looked) -> Answer:
    asks = looked.tried(account.CLIENT)
    if isinstance(asks, LookupFailed):
        problem = asks.__cause__
        if not isinstance(problem, Problem) or problem.kind is not Kind.CLIENT_TOO_OLD:
            raise asks
        return failed(problem.message, remedy="pip install --upgrade modal", why="nothing on Modal can be looked at")
    workspace = looked.required(account.WORKSPACE)
    project = looked.settings.interpreter
    client = project.client if project else None
    version = project.version if project and project.version else asks.version
    builders = client.builders if client else () if version != asks.version else asks.builders
    upgrade = _upgrade(looked)
    findings = [
        warning(
            f"the server says: {text}", upgrade, why="what is deprecated today stops a run on the day it is removed"
        )
        for text in workspace.warnings
    ]
    newest = builders[-1] if builders else None
    said = f"modal {version}{_whose(looked)}, knows Image Builder {newest or 'unknown'}"
    seen = {"version": version, "newest_builder": newest, "asked_with": asks.version}
    if project is not None:
        seen |= {"python": str(project.python), "found_by": project.found_by}
    builder = looked.tried(account.RESOLVED_BUILDER)
    if isinstance(builder, LookupFailed):
        if not findings:
            raise builder  # whether the client fits it is half of the question
        return Answer(summary=f"{said}; {builder}", seen=seen, findings=tuple(findings))
    if newest is not None and builder[:4].isdigit() and builder > newest:
        findings.append(
            error(
                f"client {version} knows builders up to {newest}; {builder} is in force",
                upgrade,
                why="every image is refused with VersionError",
            )
        )
    elif not workspace.is_greeted and not findings:
        raise LookupFailed(account.WORKSPACE, "the server does not answer whether it has a warning about this client")
    tested = modal_api().version
    if Version(asks.version) > Version(tested):
        findings.append(
            advice(f"preflight asks Modal with client {asks.version}; it was tested with {tested} at most", "")
        )
    said += f"; {builder} is in force"
    said += f"; preflight asks with {asks.version}" if version != asks.version else ""
    warnings = sum(f.severity is Severity.WARNING for f in findings)
    said += f"; the server has {counted(warnings, 'warning') or 'no warning'}"
    return Answer(summary=said, seen=seen, findings=tuple(findings))


def _whose(looked: Looked) -> str:
    """Where the client is, as short as it can be said; "" where the project's is preflight's own."""
    project = looked.settings.interpreter
    if project is None:
        return ""
    if not project.version:
        return " (preflight's own; the project has no client here)"
    if project.client is None:
        return " (the lock file's; no environment has one)"
    return "" if project.is_ours else f" (by {project.found_by})"


def _upgrade(looked: Looked) -> str:
    """The command for the environment that deploys."""
    project = looked.settings.interpreter
    if project is not None and (Path(looked.settings.project) / "uv.lock").is_file():
        return "uv lock --upgrade-package modal && uv sync"
    if project is None or project.is_ours:
        return "pip install --upgrade modal"
    return f"{project.python} -m pip install --upgrade modal"


CHECK = Check(
    id="MOD005",
    stage=Stage.REMOTE,
    tries=(account.CLIENT, account.WORKSPACE, account.RESOLVED_BUILDER),
    run=run,
    timeout_s=25.0,
    explains=(account.CLIENT,),
    about=(Group.CLIENT, Group.BUILDER, Group.VERSIONS),
)
