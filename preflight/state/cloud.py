"""What Modal says of the things a pass stands on, asked like any check, with the same lookups as the others.

Looks at
    The workspace, the environment and its Image Builder, the token in use, the secrets that the app names (when
    each was made, and by whom) and the rates of the GPUs it asks for.
Why it matters
    A pass counts for exactly these: another environment, builder or secret is another question.
How to fix
    What could not be read is named; `preflight check modal-auth` explains it.
    Modal tells when a secret was made, and not when its values were replaced under the same name.
Source
    Modal client 1.6.4: `Secret.info`, `Workspace.billing.rates`, the environment list.
"""

from __future__ import annotations

import hashlib

from preflight.app.lookups import RECIPE
from preflight.app.model import Recipe, Unresolved
from preflight.changes import Group
from preflight.cost.rates import CPU, MEMORY, gpu_key
from preflight.lookups import Looked, LookupFailed
from preflight.model import Answer, Check, Stage
from preflight.remote.lookups import CLIENT, HERE, LISTED_SECRETS, RATES, RESOLVED_BUILDER, WORKSPACE
from preflight.settings import Settings
from preflight.state.run_facts import rate_rows, secret_rows
from preflight.state.vector import Rows, Vector, flat

NOT_TOLD = "Modal does not tell"


async def run(looked: Looked) -> Answer:
    client, here, recipe = looked[CLIENT], looked[HERE], looked[RECIPE]
    token = hashlib.sha256((client.token_id or "").encode()).hexdigest()[:16]
    secrets = _secrets(looked, recipe)
    facts: Vector = {
        Group.ACCOUNT: {
            "workspace": looked[WORKSPACE].name,
            "environment": here.name,
            "Modal server": client.server_url,
            "token": token if client.token_id else "none",
        },
        Group.BUILDER: {"Image Builder": looked[RESOLVED_BUILDER]},
        Group.SECRETS: secrets,
        Group.RATES: _rates(looked, recipe),
    }
    named = flat(facts)
    summary = f"{len(named)} facts of environment {here.name}, {len(secrets)} of them secrets"
    return Answer(summary=summary, seen={"facts": named})


def _secrets(looked: Looked, recipe: Recipe) -> Rows:
    """Those that the app and the settings name; all of the environment's where the text leaves a name open."""
    listed = looked.tried(LISTED_SECRETS)
    named = {s.name for s in recipe.secrets if s.name is not None and s.made_by == "from_name"}
    named |= {looked.settings.s3.secret} - {None}  # type: ignore[arg-type]
    if isinstance(listed, LookupFailed):
        return dict.fromkeys(sorted(named), NOT_TOLD)
    is_open = any(isinstance(s, Unresolved) for f in recipe.functions for s in f.secrets)
    there = secret_rows(listed)
    return {name: there.get(name, "not there") for name in sorted(there if is_open else named)}


def _rates(looked: Looked, recipe: Recipe) -> Rows:
    rates = looked.tried(RATES)
    keys = sorted({CPU, MEMORY, *(gpu_key(g) for g in _gpus(recipe, looked.settings))})
    if isinstance(rates, LookupFailed):
        return dict.fromkeys(keys, NOT_TOLD)
    listed = rate_rows(rates)
    return {key: listed.get(key, "not listed") for key in keys}


def _gpus(recipe: Recipe, settings: Settings) -> set[str]:
    types = {g.type for f in recipe.functions if isinstance(f.gpu, tuple) for g in f.gpu}
    return types | {g.split(":")[0] for g in settings.probe.gpus}


CHECK = Check(
    id="GATE001",
    name="gate-facts",
    title="what a pass stands on can be read",
    stage=Stage.REMOTE,
    needs=(CLIENT, WORKSPACE, HERE, RESOLVED_BUILDER, RECIPE),
    tries=(LISTED_SECRETS, RATES),
    run=run,
    timeout_s=25.0,
    doc=__doc__,
)
