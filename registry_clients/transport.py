"""Bytes to registries and back: one request, one whole answer, under every limit that we set.

`RegistryTransport` is what clients need; a test hands in one that replays recorded answers.
`AiohttpTransport` is the real one. It never answers with half a body, follows no redirect to another place,
keeps no cookie and raises `RegistryError` alone.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, Self

import aiohttp
import stamina
from multidict import CIMultiDictProxy
from yarl import URL

from registry_clients.addresses import AddressPolicy, GuardedResolver
from registry_clients.aiohttp_failures import AIOHTTP_FAILURES, registry_error_of
from registry_clients.endpoint import TlsTrust, shown_host
from registry_clients.errors import (
    AnswerTooLarge,
    ConnectionFailed,
    RegistryError,
    TimedOut,
    TlsNotTrusted,
    UnexpectedAnswer,
)
from registry_clients.name_lookups import NameLookups
from registry_clients.redirects import MAX_REDIRECTS, is_redirect, redirect_target

USER_AGENT = "integrated-registry/0.1"

_RETRIED_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class RegistryRequest:
    """One call to a registry.

    ``timeout_seconds`` replaces both the total and the read deadline of the settings for a call that is known
    to be slower or must be faster. ``is_retried`` is False for a probe: it reports what it saw at first.
    Headers and body stay out of repr, as a credential may be in either.
    """

    method: str
    url: URL
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_seconds: float | None = None
    is_retried: bool = True
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RegistryResponse:
    """A whole answer of any status. The body stays out of repr: a token may be in it."""

    status: int
    headers: CIMultiDictProxy[str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class TransportSettings:
    """The limits of each call; the total holds for all its redirects and retries together."""

    connect_timeout_seconds: float = 3
    read_timeout_seconds: float = 5
    total_timeout_seconds: float = 10
    idle_timeout_seconds: float = 60
    """How long a connection is kept for the next call: longer than from probe to probe, for TLS costs most."""

    max_answer_bytes: int = 8 * 1024 * 1024
    connections: int = 8
    attempts: int = 2


class RegistryTransport(Protocol):
    """How a client reaches its registry."""

    async def send(self, request: RegistryRequest) -> RegistryResponse:
        """Return the answer, whatever its status. Raises RegistryError when there is none to be had."""
        ...

    async def aclose(self) -> None:
        """Close all connections. May be called twice."""
        ...


class AiohttpTransport:
    """The connections to one registry (and its token server), by aiohttp.

    Each registry has a pool of its own, so that a slow one keeps no other waiting.
    """

    def __init__(self, policy: AddressPolicy, settings: TransportSettings, tls: ssl.SSLContext | bool = True) -> None:
        """Make it inside the running loop. ``tls``: a context, True for the system's trust, False for any."""
        self._policy = policy
        self._settings = settings
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=settings.connections,
                limit_per_host=settings.connections,
                resolver=GuardedResolver(NameLookups(), policy),
                # Names are few and connections are kept: no need for an answer that could be out of date.
                use_dns_cache=False,
                keepalive_timeout=settings.idle_timeout_seconds,
                ssl=tls,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Identity: what isn't compressed can't blow up. Registries don't compress their API anyway.
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
            auto_decompress=False,
            trust_env=False,
            raise_for_status=False,
        )

    @classmethod
    async def open(cls, tls: TlsTrust, policy: AddressPolicy, settings: TransportSettings) -> Self:
        """Make a transport that trusts as told. Raises TlsNotTrusted when the certificates can't be used."""
        if tls.is_verification_skipped:
            return cls(policy, settings, tls=False)
        if tls.ca_certificate_pem is None:
            # aiohttp has one context for all who trust the system; a context each would cost 0.9 MB.
            return cls(policy, settings, tls=True)
        try:
            context = await asyncio.to_thread(_own_authority_context, tls.ca_certificate_pem)
        except (ssl.SSLError, ValueError) as error:
            raise TlsNotTrusted("The CA certificate of this registry can't be used: give another.") from error
        return cls(policy, settings, tls=context)

    async def send(self, request: RegistryRequest) -> RegistryResponse:
        """Return the answer; GET and HEAD are tried again when that may help and time is left."""
        seconds = request.timeout_seconds or self._settings.total_timeout_seconds
        failure: RegistryError | None = None
        try:
            async with asyncio.timeout(seconds):
                if not (request.is_retried and request.method in _RETRIED_METHODS):
                    return await self._send_once(request)
                async for attempt in self._attempts():
                    with attempt:
                        try:
                            return await self._send_once(request)
                        except RegistryError as error:
                            failure = error
                            raise
        except TimeoutError as error:
            # What went wrong at first says more than that the second try had no time left.
            if failure is not None:
                raise failure from failure.__cause__
            raise TimedOut(f"{shown_host(request.url)} did not answer within {seconds:g} seconds.") from error
        raise AssertionError("an attempt either returns or raises")

    async def aclose(self) -> None:
        """Close all connections; calls under way fail."""
        await self._session.close()

    def _attempts(self) -> AsyncIterator[stamina.Attempt]:
        return stamina.retry_context(
            on=_is_worth_another_try,
            attempts=self._settings.attempts,
            # The deadline is kept outside, where it also ends an attempt that is under way.
            timeout=None,
            wait_initial=0.1,
            wait_jitter=0.2,
            wait_max=1,
        ).__aiter__()

    async def _send_once(self, request: RegistryRequest) -> RegistryResponse:
        url = request.url
        for _ in range(MAX_REDIRECTS + 1):
            self._policy.check_url(url)
            response = await self._exchange(request, url)
            if not is_redirect(response.status):
                return response
            location = response.headers.get("Location")
            if location is not None:
                self._check_location(url, location)
            url = redirect_target(request.method, url, response.status, location)
        raise UnexpectedAnswer(f"{shown_host(request.url)} redirects in a circle.")

    def _check_location(self, url: URL, location: str) -> None:
        # A redirect to a forbidden address says so, rather than that it leads elsewhere.
        with contextlib.suppress(ValueError):
            self._policy.check_url(url.join(URL(location)))

    async def _exchange(self, request: RegistryRequest, url: URL) -> RegistryResponse:
        # Closed in the middle of retries or redirects: aiohttp would raise a RuntimeError.
        if self._session.closed:
            raise ConnectionFailed(f"The connections to {shown_host(url)} are closed.")
        timeout = aiohttp.ClientTimeout(
            total=None,
            sock_connect=self._settings.connect_timeout_seconds,
            sock_read=request.timeout_seconds or self._settings.read_timeout_seconds,
        )
        cause: Exception | None
        try:
            async with self._session.request(
                request.method,
                url,
                headers=request.headers,
                data=request.body,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                body = await self._body_of(response)
                return RegistryResponse(response.status, response.headers, body)
        except AIOHTTP_FAILURES as error:
            failure = registry_error_of(error, url)
            # ClientResponseError shows the request's headers in its repr, and so the credential.
            cause = None if isinstance(error, aiohttp.ClientResponseError) else error
        except RuntimeError as error:
            # What aiohttp raises when the connections were closed after the head of an answer had come.
            if not self._session.closed:
                raise
            failure, cause = ConnectionFailed(f"The connections to {shown_host(url)} are closed."), error
        # Outside of the except clause, or the cause that was left out would come back as context.
        raise failure from cause

    async def _body_of(self, response: aiohttp.ClientResponse) -> bytes:
        host, limit = shown_host(response.url), self._settings.max_answer_bytes
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            response.close()
            raise UnexpectedAnswer(
                f"{host} compresses its answers, though it was asked not to.", http_status=response.status
            )
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > limit:
                response.close()
                raise AnswerTooLarge(
                    f"{host} answers with more than {limit} bytes: is this the address of a registry?",
                    http_status=response.status,
                )
        return bytes(body)


def _is_worth_another_try(error: Exception) -> bool:
    return isinstance(error, RegistryError) and error.is_retryable


def _own_authority_context(ca_certificate_pem: str) -> ssl.SSLContext:
    """Return a context that trusts the given certificates alone. Blocks: reads and checks them all."""
    context = ssl.create_default_context(cadata=ca_certificate_pem)
    # A server's own certificate, or an intermediate one, may be what is trusted; and Python 3.13's strictness
    # refuses what most private authorities issue.
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VerifyFlags.VERIFY_X509_STRICT
    context.set_alpn_protocols(["http/1.1"])
    return context
