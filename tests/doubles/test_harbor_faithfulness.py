"""The Harbor double answers as a real one was recorded to."""

import json
from functools import cache

import pytest

from tests.doubles.harbor.recorded import FOLDER, recorded_exchanges
from tests.doubles.harbor.replay.comparison import ReplayedAnswer, differences
from tests.doubles.harbor.replay.left_out import EXCHANGES, WHOLE_RECORDINGS
from tests.doubles.harbor.replay.project_scenarios import PROJECT_SCENARIOS
from tests.doubles.harbor.replay.replaying import ReplayedExchange, replay
from tests.doubles.harbor.replay.robot_scenarios import ROBOT_SCENARIOS
from tests.doubles.harbor.replay.system_scenarios import SYSTEM_SCENARIOS

SCENARIOS = {one.name: one for one in (*SYSTEM_SCENARIOS, *PROJECT_SCENARIOS, *ROBOT_SCENARIOS)}


@cache
def replayed(name: str) -> list[ReplayedExchange]:
    return replay(SCENARIOS[name])


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_recording_is_answered_alike_but_for_what_is_left_out(name: str) -> None:
    left_out = {place for scenario, place in EXCHANGES if scenario == name}
    unlike = {one.place: one for one in replayed(name) if not one.is_alike}
    surprising = [one for place, one in unlike.items() if place not in left_out]
    assert surprising == [], "\n".join(f"{one.place} {one.what}: {one.differences}" for one in surprising)
    assert left_out == unlike.keys(), "answered alike by now: take it out of left_out.py"


def test_every_recording_is_replayed_or_left_out() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == SCENARIOS.keys() | WHOLE_RECORDINGS.keys()


def test_the_share_answered_alike_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    recorded = {
        path.stem: sum("request" in one for one in recorded_exchanges(path.stem)) for path in FOLDER.glob("*.json")
    }
    alike = sum(one.is_alike for name in SCENARIOS for one in replayed(name))
    left_out = len(EXCHANGES) + sum(recorded[name] for name in WHOLE_RECORDINGS)
    with capsys.disabled():
        print(f"\nharbor double: {alike} of {sum(recorded.values())} recorded exchanges answered alike; left out:")  # noqa: T201
        for recording, reason in WHOLE_RECORDINGS.items():
            print(f"  {recording} (all {recorded[recording]}): {reason}")  # noqa: T201
        for (scenario, place), reason in EXCHANGES.items():
            print(f"  {scenario} {place} ({recorded_exchanges(scenario)[place]['what']}): {reason}")  # noqa: T201
    assert alike + left_out == sum(recorded.values())


RECORDED = {
    "status": 200,
    "headers": {"content-type": "application/json", "x-total-count": "1", "x-request-id": "a"},
    "body": [
        {"id": 7, "name": "web", "creation_time": "2026-11-24T12:00:00.000Z", "pull_time": "0001-01-01T00:00:00.000Z"}
    ],
}
KEPT = frozenset(RECORDED["headers"])  # type: ignore[call-overload]
ALIKE_BODY = [
    {"id": 7, "name": "web", "creation_time": "2027-01-01T00:00:00.123Z", "pull_time": "0001-01-01T00:00:00.000Z"}
]


def answer(status: int = 200, body: object = ALIKE_BODY, **headers: str | None) -> ReplayedAnswer:
    sent = {"content_type": "application/json", "x_total_count": "1", "x_request_id": "b"} | headers
    return ReplayedAnswer(
        status,
        tuple((name.replace("_", "-"), value) for name, value in sent.items() if value is not None),
        json.dumps(body).encode(),
    )


def test_other_times_and_request_ids_are_alike() -> None:
    assert differences(RECORDED, answer(), KEPT) == []


@pytest.mark.parametrize(
    "unlike",
    [
        answer(201),
        answer(content_type="text/html"),
        answer(x_total_count="2"),
        answer(x_total_count=None),
        answer(x_request_id=None),
        answer(body=[]),
        answer(body=[*ALIKE_BODY, *ALIKE_BODY]),
        answer(body=[ALIKE_BODY[0] | {"id": 8}]),
        answer(body=[ALIKE_BODY[0] | {"more": None}]),
        answer(body=[{name: value for name, value in ALIKE_BODY[0].items() if name != "name"}]),
        answer(body=[ALIKE_BODY[0] | {"creation_time": "0001-01-01T00:00:00.000Z"}]),
        answer(body=[ALIKE_BODY[0] | {"pull_time": "2026-11-24T12:00:00.000Z"}]),
        answer(body=[ALIKE_BODY[0] | {"creation_time": "yesterday"}]),
        answer(body=None),
    ],
)
def test_whatever_else_differs_is_seen(unlike: ReplayedAnswer) -> None:
    assert len(differences(RECORDED, unlike, KEPT)) == 1
