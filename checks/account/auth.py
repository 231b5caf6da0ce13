"""The Modal token is valid.

Looks at
    The credentials this machine would use (environment variables, then the active profile), by signing in
    with them; then the token's own row in the workspace's list, for its owner and its last day.
Why it matters
    Every other question to Modal needs it, and a token that ends during a 24 h run ends the run's client:
    no logs, no resume, no second session.
How to fix
    `modal token new` signs in through a browser; `modal token set` takes an id and a secret.  In CI set
    MODAL_TOKEN_ID and MODAL_TOKEN_SECRET.
Source
    Modal client 1.6.4: `modal token info`, `Workspace.member_tokens.list` (measured 2026-11-23).
"""

from datetime import timedelta

from preflight.api import (
    CLIENT,
    ENVIRONMENT,
    ENVIRONMENTS,
    TOKEN,
    WORKSPACE,
    Answer,
    Check,
    Group,
    Kind,
    Looked,
    LookupFailed,
    Problem,
    Stage,
    failed,
    passed,
    warned,
)

SOON = timedelta(days=3)  # a 24 h run, its resumed session, and a day to notice

REMEDIES = {
    Kind.NOT_SIGNED_IN: "modal token new",
    Kind.REFUSED: "modal token new",
    Kind.FORBIDDEN: "ask a workspace manager for access, or switch with `modal profile activate NAME`",
    Kind.CLIENT_TOO_OLD: "pip install --upgrade modal",
}


async def run(looked: Looked) -> Answer:
    workspace = looked.tried(WORKSPACE)
    client = looked[CLIENT]
    if isinstance(workspace, LookupFailed):
        return _not_signed_in(workspace, client.server_url)
    via = f"profile {client.profile}" if client.profile else "the environment's token"
    who, seen = f"workspace {workspace.name}", {"workspace": workspace.name, "profile": client.profile}
    token = looked.tried(TOKEN)
    if isinstance(token, LookupFailed) or token is None:
        # a member may not be allowed to list tokens: the sign-in itself is proven, its last day is not
        return passed(f"signed in to {who} with {via}; Modal does not tell this token's last day", **seen)
    name = f"{token.owner or 'somebody'} in {who}"
    seen |= {"owner": token.owner, "expires": token.expires.isoformat() if token.expires else None}
    if token.expires is None:
        return passed(f"{name}; the token does not end", **seen)
    left = token.expires - looked.now
    day = f"{token.expires:%Y-%m-%d}"
    if left < SOON:
        hours = max(0, int(left.total_seconds() // 3600))
        return warned(
            f"the token ends in {hours} h ({token.expires:%Y-%m-%d %H:%M} UTC)",
            remedy="modal token new",
            why="a run that outlives its token can't be followed or resumed",
            said=f"{name}; token ends {day}",
            **seen,
        )
    return passed(f"{name}; token ends {day}", **seen)


def _not_signed_in(e: LookupFailed, server: str) -> Answer:
    problem = e.__cause__
    if not isinstance(problem, Problem) or problem.kind not in REMEDIES:
        # not an answer about the token: nobody could be asked
        why = f"{e.why} from {server}; look at the network, HTTPS_PROXY and MODAL_SERVER_URL"
        raise LookupFailed(e.lookup, why) from problem
    return failed(
        f"Modal says: {problem.said}",
        remedy=REMEDIES[problem.kind],
        why="nothing on Modal can be looked at, or run, without it",
        said=problem.kind.value,
        kind=problem.kind.value,
    )


CHECK = Check(
    id="MOD001",
    name="modal-auth",
    title="the Modal token is valid",
    step=2,
    stage=Stage.REMOTE,
    needs=(CLIENT,),
    tries=(WORKSPACE, TOKEN),
    run=run,
    timeout_s=15.0,
    explains=(WORKSPACE, TOKEN, ENVIRONMENTS, ENVIRONMENT),
    about=(Group.ACCOUNT, Group.VARIABLES, Group.CLIENT),
)
