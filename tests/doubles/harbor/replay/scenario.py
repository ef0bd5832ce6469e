"""What a recording presupposes, and what happened between its exchanges that it does not hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.doubles.harbor.server import HarborDouble

Step = Callable[[HarborDouble], object]

WRONG_PASSWORD = "Wrong1word"
# The secret that a robot had before its last one.
OLD_SECRET = "<old>"
# Stands for the secrets of our own that recordings hold as markers, by their length.
OWN_SECRETS = {"<secret:15 chars>": "Abcdefgh1234567", "<secret:4 chars>": "Ab1c", "<secret:11 chars>": "Harbor12345"}


@dataclass(frozen=True)
class Scenario:
    """How to replay one recording. Exchanges are named by their place in it, from 0."""

    name: str
    set_up: Step = lambda harbor: None
    # Done to the double before an exchange is sent.
    before: Mapping[int, Step] = field(default_factory=dict)
    # Sent with this in place of the right password or secret.
    wrong: Mapping[int, str] = field(default_factory=dict)
    # Sent with the token of an earlier answer; others with the last one that came.
    tokens: Mapping[int, int] = field(default_factory=dict)
    # The recording kept no Content-Type of requests, which were sent with one all the same.
    sends_json: bool = False
