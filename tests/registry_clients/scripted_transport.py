"""A transport without a network: what it answers is written down beforehand, what is asked is kept."""

from base64 import b64decode
from collections.abc import Callable

from multidict import CIMultiDict, CIMultiDictProxy

from registry_clients.transport import RegistryRequest, RegistryResponse

Script = Callable[[RegistryRequest], RegistryResponse]


class ScriptedTransport:
    """Answers by a function, and remembers each request."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.requests: list[RegistryRequest] = []
        self.is_closed = False

    async def send(self, request: RegistryRequest) -> RegistryResponse:
        """Answer as the script says; what it raises is raised."""
        self.requests.append(request)
        return self._script(request)

    async def aclose(self) -> None:
        """Remember that it was closed."""
        self.is_closed = True

    @property
    def asked(self) -> list[str]:
        """The requests as lines: method, path with query, and who asked."""
        return [f"{request.method} {request.url.path_qs} {who(request)}".strip() for request in self.requests]


def by_path(answers: dict[str, RegistryResponse | Exception]) -> ScriptedTransport:
    """Return a transport that answers by path and query, optionally followed by who asks; else it fails."""

    def script(request: RegistryRequest) -> RegistryResponse:
        path = request.url.path_qs
        answer = answers.get(f"{path} {who(request)}") or answers.get(path)
        assert answer is not None, f"nobody expected {path!r} by {who(request)!r}"
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ScriptedTransport(script)


def response(status: int, body: bytes = b"", **headers: str) -> RegistryResponse:
    """Return an answer; underscores in names of headers stand for dashes."""
    named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return RegistryResponse(status, CIMultiDictProxy(named), body)


def who(request: RegistryRequest) -> str:
    """Return who asks: ``basic NAME:PASSWORD``, ``bearer TOKEN`` or nothing."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme == "Basic":
        return f"basic {b64decode(value).decode()}"
    return f"bearer {value}" if scheme == "Bearer" else ""
