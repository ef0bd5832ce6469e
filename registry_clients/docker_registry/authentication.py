"""Getting in: open, basic and bearer, as the registry asks for it.

A credential is only ever sent as the answer to a challenge, never before it is asked for. The challenge is
kept, so that later calls need one exchange. A password that was refused is not sent again by the same call.
Source of the token exchange: the Distribution token specification.
"""

import asyncio
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from weakref import WeakValueDictionary

from yarl import URL

from registry_clients.addresses import AddressPolicy
from registry_clients.docker_registry.challenges import Challenge, parse_challenges
from registry_clients.docker_registry.payloads import parse_token
from registry_clients.endpoint import Credential, RegistryEndpoint, shown_host
from registry_clients.error_bodies import registry_message
from registry_clients.errors import ComponentUnhealthy, CredentialRejected, UnexpectedAnswer, printable
from registry_clients.recently_used import RecentlyUsed
from registry_clients.transport import RegistryRequest, RegistryResponse, RegistryTransport

# Tokens are dropped a little early, so that none expires on its way; none is trusted for longer than an hour.
_EXPIRY_MARGIN = 0.1
_MAX_TOKEN_AGE_SECONDS = 3600

# There is one for each repository that was read in; each is 1 to 2 kB.
_MAX_TOKENS = 256


_TokenKey = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class AuthenticatedAnswer:
    """An answer other than 401, and whether the credential was asked for and accepted on the way."""

    response: RegistryResponse
    is_credential_accepted: bool


@dataclass(frozen=True, slots=True)
class _CachedToken:
    token: str = field(repr=False)
    expires_at: float = 0


class Authentication:
    """Sends requests to one registry with whatever authorization it wants."""

    def __init__(
        self,
        endpoint: RegistryEndpoint,
        credential: Credential | None,
        transport: RegistryTransport,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = endpoint
        self._credential = credential
        self._transport = transport
        self._clock = clock
        self._challenges: dict[tuple[str, str], Challenge] = {}
        self._tokens: RecentlyUsed[_TokenKey, _CachedToken] = RecentlyUsed(_MAX_TOKENS)
        # Those who want the same token wait for the first of them, and find it in the cache.
        self._token_locks: WeakValueDictionary[_TokenKey, asyncio.Lock] = WeakValueDictionary()

    def forget(self) -> None:
        """Drop what was learned, so that the next call finds out anew."""
        self._challenges.clear()
        self._tokens.clear()

    async def learn(self, request: RegistryRequest, scope: str | None = None) -> Challenge | None:
        """Ask without any credential, and return what the registry wants to see: None when nothing."""
        response = await self._transport.send(request)
        if response.status != 401:
            return None
        challenge = self._challenges[_kind_of(scope)] = self._challenge_in(response)
        return challenge

    async def send(self, request: RegistryRequest, scope: str | None = None) -> AuthenticatedAnswer:
        """Return the answer to a request. ``scope`` is what a token for it must allow.

        The challenge to one repository is taken for that to all, for the same kind of call: else each would cost an
        exchange more.

        Raises CredentialRejected when the registry or its token server doesn't let us in, UnexpectedAnswer
        when it asks for something that can't be given, and whatever the transport raises.
        """
        challenge = self._challenges.get(_kind_of(scope))
        response = await self._send_with(request, challenge, scope)
        if response.status == 401:
            asked = self._challenge_in(response)
            if asked.scheme == "basic" and challenge is not None and challenge.scheme == "basic":
                raise self._rejected(response, scope)
            # A token may have been withdrawn, or the key that signed it: get another one, once.
            self._forget_token(asked, scope)
            challenge = self._challenges[_kind_of(scope)] = asked
            response = await self._send_with(request, challenge, scope)
            if response.status == 401:
                raise self._rejected(response, scope)
        return AuthenticatedAnswer(
            response=response,
            is_credential_accepted=challenge is not None and self._credential is not None,
        )

    async def _send_with(
        self, request: RegistryRequest, challenge: Challenge | None, scope: str | None
    ) -> RegistryResponse:
        headers = dict(request.headers)
        if challenge is not None:
            headers["Authorization"] = await self._authorization(challenge, scope, request)
        return await self._transport.send(replace(request, headers=headers))

    def _challenge_in(self, response: RegistryResponse) -> Challenge:
        challenges = parse_challenges(response.headers.getall("WWW-Authenticate", []))
        for scheme in ("bearer", "basic"):
            for challenge in challenges:
                if challenge.scheme == scheme:
                    return challenge
        host = self._endpoint.host
        if challenges:
            message = f"{host} wants {challenges[0].scheme} authentication, which is not supported."
        else:
            message = f"{host} wants a login and doesn't say which: is this the address of a registry?"
        raise UnexpectedAnswer(message, http_status=response.status)

    def _rejected(self, response: RegistryResponse, scope: str | None) -> CredentialRejected:
        host = self._endpoint.host
        if self._credential is None:
            message = f"{host} needs a username and a password."
        elif scope is None:
            message = f"{host} does not accept the username or the password."
        elif scope.startswith("registry:"):
            message = f"{host} does not let this user list its repositories ({scope})."
        else:
            message = f"{host} does not let this user do what was asked ({scope})."
        words = registry_message(response.body, response.headers.get("Content-Type", ""))
        return CredentialRejected(message, registry_message=words, http_status=response.status)

    async def _authorization(self, challenge: Challenge, scope: str | None, request: RegistryRequest) -> str:
        if challenge.scheme == "bearer":
            return f"Bearer {await self._token(challenge, scope, request)}"
        if self._credential is None:
            raise CredentialRejected(f"{self._endpoint.host} needs a username and a password.", http_status=401)
        return _basic(self._credential)

    async def _token(self, challenge: Challenge, scope: str | None, request: RegistryRequest) -> str:
        key = _token_key(challenge, scope)
        async with self._token_locks.setdefault(key, asyncio.Lock()):
            cached = self._tokens.get(key)
            if cached is not None and self._clock() < cached.expires_at:
                return cached.token
            asked_at = self._clock()
            response = await self._transport.send(
                RegistryRequest(
                    "GET",
                    self._token_url(challenge, scope),
                    headers={} if self._credential is None else {"Authorization": _basic(self._credential)},
                    timeout_seconds=request.timeout_seconds,
                    is_retried=request.is_retried,
                )
            )
            token = parse_token(self._token_answer(response, challenge), _realm_host(challenge))
            age = min(token.lifetime_seconds * (1 - _EXPIRY_MARGIN), _MAX_TOKEN_AGE_SECONDS)
            self._tokens.put(key, _CachedToken(token.token, expires_at=asked_at + age))
            return token.token

    def _forget_token(self, challenge: Challenge, scope: str | None) -> None:
        self._tokens.drop(_token_key(challenge, scope))

    def _token_url(self, challenge: Challenge, scope: str | None) -> URL:
        realm = self._checked_realm(challenge)
        parameters = [("service", challenge.parameters.get("service", ""))]
        if self._credential is not None:
            parameters.append(("account", self._credential.username))
        if scope is not None:
            parameters.append(("scope", scope))
        return realm.extend_query([(name, value) for name, value in parameters if value])

    def _checked_realm(self, challenge: Challenge) -> URL:
        """Return the token server's address. Raises UnexpectedAnswer when it must not see the password."""
        host = self._endpoint.host
        try:
            realm = URL(challenge.parameters.get("realm", ""))
        except ValueError:
            realm = URL()
        if realm.scheme not in ("http", "https") or not realm.raw_host or realm.raw_user is not None:
            raise UnexpectedAnswer(f"{host} sends its clients to a token server without a usable address.")
        # What is nobody's token server is refused as such; the transport checks the whole policy.
        AddressPolicy().check_url(realm)
        if _is_same_place(realm, self._endpoint.token_realm) or _is_own_realm(realm, self._endpoint.url):
            return realm
        raise UnexpectedAnswer(
            f"{host} sends its clients to a token server at {shown_host(realm)}, which would see the"
            f" password: set tokenRealm to {printable(str(realm.with_query(None)))} if that is right."
        )

    def _token_answer(self, response: RegistryResponse, challenge: Challenge) -> bytes:
        """Return the body of a good answer. Raises the error that a bad one means."""
        if response.status == 200:
            return response.body
        host, status = self._endpoint.host, response.status
        server = f"The token server {_realm_host(challenge)} of {host}"
        words = registry_message(response.body, response.headers.get("Content-Type", ""))
        if status in (401, 403):
            if self._credential is None:
                message = f"{host} needs a username and a password."
            else:
                message = f"{server} does not accept the username or the password."
            raise CredentialRejected(message, registry_message=words, http_status=status)
        if status >= 500:
            raise ComponentUnhealthy(f"{server} answers {status}.", registry_message=words, http_status=status)
        raise UnexpectedAnswer(
            f"{server} answers {status} instead of a token.", registry_message=words, http_status=status
        )


def _basic(credential: Credential) -> str:
    return "Basic " + b64encode(f"{credential.username}:{credential.password}".encode()).decode("ascii")


def _kind_of(scope: str | None) -> tuple[str, str]:
    kind, _, rest = (scope or "").partition(":")
    return kind, rest.rpartition(":")[2]


def _token_key(challenge: Challenge, scope: str | None) -> _TokenKey:
    return (challenge.parameters.get("realm", ""), challenge.parameters.get("service", ""), scope or "")


def _realm_host(challenge: Challenge) -> str:
    return shown_host(URL(challenge.parameters["realm"]))


def _is_same_place(realm: URL, named: URL | None) -> bool:
    if named is None:
        return False
    return (realm.origin(), realm.path.rstrip("/")) == (named.origin(), named.path.rstrip("/"))


def _is_own_realm(realm: URL, registry: URL) -> bool:
    # Another port is fine: token servers stand beside their registries. Plain http instead of https is not.
    is_downgrade = registry.scheme == "https" and realm.scheme == "http"
    return realm.raw_host == registry.raw_host and not is_downgrade
