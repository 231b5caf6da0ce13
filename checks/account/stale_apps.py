"""No forgotten app is running.

Looks at: Every app of the environment that is not stopped: its state, and how long ago it was created. Runs (ephemeral
    or detached) older than 24 h, or `[tool.preflight.stale-apps] older-than`, are named; a deployed app is meant to
    stay and is only counted. One whose state Modal does not tell is not offered for stopping.
Why it matters: A run that nobody follows goes on being billed, and holds GPUs that the new one waits for.
How to fix: `preflight apps` lists them, `preflight apps --stop` stops them after asking; or `modal app stop APP_ID`. A
    run that is meant to be there goes into `[tool.preflight.stale-apps] ignore`, by description or id.
Source: Modal client 1.6.4: `Environment.apps.list`, `AppInfo.lifecycle` (measured 2026-11-23).
"""

from preflight.api import Answer, Check, Group, Looked, LookupFailed, Stage, account, warning
from preflight.remote.lookups import age_text, is_run, is_stale
from preflight.wording import listed


async def run(looked: Looked) -> Answer:
    apps, settings = looked[account.APPS], looked.settings.stale_apps
    runs = [a for a in apps if is_run(a, settings)]
    stale = [a for a in runs if is_stale(a, settings, looked.now)]
    untold = [a.id for a in apps if a.state == "unknown"]
    findings = tuple(
        warning(
            f"{a.description or a.id} ({a.id}, {a.state}) was started {age_text(a.created, looked.now)} ago"
            + (f" by {a.created_by}" if a.created_by else ""),
            f"modal app stop {a.id} --yes",
            why="it goes on being billed, and holds the GPU that the new run waits for",
        )
        for a in stale
    )
    deployed = sum(a.state == "deployed" for a in apps)
    said = f"{len(runs)} running, {deployed} deployed; {len(stale) or 'none'} older than {settings.older_than}"
    if untold:
        said += f"; of {listed(untold)} Modal does not tell the state: look with `modal app list`"
        if not findings:
            raise LookupFailed(account.APPS, said)
    return Answer(summary=said, seen={"running": len(runs), "stale": [a.id for a in stale]}, findings=findings)


CHECK = Check(
    id="MOD004",
    step=8,
    stage=Stage.REMOTE,
    needs=(account.APPS,),
    run=run,
    timeout_s=15.0,
    explains=(account.APPS,),
    about=(Group.ACCOUNT,),
)
