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
from preflight.cost.rates import CPU, MEMORY, gpu_key
from preflight.lookups import Looked, LookupFailed
from preflight.model import Answer, Check, Stage
from preflight.remote.lookups import CLIENT, HERE, LISTED_SECRETS, RATES, RESOLVED_BUILDER, WORKSPACE
from preflight.settings import Settings

NOT_TOLD = "Modal does not tell"


async def run(looked: Looked) -> Answer:
    client, here, recipe = looked[CLIENT], looked[HERE], looked[RECIPE]
    token = hashlib.sha256((client.token_id or "").encode()).hexdigest()[:16]
    facts = {
        "workspace": looked[WORKSPACE].name,
        "environment": here.name,
        "Image Builder": looked[RESOLVED_BUILDER],
        "Modal server": client.server_url,
        "token": token if client.token_id else "none",
        **_secrets(looked, recipe),
        **_rates(looked, recipe),
    }
    counted = sum(name.startswith("secret ") for name in facts)
    said = f"{len(facts)} facts of environment {here.name}, {counted} of them secrets"
    return Answer(said=said, seen={"facts": facts})


def _secrets(looked: Looked, recipe: Recipe) -> dict[str, str]:
    """Those that the app and the settings name; all of the environment's where the text leaves a name open."""
    listed = looked.tried(LISTED_SECRETS)
    named = {s.name for s in recipe.secrets if s.name is not None and s.made_by == "from_name"}
    named |= {looked.settings.s3.secret} - {None}  # type: ignore[arg-type]
    if isinstance(listed, LookupFailed):
        return {f"secret {name}": NOT_TOLD for name in sorted(named)}
    is_open = any(isinstance(s, Unresolved) for f in recipe.functions for s in f.secrets)
    there = {s.name: f"made {s.created.isoformat()} by {s.created_by or '?'}" for s in listed}
    wanted = set(there) if is_open else named
    return {f"secret {name}": there.get(name, "not there") for name in sorted(wanted)}


def _rates(looked: Looked, recipe: Recipe) -> dict[str, str]:
    rates = looked.tried(RATES)
    keys = {CPU, MEMORY, *(gpu_key(g) for g in _gpus(recipe, looked.settings))}
    if isinstance(rates, LookupFailed):
        return {f"rate {key}": NOT_TOLD for key in sorted(keys)}
    return {f"rate {key}": str(rates.get(key, "not listed")) for key in sorted(keys)}


def _gpus(recipe: Recipe, settings: Settings) -> set[str]:
    asked = {g.type for f in recipe.functions if isinstance(f.gpu, tuple) for g in f.gpu}
    return asked | {g.split(":")[0] for g in settings.probe.gpus}


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
