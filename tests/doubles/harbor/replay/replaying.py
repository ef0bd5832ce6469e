"""Recorded requests sent to the double, over a socket and byte for byte, and what came back."""

import base64
import http.client
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.doubles.harbor.recorded import recorded_exchanges
from tests.doubles.harbor.replay.comparison import ReplayedAnswer, differences
from tests.doubles.harbor.replay.scenario import OLD_SECRET, OWN_SECRETS, WRONG_PASSWORD, Scenario
from tests.doubles.harbor.replay.world import RECORDED_AT, TickingClock, build_world
from tests.doubles.harbor.server import HarborDouble, running_harbor

_TIMEOUT_SECONDS = 20
_RECORDED_URL = "http://127.0.0.1:8080"
_BINARY = re.compile(r"<binary:(\d+) bytes>")


@dataclass(frozen=True)
class ReplayedExchange:
    """One exchange, and in what the double answered otherwise."""

    scenario: str
    place: int
    what: str
    differences: list[str]

    @property
    def is_alike(self) -> bool:
        """Whether it answered as recorded."""
        return not self.differences


def replay(scenario: Scenario) -> list[ReplayedExchange]:
    """Send all requests of a recording to a fresh double, in order."""
    exchanges = recorded_exchanges(scenario.name)
    counted = Counter(name for one in exchanges if "request" in one for name in one["response"]["headers"])
    kept = frozenset(counted)
    with running_harbor(external_url=_RECORDED_URL, clock=TickingClock(RECORDED_AT)) as harbor:
        build_world(harbor)
        scenario.set_up(harbor)
        sender = _Sender(harbor, scenario)
        return [
            ReplayedExchange(
                scenario.name, place, one["what"], differences(one["response"], sender.send(place, one), kept)
            )
            for place, one in enumerate(exchanges)
            if "request" in one
        ]


class _Sender:
    def __init__(self, harbor: HarborDouble, scenario: Scenario) -> None:
        self._harbor = harbor
        self._scenario = scenario
        self._tokens: dict[int, str] = {}
        # The secrets that a client knows, by robot: what it was told, and what it set.
        self._secrets: dict[int, list[str]] = {}

    def send(self, place: int, exchange: Mapping[str, Any]) -> ReplayedAnswer:
        if place in self._scenario.before:
            self._scenario.before[place](self._harbor)
        request = exchange["request"]
        connection = http.client.HTTPConnection("127.0.0.1", self._harbor.port, timeout=_TIMEOUT_SECONDS)
        try:
            # A marker in a recorded path has a blank, which no path can have.
            path = request["path"].replace(" ", "%20")
            connection.putrequest(request["method"], path, skip_accept_encoding=True)
            for name, value in request["headers"].items():
                connection.putheader(name, self._credential(place, value) if name == "Authorization" else value)
            body = _body(request["body"])
            if body and self._scenario.sends_json:
                connection.putheader("Content-Type", "application/json")
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            answer = ReplayedAnswer(response.status, tuple(response.getheaders()), response.read())
        finally:
            connection.close()
        if request["path"].startswith("/service/token") and answer.status == 200:
            self._tokens[place] = json.loads(answer.body)["token"]
        if request["path"].startswith("/api/v2.0/robots") and answer.status in (200, 201):
            self._learn_secret(request, body, json.loads(answer.body or b"{}"))
        return answer

    def _learn_secret(self, request: Mapping[str, Any], sent: bytes, told: Any) -> None:
        if request["method"] == "POST":
            self._secrets[told["id"]] = [told["secret"]]
        if request["method"] == "PATCH":
            robot_id = int(request["path"].rpartition("/")[2])
            self._secrets[robot_id].append(told.get("secret") or json.loads(sent)["secret"])

    def _credential(self, place: int, value: str) -> str:
        scheme, _, name = value.partition(" ")
        if scheme == "bearer":
            if name != "<token>":
                return f"Bearer {name}"
            return f"Bearer {self._tokens[self._scenario.tokens.get(place, max(self._tokens))]}"
        if scheme != "basic":
            return value
        password = self._password(place, name)
        return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"

    def _password(self, place: int, name: str) -> str:
        wrong = self._scenario.wrong.get(place)
        with self._harbor.paused() as state:
            robot, user = state.robot_named(name), state.users.get(name)
            known = (
                self._secrets.get(robot.id, [robot.secret]) if robot else [user.password if user else WRONG_PASSWORD]
            )
        if wrong is None:
            return known[-1]
        return known[-2] if wrong == OLD_SECRET else wrong


def _body(recorded: Any) -> bytes:
    if recorded is None:
        return b""
    binary = _BINARY.fullmatch(recorded) if isinstance(recorded, str) else None
    if binary:
        return bytes(int(binary[1]))
    text = recorded if isinstance(recorded, str) else json.dumps(recorded)
    for marker, secret in OWN_SECRETS.items():
        text = text.replace(marker, secret)
    return text.encode()
