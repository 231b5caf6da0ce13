"""What may still be spent, of which limit.  A credit balance is in no answer of Modal's, and so in none of ours."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from preflight.lookups import LookupFailed
from preflight.remote.modal_types import Environment, Spend


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """Dollars of the running cycle.  ``left_usd`` is None when nothing that is known limits it; ``of`` names the
    limit that leaves least.  ``spent_usd`` is the greater of the environment's and the workspace's; only the
    environment's is taken off its limits, which others do not use up.  ``unknown``: why it could not be asked.
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
    """The least of the environment's budget, its spend limit and what the user allows."""
    limits = [] if allowed_usd is None else [(allowed_usd, f"the ${allowed_usd:,.2f} you allow")]
    if isinstance(environment, LookupFailed):
        left, of = min(limits) if limits else (None, "")
        return Allowance(left_usd=left, of=of, unknown=environment.why)
    if environment.unclear:
        left, of = min(limits) if limits else (None, "")
        why = f"the amounts of environment {environment.name} make no sense: {environment.unclear}"
        return Allowance(environment=environment.name, left_usd=left, of=of, unknown=why, is_unclear=True)
    if environment.budget_usd is not None:
        limits.append((environment.budget_usd - environment.spent_usd, f"the ${environment.budget_usd:,.2f} budget"))
    if environment.spend_limit_usd is not None:
        left = environment.spend_limit_usd - environment.spent_usd
        limits.append((left, f"the ${environment.spend_limit_usd:,.2f} spend limit"))
    least, name = min(limits) if limits else (None, "")
    spent = environment.spent_usd if isinstance(spend, LookupFailed) else max(environment.spent_usd, spend.metered_usd)
    return Allowance(
        environment=environment.name,
        spent_usd=spent,
        left_usd=least,
        of=name,
        is_limit_reached=environment.is_spend_limit_reached,
    )
