"""What may still be spent, of which limit.  A credit balance is in no answer of Modal's, and so in none of ours."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from preflight.lookups import LookupFailed
from preflight.remote.modal_types import Environment, Spend


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """Dollars of the running cycle.  ``left_usd`` is None when nothing that is known limits it; ``of`` names the
    limit that leaves least.  ``unknown`` says why the environment could not be asked.
    """

    environment: str | None = None
    spent_usd: Decimal | None = None
    left_usd: Decimal | None = None
    of: str = ""
    is_limit_reached: bool = False
    unknown: str = ""
    is_unclear: bool = False  # it was asked, and its amounts are none

    @property
    def text(self) -> str:
        if self.left_usd is not None and self.left_usd < 0:
            return f"nothing is left of {self.of}, ${-self.left_usd:,.2f} more is spent"
        if self.left_usd is not None:
            return f"${self.left_usd:,.2f} left of {self.of}"
        spent = "" if self.spent_usd is None else f"${self.spent_usd:,.2f} spent this cycle, "
        return f"{spent}no budget is set" if not self.unknown else "the budget could not be read"


def allowance(
    environment: Environment | LookupFailed, spend: Spend | LookupFailed, allowed_usd: Decimal | None
) -> Allowance:
    """The least of the environment's budget, the workspace's spend limit and what the user allows.

    A spend limit below the environment's budget is the workspace's: all that its environments have spent counts.
    """
    limits = [] if allowed_usd is None else [(allowed_usd, f"the ${allowed_usd:,.2f} you allow")]
    unknown = environment.why if isinstance(environment, LookupFailed) else ""
    if not isinstance(environment, LookupFailed) and environment.unclear:
        unknown = f"the amounts of environment {environment.name} make no sense: {environment.unclear}"
    if isinstance(environment, LookupFailed) or unknown:
        left, of = min(limits, default=(None, ""))
        name = None if isinstance(environment, LookupFailed) else environment.name
        return Allowance(environment=name, left_usd=left, of=of, unknown=unknown, is_unclear=name is not None)
    budget, limit, spent = environment.budget_usd, environment.spend_limit_usd, environment.spent_usd
    if budget is not None:
        limits.append((budget - spent, f"the ${budget:,.2f} budget"))
    if limit is not None and (budget is None or limit < budget):
        of_all = max(spent, environment.workspace_spent_usd)
        limits.append((limit - of_all, f"the ${limit:,.2f} spend limit of the workspace"))
    left, of = min(limits, default=(None, ""))
    return Allowance(
        environment=environment.name,
        spent_usd=spent if isinstance(spend, LookupFailed) else max(spent, spend.metered_usd),
        left_usd=left,
        of=of,
        is_limit_reached=environment.is_spend_limit_reached,
    )
