"""What Modal tells of the account: lookups for a check's `needs` and `tries`."""

from preflight.remote.lookups import APPS as APPS
from preflight.remote.lookups import CLIENT as CLIENT
from preflight.remote.lookups import ENVIRONMENT as ENVIRONMENT
from preflight.remote.lookups import ENVIRONMENTS as ENVIRONMENTS
from preflight.remote.lookups import HERE as HERE
from preflight.remote.lookups import LISTED_SECRETS as LISTED_SECRETS
from preflight.remote.lookups import RATES as RATES
from preflight.remote.lookups import RESOLVED_BUILDER as RESOLVED_BUILDER
from preflight.remote.lookups import SECRETS as SECRETS
from preflight.remote.lookups import SESSION as SESSION
from preflight.remote.lookups import SPEND as SPEND
from preflight.remote.lookups import TOKEN as TOKEN
from preflight.remote.lookups import VOLUMES as VOLUMES
from preflight.remote.lookups import WORKSPACE as WORKSPACE
from preflight.remote.lookups import WORKSPACE_BUILDER as WORKSPACE_BUILDER
from preflight.remote.lookups import NoSuchEnvironment as NoSuchEnvironment
from preflight.remote.modal_types import Client as Client
from preflight.remote.modal_types import Environment as Environment
from preflight.remote.modal_types import Here as Here
from preflight.remote.modal_types import Secret as Secret
from preflight.remote.modal_types import Spend as Spend
from preflight.remote.modal_types import Token as Token
from preflight.remote.modal_types import Workspace as Workspace
