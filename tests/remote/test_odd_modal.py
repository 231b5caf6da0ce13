"""The account's checks through the real client, against a server whose answers prove nothing, or something else."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from grpclib import GRPCError, Status
from modal_proto import api_pb2 as pb

from checks.account import auth, client_version, image_builder, stale_apps
from checks.account import credits as money
from checks.storage import s3_secret, volume
from preflight.cli.main import cli
from preflight.model import Check, Result
from preflight.model import Status as Outcome
from preflight.remote.lookups import APPS, HERE, TOKEN, VOLUMES
from preflight.remote.s3.lookups import SECRET_STATES
from preflight.settings import BudgetSettings, S3Settings, Settings
from preflight.testing import run_checks
from tests.remote import odd_modal
from tests.remote.odd_modal import OddModal, environment, here

DENIED = GRPCError(Status.PERMISSION_DENIED, "Must be workspace manager or owner")
ALL = (auth, image_builder, client_version, money, stale_apps, s3_secret, volume)
APP = """import modal
app = modal.App("x")
v = modal.Volume.from_name("results")
s = modal.Secret.from_name("aws", required_keys=["AWS_ACCESS_KEY_ID"])
@app.function(gpu="A100-80GB", timeout=86400, volumes={"/v": v}, secrets=[s])
def train(): ...
"""


@pytest.fixture(scope="module")
def server() -> Iterator[OddModal]:
    with odd_modal.serving() as served:
        yield served


@pytest.fixture
def odd(server: OddModal, monkeypatch: pytest.MonkeyPatch) -> Iterator[OddModal]:
    """The server, healthy again, with a client of its own."""
    from modal.client import _Client

    for name in ("MODAL_PROFILE", "MODAL_ENVIRONMENT", "MODAL_IMAGE_BUILDER_VERSION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MODAL_SERVER_URL", server.url)
    monkeypatch.setenv("MODAL_TOKEN_ID", "ak-1")
    monkeypatch.setenv("MODAL_TOKEN_SECRET", "as-1")
    server.answers = dict(odd_modal.HEALTHY)
    server.asked.clear()
    _Client._set_env_client(None)
    yield server
    _Client._set_env_client(None)


def asked(tmp_path: Path, *modules: Any, **settings: Any) -> dict[str, Result]:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    settings = {"budget": BudgetSettings(hours=Decimal(20), usd=Decimal(100))} | settings
    checks: list[Check] = [m.CHECK for m in modules or ALL]
    report = run_checks(*checks, settings=Settings(project=tmp_path, app="app.py", **settings))
    return {r.check.name: r for r in report.results}


def one(tmp_path: Path, module: Any, **settings: Any) -> Result:
    return asked(tmp_path, module, **settings)[module.CHECK.name]


def test_a_healthy_server_passes_and_each_question_is_asked_once(odd: OddModal, tmp_path: Path) -> None:
    results = asked(tmp_path)
    assert {name: r.status for name, r in results.items()} == dict.fromkeys(results, Outcome.PASS)
    twice = {rpc for rpc in odd.asked if odd.asked.count(rpc) > 1}
    assert twice == {"SecretGetOrCreate"}  # the keys, and one that no secret holds
    assert "ClientHello" in odd.asked


# --- answers that prove nothing ---------------------------------------------------------------------------------


def test_a_server_that_compares_no_keys_is_no_yes(odd: OddModal, tmp_path: Path) -> None:
    odd.answers["SecretGetOrCreate"] = pb.SecretGetOrCreateResponse(secret_id="st-1")
    result = one(tmp_path, s3_secret)
    assert (result.status, "a key that no secret holds" in result.reason) == (Outcome.BLOCKED, True)


def test_a_server_that_names_one_missing_key_at_a_time_is_asked_for_the_rest(odd: OddModal, tmp_path: Path) -> None:
    def first_only(request: pb.SecretGetOrCreateRequest) -> Any:
        missing = [k for k in request.required_keys if k != "B"]
        return GRPCError(Status.FAILED_PRECONDITION, f"Secret is missing key(s): {missing[0]}") if missing else SECRET

    odd.answers["SecretGetOrCreate"] = first_only
    result = one(tmp_path, s3_secret, s3=S3Settings(secret="aws", keys=("A", "B", "C")))
    assert result.findings[0].message == "aws lacks A, C and AWS_ACCESS_KEY_ID"


SECRET = pb.SecretGetOrCreateResponse(secret_id="st-1")


def test_the_builder_that_modal_resolves_is_the_one_in_force(odd: OddModal, tmp_path: Path) -> None:
    odd.answers["EnvironmentGetOrCreate"] = lambda request: here(request, "2024.04")
    odd.answers["WorkspaceSettings"] = pb.WorkspaceSettingsResponse(image_builder_version="2024.04")
    assert one(tmp_path, image_builder).status is Outcome.FAIL
    odd.answers["WorkspaceSettings"] = odd_modal.HEALTHY["WorkspaceSettings"]  # 2025.06: it contradicts
    result = one(tmp_path, image_builder)
    assert result.status is Outcome.BLOCKED
    assert "2024.04" in result.reason and "2025.06" in result.reason


REFUSED = [["EnvironmentList"], ["WorkspaceSettings"], ["EnvironmentList", "WorkspaceSettings"]]


@pytest.mark.parametrize("refused", REFUSED)
def test_settings_that_a_member_may_not_read_stop_nothing(odd: OddModal, tmp_path: Path, refused: list[str]) -> None:
    odd.answers |= dict.fromkeys(refused, DENIED)
    results = asked(tmp_path)
    assert {name: r.status for name, r in results.items()} == dict.fromkeys(results, Outcome.PASS)


def test_an_empty_builder_is_not_told_and_an_empty_setting_explains_nothing(odd: OddModal, tmp_path: Path) -> None:
    odd.answers["WorkspaceSettings"] = pb.WorkspaceSettingsResponse()
    assert "Modal's resolved environment" in one(tmp_path, image_builder).reason
    odd.answers["EnvironmentGetOrCreate"] = lambda request: here(request, "")
    results = asked(tmp_path, image_builder, client_version)
    assert [r.status for r in results.values()] == [Outcome.BLOCKED, Outcome.BLOCKED]
    assert "Modal does not tell which one environment main builds with" in results["image-builder"].reason


def test_warnings_of_the_hello_are_shown_and_a_hello_that_is_not_answered_is_no_no(
    odd: OddModal, tmp_path: Path
) -> None:
    odd.answers["ClientHello"] = GRPCError(Status.UNIMPLEMENTED, "no hello here")
    assert one(tmp_path, client_version).status is Outcome.BLOCKED
    text = "1.6.4 ends on 2027-01-01"
    odd.answers["ClientHello"] = pb.ClientHelloResponse(server_warnings=[pb.Warning(message=text)])
    assert one(tmp_path, client_version).findings[0].message == f"the server says: {text}"


@pytest.mark.parametrize(("is_reached", "status"), [(False, Outcome.PASS), (True, Outcome.FAIL)])
def test_a_budget_of_nothing_counts_only_where_the_limit_is_reached(
    odd: OddModal, tmp_path: Path, is_reached: bool, status: Outcome
) -> None:
    item = environment(cycle_budget_dollars=0.0, spend_limit_reached=is_reached)
    odd.answers["EnvironmentList"] = pb.EnvironmentListResponse(items=[item])
    assert one(tmp_path, money).status is status


def test_what_other_environments_have_spent_counts_of_the_workspaces_limit(odd: OddModal, tmp_path: Path) -> None:
    here = environment(cycle_budget_dollars=900.0, effective_cycle_spend_limit=500.0, current_cycle_usage=30.0)
    other = environment("dev", is_default=False, current_cycle_usage=420.0)
    odd.answers["EnvironmentList"] = pb.EnvironmentListResponse(items=[here, other])
    result = one(tmp_path, money, budget=BudgetSettings(hours=Decimal(20)))
    assert result.status is Outcome.FAIL
    assert result.reason.startswith("$50.00 left of the $500.00 spend limit of the workspace; ")


@pytest.mark.parametrize("amount", [math.nan, math.inf, -5.0, 1e30])
def test_amounts_that_are_none_leave_the_budget_open_and_the_builder_known(
    odd: OddModal, tmp_path: Path, amount: float
) -> None:
    item = environment(cycle_budget_dollars=amount, effective_cycle_spend_limit=amount)
    odd.answers["EnvironmentList"] = pb.EnvironmentListResponse(items=[item])
    results = asked(tmp_path)
    assert results["credits"].status is Outcome.UNKNOWN
    assert "cycle_budget_dollars is" in results["credits"].reason
    assert results["image-builder"].status is Outcome.PASS


@pytest.mark.parametrize("rate", ["NaN", "-1", "a word", "0.0006"])
def test_a_rate_that_is_none_leaves_the_cost_unknown(odd: OddModal, tmp_path: Path, rate: str) -> None:
    rates = {**odd_modal.HEALTHY["WorkspaceBillingRates"].rates, "gpu_hour_cost_a100_80gb": rate}
    odd.answers["WorkspaceBillingRates"] = pb.WorkspaceBillingRatesResponse(rates=rates)
    result = one(tmp_path, money)
    assert result.status is Outcome.UNKNOWN
    assert result.findings[0].remedy == "modal billing rates"


@pytest.mark.parametrize("cost", ["NaN", "Infinity", "a word", ""])
def test_a_spend_that_is_none_is_left_out(odd: OddModal, tmp_path: Path, cost: str) -> None:
    odd.answers["WorkspaceBillingSummary"] = pb.WorkspaceBillingSummaryResponse(metered_cost=cost, billed_cost=cost)
    assert one(tmp_path, money).status is Outcome.PASS


def test_times_that_no_clock_has_are_no_crash(odd: OddModal, tmp_path: Path) -> None:
    tokens = pb.TokensListResponse()
    tokens.tokens.add(token_id="ak-1", name="laptop", expires_at=1.8e15)
    odd.answers["TokensList"] = tokens
    result = one(tmp_path, auth)
    assert (result.status, "the token's last day is not known" in result.reason) == (Outcome.PASS, True)


@pytest.mark.parametrize("rpc", ["EnvironmentGetOrCreate", "TokensList", "AppList", "SecretGetOrCreate", "VolumeList"])
def test_a_call_that_is_never_answered_ends_and_costs_only_its_own_rows(
    odd: OddModal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rpc: str
) -> None:
    for lookup in (HERE, TOKEN, APPS, SECRET_STATES, VOLUMES):
        monkeypatch.setitem(lookup.__dict__, "timeout_s", 1.0)
    odd.answers[rpc] = 30.0
    results = asked(tmp_path, auth, stale_apps, s3_secret, volume)
    open_rows = {name for name, r in results.items() if r.status is Outcome.BLOCKED}
    assert (
        open_rows
        == {
            "EnvironmentGetOrCreate": {"modal-auth", "stale-apps", "s3-secret", "volume"},
            "TokensList": set(),
            "AppList": {"stale-apps"},
            "SecretGetOrCreate": {"s3-secret"},
            "VolumeList": {"volume"},
        }[rpc]
    )
    assert all("no answer after 1 s" in results[name].reason for name in open_rows)


# --- true causes ------------------------------------------------------------------------------------------------


def test_an_environment_that_is_not_there_is_named_by_every_row(odd: OddModal, tmp_path: Path) -> None:
    results = asked(tmp_path, environment="typo")
    assert results["modal-auth"].findings[0].remedy == "-e main"
    assert results["modal-auth"].reason.endswith("environment 'typo' does not exist; there are main and dev")
    others = [r for name, r in results.items() if name != "modal-auth"]
    assert all("environment 'typo' does not exist" in r.reason for r in others), [r.reason for r in others]


def test_which_credentials_were_used_is_named_and_a_variable_beats_the_profile(
    odd: OddModal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODAL_PROFILE", "nope")
    assert "workspace clarity with MODAL_TOKEN_ID" in one(tmp_path, auth).reason


def test_a_service_users_token_is_found_in_its_own_list(odd: OddModal, tmp_path: Path) -> None:
    users = pb.ServiceUserListResponse()
    users.service_users.add(token_id="ak-1", name="ci")
    odd.answers["ServiceUserList"] = users
    assert one(tmp_path, auth).reason.startswith("ci in workspace clarity")


@pytest.mark.parametrize(
    ("answer", "said"),
    [(DENIED, "Must be workspace manager"), (GRPCError(Status.UNIMPLEMENTED, "none"), "not supported")],
)
def test_a_last_day_that_is_not_told_says_why(odd: OddModal, tmp_path: Path, answer: GRPCError, said: str) -> None:
    odd.answers["TokensList"] = answer
    result = one(tmp_path, auth)
    assert result.status is Outcome.PASS
    assert "the token's last day is not known" in result.reason and said in result.reason


@pytest.mark.parametrize(
    ("status", "text", "outcome", "said"),
    [
        (Status.UNAUTHENTICATED, "Token validation failed", Outcome.FAIL, "Token validation failed"),
        (Status.RESOURCE_EXHAUSTED, "slow down", Outcome.BLOCKED, "throttled: slow down"),
        (Status.INVALID_ARGUMENT, "client_version='1.1.0'. Please upgrade", Outcome.FAIL, "Please upgrade"),
        (Status.UNIMPLEMENTED, "none", Outcome.BLOCKED, "not supported by the service"),
    ],
)
def test_a_refused_sign_in_has_its_own_name(
    odd: OddModal, tmp_path: Path, status: Status, text: str, outcome: Outcome, said: str
) -> None:
    odd.answers["WorkspaceNameLookup"] = GRPCError(status, text)
    result = one(tmp_path, auth)
    assert result.status is outcome
    assert said in (result.findings[0].message if result.findings else result.reason)


# --- apps -------------------------------------------------------------------------------------------------------


def listing(*, state: int = pb.APP_STATE_DEPLOYED, name: str = "", created: float | None = None) -> pb.AppListResponse:
    listed = pb.AppListResponse()
    app = listed.apps.add(app_id="ap-1", name=name, description=name, state=state)  # type: ignore[arg-type]
    if created is not None:
        app.metadata.lifecycle.created_at = created
        app.metadata.lifecycle.app_state = state  # type: ignore[assignment]
    return listed


def test_a_deployed_app_without_metadata_is_counted_and_not_offered_for_stopping(odd: OddModal, tmp_path: Path) -> None:
    odd.answers["AppList"] = listing(name="production")
    result = one(tmp_path, stale_apps)
    assert (result.status, result.findings) == (Outcome.PASS, ())
    assert "1 deployed" in result.reason


def test_an_app_of_which_nothing_is_told_is_no_pass(odd: OddModal, tmp_path: Path) -> None:
    odd.answers["AppList"] = listing(state=pb.APP_STATE_EPHEMERAL)
    result = one(tmp_path, stale_apps)
    assert (result.status, "modal app list" in result.reason) == (Outcome.BLOCKED, True)


@pytest.mark.parametrize("answer", [listing(state=99, created=1.0e9), listing(created=1.7e12 * 1000)])
def test_a_state_or_a_time_that_the_client_does_not_know_is_no_crash(
    odd: OddModal, tmp_path: Path, answer: pb.AppListResponse
) -> None:
    odd.answers["AppList"] = answer
    result = one(tmp_path, stale_apps)
    assert result.status is Outcome.BLOCKED
    assert "its answer holds what client" in result.reason
    ended = CliRunner().invoke(cli, ["apps"], standalone_mode=False)
    assert (ended.return_value, "Modal could not be asked: Modal: unexpected answer" in ended.output) == (3, True)


@pytest.mark.parametrize("command", ["apps", "estimate"])
def test_commands_end_with_the_cause_and_not_in_an_internal_error(
    odd: OddModal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    nan = environment(cycle_budget_dollars=math.nan)
    odd.answers |= {"EnvironmentList": pb.EnvironmentListResponse(items=[nan]), "AppList": DENIED}
    words = ["apps"] if command == "apps" else ["estimate", "app.py", "--hours", "2"]
    ended = CliRunner().invoke(cli, words, standalone_mode=False)
    assert ended.return_value == 3, ended.output
    assert ("Must be workspace manager" if command == "apps" else "cycle_budget_dollars is nan") in ended.output


@pytest.mark.parametrize(("hours", "code"), [("20", 0), ("40", 1)])
def test_estimate_and_credits_agree_on_what_does_not_fit_in_the_time_limit(
    odd: OddModal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: str, code: int
) -> None:
    result = one(tmp_path, money, budget=BudgetSettings(hours=Decimal(hours), usd=Decimal(1000)))
    monkeypatch.chdir(tmp_path)
    ended = CliRunner().invoke(cli, ["estimate", "app.py", "--hours", hours], standalone_mode=False)
    assert ended.return_value == code, ended.output
    assert result.status is (Outcome.FAIL if code else Outcome.PASS)
    assert not code or result.findings[0].message in " ".join(ended.output.split())
