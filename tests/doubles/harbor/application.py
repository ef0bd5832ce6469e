"""The double's web application: what stands before and behind every route."""

import asyncio
import http.cookies
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import hdrs, web
from multidict import CIMultiDict

from tests.doubles.harbor import answers
from tests.doubles.harbor.answers import Answer, Refused
from tests.doubles.harbor.callers import Authenticator, Caller
from tests.doubles.harbor.calls import CallLog, CountedCall
from tests.doubles.harbor.lies import Lie, ToldLie
from tests.doubles.harbor.requests import Call, HarborRequest
from tests.doubles.harbor.routes import (
    artifacts,
    audit,
    health_and_system,
    members,
    projects,
    quotas,
    registry,
    repositories,
    robots,
    users,
)
from tests.doubles.harbor.routing import API, Router
from tests.doubles.harbor.surroundings import Surroundings

ROUTER = Router(
    route
    for module in (
        health_and_system,
        users,
        projects,
        repositories,
        artifacts,
        robots,
        quotas,
        audit,
        members,
    )
    for route in module.ROUTES
)

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
# Go's server gives no length to what is larger than its buffer.
_BUFFER_BYTES = 2048
# In read-only mode these can be written all the same: how else would it end.
_WRITABLE_WHEN_READ_ONLY = (f"{API}/configurations", "/c/login", "/service/token")

_SILENCE_POLL_SECONDS = 0.02

Hook = Callable[[HarborRequest], None]


@dataclass
class Behaviour:
    """How it answers, apart from what it knows; tests change it while it runs."""

    path_prefix: str = ""
    slow_seconds: float = 0.0
    lies: list[ToldLie] = field(default_factory=list)
    before_each_call: Hook | None = None


class HarborApplication:
    """Answers requests, one at a time under a lock that the portal's methods take too."""

    def __init__(
        self, harbor: Surroundings, authenticator: Authenticator, calls: CallLog, lock: threading.RLock
    ) -> None:
        self._harbor = harbor
        self._authenticator = authenticator
        self._calls = calls
        self._lock = lock
        self.behaviour = Behaviour()
        self.failures: list[Exception] = []

    def build(self) -> web.Application:
        """Return the application for a server."""
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._serve)
        return application

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        read = HarborRequest(
            request.method,
            request.raw_path.partition("?")[0],
            urlsplit(request.raw_path).query,
            request.headers,
            await request.read(),
        )
        if self.behaviour.before_each_call is not None:
            with self._lock:
                self.behaviour.before_each_call(read)
        path = read.raw_path.removeprefix(self.behaviour.path_prefix)
        if not read.raw_path.startswith(self.behaviour.path_prefix):
            answer = answers.page_not_found(from_portal=True)
        else:
            with self._calls.under_way():
                answer = await self._answer(HarborRequest(read.method, path, read.raw_query, read.headers, read.body))
        told = [lie for lie in self.behaviour.lies if lie.is_about(read.method, path)]
        for lie in told:
            answer = lie.told(answer)
        await _keep_silent(request, {lie.lie for lie in told})
        return _response(request, answer, request.headers.get("X-Request-Id") or str(uuid.uuid4()))

    async def _answer(self, request: HarborRequest) -> Answer:
        if self.behaviour.slow_seconds:
            await asyncio.sleep(self.behaviour.slow_seconds)
        caller = await self._authenticator.recognise(request.headers)
        with self._lock:
            template, respond = self._find(request, caller)
            self._count(request, template, caller)
            if any(
                one.lie.is_in_front and one.is_about(request.method, request.raw_path) for one in self.behaviour.lies
            ):
                return answers.bad_gateway()
            try:
                early = self._refused_early(request)
                return early if early is not None else respond()
            except Refused as refused:
                return refused.answer
            except Exception as failure:
                # A request that nobody thought of: the test must hear of it, not its client alone.
                self.failures.append(failure)
                return answers.internal_error().answer

    def _refused_early(self, request: HarborRequest) -> Answer | None:
        if request.method in _SAFE_METHODS:
            return None
        if self._harbor.state.settings["read_only"] and request.raw_path not in _WRITABLE_WHEN_READ_ONLY:
            return answers.read_only_refusal()
        # Any session cookie, good or made up, asks for a token against forgery, whatever else proves the caller.
        cookies = http.cookies.SimpleCookie(request.headers.get("Cookie", ""))
        is_guarded = request.raw_path.startswith(("/api/", "/c/"))
        if is_guarded and ("sid" in cookies or request.raw_path.startswith("/c/")):
            return answers.csrf_refusal()
        return None

    def _find(self, request: HarborRequest, caller: Caller) -> tuple[str, Callable[[], Answer]]:
        path = request.raw_path
        if path == "/service/token":
            return path, lambda: registry.token(self._harbor, request, caller)
        if path == "/v2" or path.startswith("/v2/"):
            return registry.template_of(path), lambda: registry.registry(self._harbor, request, caller)
        if path == "/api/version" or path.startswith(f"{API}/"):
            return self._find_route(request, caller)
        return path, lambda: answers.page_not_found(from_portal=not path.startswith("/api/"))

    def _find_route(self, request: HarborRequest, caller: Caller) -> tuple[str, Callable[[], Answer]]:
        path = "/" + "/".join(filter(None, request.raw_path.split("/")))
        match = ROUTER.find(path)
        if match is None:

            def unknown() -> Answer:
                raise Refused(404, "NOT_FOUND", f"path {request.raw_path} was not found")

            return path, unknown
        handler = match.handlers.get(request.method)
        call = Call(request, match.template, match.parameters, caller)

        def respond() -> Answer:
            if handler is None:
                allowed = ",".join(match.handlers)
                raise Refused(
                    405,
                    "METHOD_NOT_ALLOWED",
                    f"method {request.method} is not allowed, but [{allowed}] are",
                )
            accepted = request.headers.get("Accept", "*/*")
            if not any(part in accepted for part in ("*/*", "application/json", "application/*", "text/plain")):
                raise answers.unprocessable("unsupported media type requested, only [application/json] are available")
            return handler(self._harbor, call)

        return match.template, respond

    def _count(self, request: HarborRequest, template: str, caller: Caller) -> None:
        is_refused = caller.scheme == "basic" and not caller.is_known
        credential = f"refused {caller.name}" if is_refused else caller.label
        address = f"{request.raw_path}?{request.raw_query}" if request.raw_query else request.raw_path
        # The credential is counted by its name; what proves it is kept nowhere.
        headers = CIMultiDict(request.headers)
        headers.popall(hdrs.AUTHORIZATION, None)
        self._calls.add(CountedCall(request.method, template, credential, address, headers))


async def _keep_silent(request: web.Request, lies: set[Lie]) -> None:
    transport = request.transport
    # A transport has no event for its end.
    while Lie.NO_ANSWER in lies and transport is not None and not transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(_SILENCE_POLL_SECONDS)
    if Lie.CONNECTION_CUT in lies and transport is not None:
        transport.abort()


def _response(request: web.Request, answer: Answer, request_id: str) -> web.StreamResponse:
    response = web.Response(status=answer.status, body=answer.body)
    response.headers.update(answer.headers)
    response.headers["X-Request-Id"] = request_id
    if answer.content_type is not None:
        response.headers[hdrs.CONTENT_TYPE] = answer.content_type
    for name in answer.cookies:
        response.headers.add(hdrs.SET_COOKIE, _cookie(name))
    # A manifest has its length, however long.
    if len(answer.body) > _BUFFER_BYTES and request.method != "HEAD" and "Etag" not in answer.headers:
        response.enable_chunked_encoding()
    return response


def _cookie(name: str) -> str:
    if name == "sid":
        return f"sid={uuid.uuid4().hex}; Path=/; HttpOnly"
    return f"{name}={'g' * 144}; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict"
