"""The Modal client fits the server and the Image Builder.

Looks at
    The installed client's version, what the server says about it (the ClientHello call, and a header on every
    answer), and whether this client can render the Image Builder that is in force.
Why it matters
    A client that does not know the workspace's builder refuses every image (VersionError), and a deprecated
    one stops working on a day the server names beforehand.
How to fix
    `pip install --upgrade modal` in the environment that deploys.
Source
    Modal client 1.6.4: ClientHello.server_warnings, x-modal-warning; 2026.10 needs client 1.6.3.
"""

from preflight.api import (
    CLIENT,
    RESOLVED_BUILDER,
    WORKSPACE,
    Answer,
    Check,
    Finding,
    Group,
    Looked,
    LookupFailed,
    Severity,
    Stage,
)


async def run(looked: Looked) -> Answer:
    client, workspace = looked[CLIENT], looked[WORKSPACE]
    findings = [
        Finding(
            severity=Severity.WARNING,
            message=f"the server says: {text}",
            remedy="pip install --upgrade modal",
            why="what is deprecated today stops a run on the day it is removed",
        )
        for text in workspace.warnings
    ]
    newest = client.builders[-1] if client.builders else None
    seen = {"version": client.version, "newest_builder": newest}
    builder = looked.tried(RESOLVED_BUILDER)
    if isinstance(builder, LookupFailed):
        if not findings:
            raise builder  # whether the client fits it is half of the question
        return Answer(said=f"modal {client.version}; {builder}", seen=seen, findings=tuple(findings))
    if newest is not None and builder[:4].isdigit() and builder > newest:
        findings.append(
            Finding(
                severity=Severity.ERROR,
                message=f"client {client.version} knows builders up to {newest}; {builder} is in force",
                remedy="pip install --upgrade modal",
                why="every image is refused with VersionError",
            )
        )
    elif not workspace.is_greeted and not findings:
        raise LookupFailed(WORKSPACE, "the server does not answer whether it has a warning about this client")
    said = f"modal {client.version}, knows Image Builder {newest or 'unknown'}; the server has {_warnings(findings)}"
    return Answer(said=said, seen=seen, findings=tuple(findings))


def _warnings(findings: list[Finding]) -> str:
    count = sum(f.severity is Severity.WARNING for f in findings)
    return f"{count} warning{'s' if count > 1 else ''}" if count else "no warning"


CHECK = Check(
    id="MOD005",
    name="client-version",
    title="the Modal client fits the server and the Image Builder",
    stage=Stage.REMOTE,
    needs=(CLIENT, WORKSPACE),
    tries=(RESOLVED_BUILDER,),
    run=run,
    timeout_s=25.0,
    explains=(CLIENT,),
    about=(Group.CLIENT, Group.BUILDER, Group.VERSIONS),
)
