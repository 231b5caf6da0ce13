"""What a run costs, and whether it fits."""

from preflight.cost.allowance import Allowance
from preflight.cost.estimate import Estimate, Resources, estimate
from preflight.cost.lookups import CURRENT_RATES
from preflight.cost.plan import Finishes, Outlook
from preflight.cost.rates import RateRefused, Rates
from preflight.cost.reckoning import ASKED, Reckoning, reckon
from preflight.cost.resources import NotSaid, resources_of

__all__ = [
    "ASKED",
    "CURRENT_RATES",
    "Allowance",
    "Estimate",
    "Finishes",
    "NotSaid",
    "Outlook",
    "RateRefused",
    "Rates",
    "Reckoning",
    "Resources",
    "estimate",
    "reckon",
    "resources_of",
]
