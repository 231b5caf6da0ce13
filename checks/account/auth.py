"""The Modal token is valid.

Looks at: The credentials this machine would use (environment variables beat the active profile), by signing in with
    them; the environment of the run; then the token's own row in the workspace's list, for its owner and its last day.
Why it matters: Every other question to Modal needs it, and a token that ends during a 24 h run ends the run's client:
    no logs, no resume, no second session.
How to fix: `modal token new` signs in through a browser; `modal token set` takes an id and a secret. In CI set
    MODAL_TOKEN_ID and MODAL_TOKEN_SECRET. `-e NAME` names another environment.
Source: Modal client 1.6.4: `modal token info`, `Workspace.member_tokens.list`, EnvironmentGetOrCreate
    (measured 2026-11-23).
"""

import difflib
from datetime import timedelta

from preflight.api import Answer, Check, Group, Kind, Problem, Stage, account, failed, passed, warned
from preflight.lookups import Looked, LookupFailed

SOON = timedelta(days=3)  # a 24 h run, its resumed session, and a day to notice

REMEDIES = {
    Kind.NOT_SIGNED_IN: "modal token new",
    Kind.REFUSED: "modal token new",
    Kind.FORBIDDEN: "ask a workspace manager for access, or switch with `modal profile activate NAME`",
    Kind.CLIENT_TOO_OLD: "pip install --upgrade modal",
}


async def run(looked: Looked) -> Answer:
    workspace = looked.tried(account.WORKSPACE)
    client = looked[account.CLIENT]
    if isinstance(workspace, LookupFailed):
        return _not_signed_in(workspace, client.server_url)
    who = f"workspace {workspace.name} with {client.signs_with}"
    seen = {"workspace": workspace.name, "profile": client.profile, "signed_in_with": client.signs_with}
    elsewhere = _environment(looked, who)
    if elsewhere is not None:
        return elsewhere
    token = looked.tried(account.TOKEN)
    if isinstance(token, LookupFailed) or token is None:
        # a member may not be allowed to list tokens: the sign-in itself is proven, its last day is not
        why = token.why if isinstance(token, LookupFailed) else "Modal does not list it"
        return passed(f"signed in to {who}; the token's last day is not known: {why}", **seen)
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
            summary=f"{name}; token ends {day}",
            **seen,
        )
    return passed(f"{name}; token ends {day}", **seen)


def _environment(looked: Looked, who: str) -> Answer | None:
    """An environment that is not there, or not for this token; None when it is there."""
    here = looked.tried(account.HERE)
    problem = here.__cause__ if isinstance(here, LookupFailed) else None
    if isinstance(problem, account.NoSuchEnvironment):
        wanted = looked.settings.environment or looked[account.CLIENT].environment or ""
        there = problem.keys
        near = difflib.get_close_matches(wanted, there, 1) or there[:1]
        return failed(
            problem.message,
            remedy=f"-e {near[0]}" if near else f"modal environment create {wanted or 'main'}",
            why="nothing can run there, and nothing there can be looked at",
            summary=f"signed in to {who}; {problem.message}",
            environments=list(there),
        )
    if isinstance(problem, Problem) and problem.kind is Kind.FORBIDDEN:
        return failed(
            f"this token may not use environment {looked.settings.environment or 'main'}: {problem.message}",
            remedy=REMEDIES[Kind.FORBIDDEN],
            why="nothing can run there",
            summary=f"signed in to {who}; the environment is refused",
        )
    if isinstance(here, LookupFailed):
        raise LookupFailed(account.HERE, f"{here.why} (signed in to {who})") from problem
    return None


def _not_signed_in(e: LookupFailed, server: str) -> Answer:
    problem = e.__cause__
    if not isinstance(problem, Problem) or problem.kind not in REMEDIES:
        # not an answer about the token: nobody could be asked
        host = server.partition("://")[2]
        raise LookupFailed(e.lookup, e.why if host in e.why else f"{e.why} ({server})") from problem
    return failed(
        f"Modal says: {problem.message}",
        remedy=REMEDIES[problem.kind],
        why="nothing on Modal can be looked at, or run, without it",
        summary=problem.kind.value,
        kind=problem.kind.value,
    )


CHECK = Check(
    id="MOD001",
    name="modal-auth",
    step=2,
    stage=Stage.REMOTE,
    needs=(account.CLIENT,),
    tries=(account.WORKSPACE, account.TOKEN, account.HERE),
    run=run,
    timeout_s=15.0,
    explains=(account.SESSION, account.WORKSPACE, account.TOKEN, account.HERE),
    about=(Group.ACCOUNT, Group.VARIABLES, Group.CLIENT),
)
