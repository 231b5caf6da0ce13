"""What a run costs, and whether it fits."""

from preflight.cost.estimate import Estimate as Estimate
from preflight.cost.estimate import Resources as Resources
from preflight.cost.estimate import estimate as estimate
from preflight.cost.plan import Finishes as Finishes
from preflight.cost.plan import Outlook as Outlook
from preflight.cost.rates import CURRENT_RATES as CURRENT_RATES
from preflight.cost.rates import RateRefused as RateRefused
from preflight.cost.rates import Rates as Rates
from preflight.cost.reckoning import ASKED as ASKED
from preflight.cost.reckoning import Allowance as Allowance
from preflight.cost.reckoning import Reckoning as Reckoning
from preflight.cost.reckoning import reckon as reckon
from preflight.cost.resources import NotSaid as NotSaid
from preflight.cost.resources import resources_of as resources_of
