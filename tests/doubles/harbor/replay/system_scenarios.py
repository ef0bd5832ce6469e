"""Scenarios about the system: who calls, health, settings, read-only, errors, versions."""

from tests.doubles.harbor.recorded import recorded_exchanges
from tests.doubles.harbor.replay.scenario import WRONG_PASSWORD, Scenario
from tests.doubles.harbor.replay.world import next_ids, small_image, store
from tests.doubles.harbor.server import HarborDouble

_PULL_TEAM = {"team": "repository:pull"}
_STORED_BYTES = 3327049


def _authentication(harbor: HarborDouble) -> None:
    harbor.create_robot("auth-pull", _PULL_TEAM)
    next_ids(harbor, project=70)


def _system(harbor: HarborDouble) -> None:
    harbor.create_project("rec-other")
    harbor.push("rec-other/web", "1", small_image())
    store(harbor, _STORED_BYTES)
    harbor.create_robot("sys-pull", _PULL_TEAM)
    harbor.create_robot("sys-seer", {"/": "project:list quota:list audit-log:list"})


def _registry_down(harbor: HarborDouble) -> None:
    store(harbor, _STORED_BYTES)
    harbor.create_robot("down-830b09", _PULL_TEAM)
    next_ids(harbor, project=69)


def _read_only(harbor: HarborDouble) -> None:
    next_ids(harbor, robot=22)
    harbor.create_robot("ro-old", _PULL_TEAM)


def _pulled_three_times(harbor: HarborDouble) -> None:
    for _ in range(3):
        harbor.pull("open/base/web", "1.0")


def _long_log(harbor: HarborDouble) -> None:
    last = recorded_exchanges("by_version")[4]["response"]["body"][0]
    with harbor.paused() as state:
        log = state.audit_log
        log.next_id = 1
        for _ in range(last["id"] - 1):
            log.write("pull", "artifact", "open/hello:latest", "admin")
        log.write(
            last["operation"],
            last["resource_type"],
            last["resource"],
            last["username"],
            description=last["operation_description"],
        )


def _break(component: str, recording: str, exchange: int) -> Scenario:
    body = recorded_exchanges(recording)[exchange]["response"]["body"]
    error = next(one["error"] for one in body["components"] if one["name"] == component)
    return Scenario(
        recording,
        _registry_down,
        before={
            exchange: lambda harbor: harbor.break_component(component, error),
            15: lambda harbor: harbor.mend_component(component),
        },
    )


SYSTEM_SCENARIOS = (
    Scenario("authentication", _authentication, wrong=dict.fromkeys((13, 18, 20), WRONG_PASSWORD), tokens={33: 32}),
    Scenario("health"),
    _break("registry", "health_registry_down", 1),
    _break("jobservice", "health_jobservice_down", 0),
    Scenario("system", _system),
    Scenario("permissions"),
    Scenario("read_only", _read_only),
    Scenario("search_and_errors", _pulled_three_times),
    Scenario("by_version", _long_log),
)
