"""Which function answers which path. Paths are matched as they came, before anything is decoded."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from tests.doubles.harbor.answers import Answer
from tests.doubles.harbor.requests import Call
from tests.doubles.harbor.surroundings import Surroundings

Handler = Callable[[Surroundings, Call], Answer]

API = "/api/v2.0"


@dataclass(frozen=True)
class Route:
    """A method, a path with names in braces, and what answers."""

    method: str
    template: str
    handler: Handler


@dataclass(frozen=True)
class Match:
    """What a path led to."""

    template: str
    parameters: Mapping[str, str]
    handlers: Mapping[str, Handler]


class Router:
    """Finds routes by segments; a name in braces stands for one segment."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes: dict[str, dict[str, Handler]] = {}
        for route in routes:
            self._routes.setdefault(route.template, {})[route.method] = route.handler

    def find(self, raw_path: str) -> Match | None:
        """Return where a path leads: templates without names go first. None when nowhere."""
        segments = raw_path.strip("/").split("/")
        best: Match | None = None
        for template, handlers in self._routes.items():
            parameters = _matched(template.strip("/").split("/"), segments)
            if parameters is not None and (best is None or len(parameters) < len(best.parameters)):
                best = Match(template, parameters, handlers)
        return best


def _matched(template: list[str], segments: list[str]) -> dict[str, str] | None:
    parameters: dict[str, str] = {}
    if len(template) != len(segments):
        return None
    for expected, actual in zip(template, segments, strict=True):
        if expected.startswith("{"):
            if not actual:
                return None
            parameters[expected[1:-1]] = unquote(actual)
        elif expected != actual:
            return None
    return parameters
