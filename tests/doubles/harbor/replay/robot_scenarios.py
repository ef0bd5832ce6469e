"""Scenarios about robots, tokens, the registry side and the audit log."""

from datetime import UTC, datetime, timedelta

from tests.doubles.harbor.replay.scenario import OLD_SECRET, OWN_SECRETS, WRONG_PASSWORD, Scenario
from tests.doubles.harbor.replay.world import TickingClock, hello_image, next_ids, small_image
from tests.doubles.harbor.server import HarborDouble
from tests.doubles.harbor.state import HarborState

_PULL_BOTH = {"team": "repository:pull", "open": "repository:pull"}
_READER = {
    "/": "project:list quota:list quota:read audit-log:list robot:list robot:read",
    "*": "project:read quota:read repository:list repository:read artifact:list artifact:read tag:list",
}
_AUDIT_AT = datetime(2026, 11, 24, 12, 20, 53, tzinfo=UTC)
_TOKEN_LIFE = timedelta(minutes=2, seconds=1)


def _robots_manage(harbor: HarborDouble) -> None:
    next_ids(harbor, robot=39)


def _made_by_administrator(harbor: HarborDouble) -> None:
    harbor.create_robot("space-other", _PULL_BOTH)


def _robots_pull(harbor: HarborDouble) -> None:
    next_ids(harbor, robot=33)
    harbor.create_robot("pull-a1", _PULL_BOTH)


def _registry(harbor: HarborDouble) -> None:
    harbor.create_robot("reg-pull", _PULL_BOTH)


def _fill(state: HarborState, count: int, operation: str, kind: str, resource: str, username: str = "admin") -> None:
    for _ in range(count):
        state.audit_log.write(operation, kind, resource, username)


def _audit(harbor: HarborDouble) -> None:
    """Write a history whose totals are those recorded, then do what the recorder did."""
    with harbor.paused() as state:
        state.audit_log.next_id = 1
        # 27 entries are like rec-audit in the end, 8 of outsider, 667 and 665 make and delete projects.
        _fill(state, 3, "create", "project", "rec-audit", "outsider")
        _fill(state, 3, "delete", "project", "rec-audit", "outsider")
        _fill(state, 12, "update", "project", "rec-audit")
        _fill(state, 662, "create", "project", "zz")
        _fill(state, 660, "delete", "project", "zz")
        _fill(state, 2095 - state.audit_log.next_id + 1 - 426, "pull", "artifact", "open/hello:latest")
        team = state.project_named("team")
        assert team is not None
        accessories = [one.image for one in team.repositories["app/web"].artifacts if one.subject_id]
        for number in range(424):
            state.audit_log.write("pull", "artifact", f"team/app/web:{number}", "admin", project_id=team.id)
        for image in accessories:
            state.push(team, "app/web", image, None)
        # The history is over before the recorder begins.
        clock = state.clock
        assert isinstance(clock, TickingClock)
        clock.now = _AUDIT_AT
    harbor.create_project("rec-audit")
    harbor.set_public("rec-audit", True)
    name, _ = harbor.create_robot("audit-a1", _PULL_BOTH)
    harbor.delete_robot(name)
    digest = harbor.push("rec-audit/web", "1", small_image())
    harbor.pull("rec-audit/web", "1")
    with harbor.paused() as state:
        member = "create user member dev in project rec-audit"
        state.audit_log.write("create", "member", "dev", "admin", description=member)
        state.change_settings({})
    harbor.delete_artifact("rec-audit/web", digest)
    harbor.delete_repository("rec-audit/web")
    harbor.delete_project("rec-audit")
    with harbor.paused() as state:
        project = state.create_project("rec-audit", {}, state.users["outsider"], actor="outsider")
        state.delete_project(project, "outsider")


def _audit_tail(harbor: HarborDouble) -> None:
    next_ids(harbor, project=902)
    with harbor.paused() as state:
        state.audit_log.is_skipped = True
        harbor.create_robot("reader", _READER)
        state.audit_log.is_skipped = False
        state.audit_log.next_id = 1
        _fill(state, 2515, "create", "project", "zz")
        _fill(state, 1, "delete", "project", "zz-0199")


def _copied(harbor: HarborDouble) -> None:
    harbor.pull("open/hello", "latest")
    harbor.push("rec-tail/hello", "1", hello_image())


ROBOT_SCENARIOS = (
    Scenario(
        "robots_manage",
        _robots_manage,
        before={
            64: _made_by_administrator,
            68: lambda harbor: harbor.create_project("rec-gone"),
            69: lambda harbor: harbor.delete_project("rec-gone"),
        },
        wrong={42: OWN_SECRETS["<secret:15 chars>"], 50: OLD_SECRET},
    ),
    Scenario(
        "robots_pull",
        _robots_pull,
        before={40: lambda harbor: harbor.let_time_pass(_TOKEN_LIFE)},
        wrong=dict.fromkeys((2, 5), WRONG_PASSWORD),
        tokens={6: 5, 14: 8, 15: 8, 19: 4, 24: 23, 28: 8, 38: 8, 39: 32, 40: 32},
    ),
    Scenario("robot_prefix", lambda harbor: next_ids(harbor, robot=27)),
    Scenario("registry", _registry),
    Scenario(
        "audit",
        _audit,
        before={17: lambda harbor: harbor.create_robot("audit-reader", {"/": "audit-log:list"})},
    ),
    Scenario("audit_tail", _audit_tail, before={5: _copied}, sends_json=True),
)
