"""The account's checks on stand-ins for what Modal says: which answer makes which verdict, and which does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from checks.account import auth, client_version, image_builder, stale_apps
from preflight.lookups import Lookup, LookupFailed
from preflight.model import Result, Status
from preflight.problems import Kind, Problem
from preflight.remote.lookups import (
    APPS,
    CLIENT,
    ENVIRONMENT,
    HERE,
    RESOLVED_BUILDER,
    TOKEN,
    WORKSPACE,
    WORKSPACE_BUILDER,
    NoSuchEnvironment,
)
from preflight.remote.modal_sdk import NEEDED
from preflight.remote.modal_types import App, Client, Environment, Here, Token, Workspace
from preflight.settings import ImageBuilderSettings, Settings, StaleAppsSettings
from preflight.testing import NOON, run_check

CLIENT_HERE = Client(
    version="1.6.4",
    builders=("2024.10", "2025.06", "2026.10"),
    builder_override=None,
    override_by=None,
    profile="aws",
    signs_with="profile aws",
    token_id="ak-1",
    environment=None,
    server_url="https://api.example",
)
MAIN = Environment(
    name="main",
    is_default=True,
    builder=None,
    budget_usd=None,
    spend_limit_usd=None,
    spent_usd=0,  # type: ignore[arg-type]
    is_spend_limit_reached=False,
)
THERE = Here(name="main", builder="2025.06")
CLARITY = Workspace(name="clarity", warnings=())
ALICE = Token(id="ak-1", name="laptop", owner="alice", expires=NOON + timedelta(days=30))


def cannot(lookup: Lookup[object], kind: Kind, said: str = "its own words") -> LookupFailed:
    failed = LookupFailed(lookup, said)
    failed.__cause__ = Problem(kind, service="Modal", operation="ask", message=said)
    return failed


# --- modal-auth -------------------------------------------------------------------------------------------------


def auth_of(workspace: object = CLARITY, token: object = ALICE, here: object = THERE, **settings: object) -> Result:
    given = {CLIENT: CLIENT_HERE, WORKSPACE: workspace, TOKEN: token, HERE: here}
    return run_check(auth.CHECK, given, settings=Settings(**settings))  # type: ignore[arg-type]


def test_a_token_that_lasts_passes_and_says_whose_it_is_and_until_when() -> None:
    result = auth_of()
    assert (result.status, result.reason) == (
        Status.PASS,
        "alice in workspace clarity with profile aws; token ends 2026-01-31",
    )


def test_a_token_that_never_ends_passes_without_a_date() -> None:
    assert (
        auth_of(token=replace(ALICE, expires=None)).reason
        == "alice in workspace clarity with profile aws; the token does not end"
    )


@pytest.mark.parametrize(("left", "status"), [(timedelta(days=3, hours=1), Status.PASS), (timedelta(days=2), "warn")])
def test_a_token_that_ends_during_the_run_or_soon_after_warns(left: timedelta, status: Status) -> None:
    assert auth_of(token=replace(ALICE, expires=NOON + left)).status is Status(status)


def test_a_token_whose_row_is_not_told_passes_on_the_sign_in_and_claims_no_date() -> None:
    result = auth_of(token=cannot(TOKEN, Kind.FORBIDDEN, "may not list tokens"))
    assert result.status is Status.PASS
    assert "the token's last day is not known: may not list tokens" in result.reason
    assert "Modal does not list it" in auth_of(token=None).reason


@pytest.mark.parametrize(("wanted", "near"), [("typo", "main"), ("de", "dev")])
def test_an_environment_that_is_not_there_fails_with_those_that_are(wanted: str, near: str) -> None:
    missing = LookupFailed(HERE, "its own words")
    missing.__cause__ = NoSuchEnvironment(wanted, ("main", "dev"))
    result = auth_of(here=missing, environment=wanted)
    assert result.status is Status.FAIL
    assert result.findings[0].message == f"environment {wanted!r} does not exist; there are main and dev"
    assert result.findings[0].remedy == f"-e {near}"


def test_an_environment_that_this_token_may_not_use_fails_and_one_that_could_not_be_asked_is_blocked() -> None:
    assert auth_of(here=cannot(HERE, Kind.FORBIDDEN)).status is Status.FAIL
    assert auth_of(here=cannot(HERE, Kind.UNSUPPORTED)).status is Status.BLOCKED


@pytest.mark.parametrize("kind", [Kind.NOT_SIGNED_IN, Kind.REFUSED, Kind.FORBIDDEN, Kind.CLIENT_TOO_OLD])
def test_an_answer_about_the_token_fails_with_a_remedy(kind: Kind) -> None:
    result = auth_of(workspace=cannot(WORKSPACE, kind))
    assert result.status is Status.FAIL
    assert result.findings[0].remedy == auth.REMEDIES[kind]


@pytest.mark.parametrize("kind", [Kind.UNREACHABLE, Kind.NO_ANSWER, Kind.THROTTLED, Kind.UNSUPPORTED])
def test_no_answer_is_blocked_and_never_a_verdict_on_the_token(kind: Kind) -> None:
    result = auth_of(workspace=cannot(WORKSPACE, kind, "connection refused"))
    assert result.status is Status.BLOCKED
    assert "connection refused (https://api.example)" in result.reason


# --- image-builder ----------------------------------------------------------------------------------------------


def builder_of(
    resolved: object = "2025.06",
    *,
    client: Client = CLIENT_HERE,
    environment: object = MAIN,
    workspace: object = "2025.06",
    minimum: str = "2025.06",
) -> Result:
    given = {
        CLIENT: client,
        RESOLVED_BUILDER: client.builder_override or resolved,
        ENVIRONMENT: environment,
        WORKSPACE_BUILDER: workspace,
    }
    settings = Settings(image_builder=ImageBuilderSettings(minimum=minimum))
    return run_check(image_builder.CHECK, given, settings=settings)


@pytest.mark.parametrize("version", ["2025.06", "2026.10"])
def test_the_minimum_and_anything_newer_pass(version: str) -> None:
    assert builder_of(version, workspace=version).status is Status.PASS


def test_an_older_one_than_the_newest_passes_and_names_the_newest() -> None:
    assert builder_of().reason == "2025.06, from the workspace setting (2026.10 is the newest)"
    assert "newest" not in builder_of("2026.10", workspace="2026.10").reason


def test_what_wins_is_judged_and_named_variable_before_environment_before_workspace() -> None:
    old = replace(CLIENT_HERE, builder_override="2024.10", override_by="MODAL_IMAGE_BUILDER_VERSION")
    forced = builder_of(client=old, environment=replace(MAIN, builder="2026.10"))
    assert forced.findings[0].remedy == "export MODAL_IMAGE_BUILDER_VERSION=2025.06, or unset it"
    own = builder_of("2024.10", environment=replace(MAIN, builder="2024.10"), workspace="2026.10")
    assert own.findings[0].remedy == "modal environment update main --set-image-builder-version 2025.06"
    profile = builder_of(client=replace(CLIENT_HERE, builder_override="2024.10", override_by="the profile"))
    assert profile.findings[0].remedy == "modal config set image_builder_version 2025.06"
    general = builder_of("2024.10", workspace="2024.10")
    assert general.findings[0].remedy == "modal workspace settings set image-builder-version 2025.06"


def test_an_environments_own_newer_setting_makes_an_old_workspace_setting_no_problem() -> None:
    assert builder_of(environment=replace(MAIN, builder="2025.06"), workspace="2023.12").status is Status.PASS


def test_a_preview_is_a_warning_since_it_has_no_date_to_compare() -> None:
    assert builder_of("PREVIEW", workspace="PREVIEW").status is Status.WARN


def test_settings_that_may_not_be_read_are_no_stop_and_are_not_named_as_the_source() -> None:
    denied = cannot(ENVIRONMENT, Kind.FORBIDDEN)
    both = builder_of(environment=denied, workspace=cannot(WORKSPACE_BUILDER, Kind.FORBIDDEN))
    assert (both.status, "Modal's resolved environment" in both.reason) == (Status.PASS, True)
    assert "from the workspace setting" not in builder_of(environment=denied).reason
    assert "Modal's resolved environment" in builder_of(workspace=None).reason  # settings without a version


@pytest.mark.parametrize(
    ("environment", "workspace"), [(MAIN, "2024.04"), (replace(MAIN, builder="2024.04"), "2025.06")]
)
def test_a_setting_that_contradicts_what_modal_resolves_leaves_it_open(
    environment: Environment, workspace: str
) -> None:
    result = builder_of(environment=environment, workspace=workspace)
    assert result.status is Status.BLOCKED
    assert "2025.06" in result.reason and "2024.04" in result.reason


def test_a_builder_that_is_not_told_is_blocked_whatever_the_settings_say() -> None:
    assert builder_of(cannot(RESOLVED_BUILDER, Kind.UNREACHABLE)).status is Status.BLOCKED


# --- client-version ---------------------------------------------------------------------------------------------


def version_of(workspace: Workspace = CLARITY, builder: object = "2025.06", client: Client = CLIENT_HERE) -> Result:
    return run_check(client_version.CHECK, {CLIENT: client, WORKSPACE: workspace, RESOLVED_BUILDER: builder})


def test_a_client_that_is_too_old_to_ask_fails_by_its_name_and_one_that_is_not_there_is_blocked() -> None:
    given = {CLIENT: cannot(CLIENT, Kind.CLIENT_TOO_OLD, "modal 1.2.6 is installed"), WORKSPACE: CLARITY}
    result = run_check(client_version.CHECK, {**given, RESOLVED_BUILDER: "2025.06"})
    assert (result.status, result.findings[0].message) == (Status.FAIL, "modal 1.2.6 is installed")
    given[CLIENT] = cannot(CLIENT, Kind.NOT_FOUND, "No module named modal")
    assert run_check(client_version.CHECK, {**given, RESOLVED_BUILDER: "2025.06"}).status is Status.BLOCKED


def test_the_oldest_client_that_is_asked_is_the_one_that_the_package_demands() -> None:
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8")
    assert f'"modal>={".".join(map(str, NEEDED))}' in text


def test_a_builder_that_is_not_known_is_no_fit() -> None:
    assert version_of(builder=cannot(RESOLVED_BUILDER, Kind.FORBIDDEN)).status is Status.BLOCKED


def test_a_server_that_was_not_asked_for_warnings_has_not_said_that_it_has_none() -> None:
    assert version_of(replace(CLARITY, is_greeted=False)).status is Status.BLOCKED


def test_a_quiet_server_and_a_known_builder_pass() -> None:
    assert version_of().status is Status.PASS


def test_each_warning_of_the_server_is_shown_in_its_own_words() -> None:
    result = version_of(Workspace(name="clarity", warnings=("1.6.4 ends on 2027-01-01",)))
    assert (result.status, result.findings[0].message) == (Status.WARN, "the server says: 1.6.4 ends on 2027-01-01")


def test_a_builder_newer_than_the_client_fails() -> None:
    old = replace(CLIENT_HERE, version="1.6.0", builders=("2024.10", "2025.06"))
    assert version_of(builder="2026.10", client=old).status is Status.FAIL


@pytest.mark.parametrize("builder", ["2024.10", "PREVIEW"])
def test_a_builder_that_the_client_knows_or_a_preview_is_no_mismatch(builder: str) -> None:
    assert version_of(builder=builder).status is Status.PASS


# --- stale-apps -------------------------------------------------------------------------------------------------

RUN = App(id="ap-1", description="train", state="ephemeral", created=NOON - timedelta(hours=30), created_by="alice")


def stale_of(*apps: App, **settings: object) -> Result:
    stale = StaleAppsSettings(**settings)  # type: ignore[arg-type]
    return run_check(stale_apps.CHECK, {APPS: apps}, settings=Settings(stale_apps=stale))


def test_a_run_older_than_a_day_is_named_with_its_age_and_how_to_stop_it() -> None:
    result = stale_of(RUN)
    assert result.status is Status.WARN
    assert result.findings[0].message == "train (ap-1, ephemeral) was started 30 h ago by alice"
    assert result.findings[0].remedy == "modal app stop ap-1 --yes"


def test_an_app_whose_state_modal_does_not_tell_is_not_offered_for_stopping_and_no_pass() -> None:
    result = stale_of(replace(RUN, state="unknown", created=None))
    assert result.status is Status.BLOCKED
    assert "of ap-1 Modal does not tell the state" in result.reason
    both = stale_of(RUN, replace(RUN, id="ap-2", state="unknown", created=None))
    assert both.status is Status.WARN
    assert [f.remedy for f in both.findings] == ["modal app stop ap-1 --yes"]


@pytest.mark.parametrize(
    "app",
    [
        replace(RUN, created=NOON - timedelta(hours=23)),
        replace(RUN, state="deployed"),
        replace(RUN, state="stopped"),
        replace(RUN, state="deployed", created=None),
        replace(RUN, created=datetime(2026, 2, 1, tzinfo=UTC)),  # a clock that is off is no forgotten app
    ],
)
def test_a_young_run_a_deployment_and_what_has_ended_are_not_forgotten(app: App) -> None:
    assert stale_of(app).status is Status.PASS


def test_a_run_that_is_meant_to_be_there_is_not_named_by_description_or_id() -> None:
    assert stale_of(RUN, ignore=("train",)).status is Status.PASS
    assert stale_of(RUN, ignore=("ap-1",)).status is Status.PASS
    assert stale_of(RUN, older_than="2d").status is Status.PASS
