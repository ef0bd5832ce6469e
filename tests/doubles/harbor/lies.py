"""Answers that are not Harbor's: what stands in front of it, or between, or what breaks in it."""

from dataclasses import dataclass, replace
from enum import Enum

from tests.doubles.harbor.answers import Answer, bad_gateway

_HUGE_BYTES = 50 * 1024 * 1024
_LOGIN_PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Sign in to go on</body></html>\n"


class Lie(Enum):
    """A way of answering badly."""

    HTML_IN_FRONT = "a web page with status 200, as a proxy's login gives"
    HUGE_BODY = "50 MB of it"
    TOTAL_COUNT_MISSING = "no X-Total-Count"
    TOTAL_COUNT_WRONG = "an X-Total-Count far too large"
    TOTAL_COUNT_ZERO = "an X-Total-Count of 0"
    TRUNCATED_JSON = "half of the body, with a length that fits"
    EMPTY_BAD_GATEWAY = "502 and nothing; it was not reached"
    ANSWER_LOST = "502 and nothing, though it did what was asked"
    CONNECTION_CUT = "no answer and the connection cut, though it did what was asked"
    NO_ANSWER = "no answer, as long as somebody waits for it, though it did what was asked"

    @property
    def is_in_front(self) -> bool:
        """Whether the request does not get through."""
        return self in (Lie.HTML_IN_FRONT, Lie.EMPTY_BAD_GATEWAY)


@dataclass(frozen=True)
class ToldLie:
    """A lie told for every path that begins so, for one method or for all."""

    lie: Lie
    path_prefix: str
    method: str | None = None

    def is_about(self, method: str, raw_path: str) -> bool:
        """Tell whether it is told for a call."""
        return raw_path.startswith(self.path_prefix) and self.method in (None, method)

    def told(self, answer: Answer) -> Answer:
        """Return the answer, made false."""
        return _told(self.lie, answer)


def _told(lie: Lie, answer: Answer) -> Answer:
    headers = {key: value for key, value in answer.headers.items() if key != "X-Total-Count"}
    match lie:
        case Lie.HTML_IN_FRONT:
            return Answer(200, _LOGIN_PAGE, "text/html; charset=utf-8", cookies=())
        case Lie.HUGE_BODY:
            return replace(answer, body=b'["' + b"x" * _HUGE_BYTES + b'"]')
        case Lie.TOTAL_COUNT_MISSING:
            return replace(answer, headers=headers)
        case Lie.TOTAL_COUNT_WRONG:
            return replace(answer, headers=headers | {"X-Total-Count": "1000000"})
        case Lie.TOTAL_COUNT_ZERO:
            return replace(answer, headers=headers | {"X-Total-Count": "0"})
        case Lie.TRUNCATED_JSON:
            return replace(answer, body=answer.body[: len(answer.body) // 2])
        case Lie.EMPTY_BAD_GATEWAY | Lie.ANSWER_LOST | Lie.CONNECTION_CUT | Lie.NO_ANSWER:
            return bad_gateway()
