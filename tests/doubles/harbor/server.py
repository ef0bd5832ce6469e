"""A Harbor 2.16 for tests: in this process, on a port that the system chose, with a memory of its own.

    with running_harbor() as harbor:
        harbor.create_project("team")
        harbor.push("team/app/web", "1.0")
        ... harbor.url, harbor.administrator, harbor.calls.count(credential="user admin")

It answers as a real one was recorded to; `tests/doubles/test_harbor_faithfulness.py` compares. It keeps what it
is told while it is stopped, and comes back on the same port.
"""

import asyncio
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import trustme
from aiohttp import web

from tests.doubles.harbor.application import HarborApplication
from tests.doubles.harbor.callers import Authenticator
from tests.doubles.harbor.calls import CallLog
from tests.doubles.harbor.portal import Portal
from tests.doubles.harbor.state import ADMINISTRATOR, HarborState, system_clock
from tests.doubles.harbor.surroundings import Surroundings
from tests.doubles.harbor.tokens import TokenIssuer

VERSION = "v2.16.0-c50c7ddd"
ADMINISTRATOR_PASSWORD = "Harbor12345"
# A real one takes 1.5 s for it (recorded); tests seldom want to wait so long.
WRONG_PASSWORD_SECONDS = 0.05
_START_TIMEOUT_SECONDS = 10.0


class HarborDouble(Portal):
    """A running double: the portal, and where it listens."""

    def __init__(
        self,
        harbor: Surroundings,
        application: HarborApplication,
        authenticator: Authenticator,
        calls: CallLog,
        lock: threading.RLock,
        tls: trustme.CA | None,
        has_fixed_url: bool,
    ) -> None:
        super().__init__(harbor, application.behaviour, calls, lock)
        self._application = application
        self._authenticator = authenticator
        self._tls = tls
        self._has_fixed_url = has_fixed_url
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._stopping: asyncio.Event
        self._failure: BaseException | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """Where it is: by number, so that no name server is needed."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}{self._application.behaviour.path_prefix}"

    @property
    def administrator(self) -> tuple[str, str]:
        """The administrator's name and present password."""
        with self.paused() as state:
            return ADMINISTRATOR, state.users[ADMINISTRATOR].password

    @property
    def ca_certificate_pem(self) -> str | None:
        """The authority that signed its certificate, None without TLS."""
        return None if self._tls is None else self._tls.cert_pem.bytes().decode()

    def hold_wrong_passwords(self, seconds: float) -> None:
        """Answer a wrong password after this time; until then the right one fails too."""
        self._authenticator.wrong_password_seconds = seconds

    def start(self) -> None:
        """Listen, on the port of last time if there was one."""
        assert self._thread is None, "it runs"
        started = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self._run, args=(started,), name="harbor double", daemon=True)
        self._thread.start()
        assert started.wait(_START_TIMEOUT_SECONDS), "the double did not start"
        if self._failure is not None:
            failure, self._thread = self._failure, None
            raise failure
        if not self._has_fixed_url:
            self._harbor.external_url = self.url

    def stop(self) -> None:
        """Close the port and all connections; what it knows stays."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)
            thread.join(_START_TIMEOUT_SECONDS)
            assert not thread.is_alive(), "the double did not stop"

    @contextmanager
    def dead(self) -> Iterator[None]:
        """Be away as long as the block, and come back on the same port."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    def _run(self, started: threading.Event) -> None:
        try:
            asyncio.run(self._listen(started))
        except OSError as failure:
            self._failure = failure
            started.set()

    async def _listen(self, started: threading.Event) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        runner = web.AppRunner(self._application.build(), access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=self._ssl_context(), reuse_address=True)
            await site.start()
            self.port = runner.addresses[0][1]
            started.set()
            await self._stopping.wait()
        finally:
            await runner.cleanup()

    def _ssl_context(self) -> ssl.SSLContext | None:
        if self._tls is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.issue_cert("127.0.0.1", "localhost").configure_cert(context)
        return context


@contextmanager
def running_harbor(
    *,
    administrator_password: str = ADMINISTRATOR_PASSWORD,
    tls: trustme.CA | None = None,
    wrong_password_seconds: float = WRONG_PASSWORD_SECONDS,
    path_prefix: str = "",
    external_url: str | None = None,
    clock: Callable[[], datetime] = system_clock,
) -> Iterator[HarborDouble]:
    """Run a double as long as the block.

    ``external_url`` is what it takes itself to be called, in challenges; by default its own address.
    ``path_prefix`` puts it under a path, such as ``/harbor``; ``tls`` is an authority to sign its certificate.
    Raises at the end what went wrong within it.
    """
    state = HarborState(administrator_password, clock)
    tokens = TokenIssuer(lambda: state.clock())
    surroundings = Surroundings(state, tokens, external_url or "", VERSION)
    authenticator = Authenticator(state, tokens, wrong_password_seconds)
    calls, lock = CallLog(), threading.RLock()
    application = HarborApplication(surroundings, authenticator, calls, lock)
    application.behaviour.path_prefix = path_prefix
    harbor = HarborDouble(surroundings, application, authenticator, calls, lock, tls, external_url is not None)
    harbor.start()
    try:
        yield harbor
    finally:
        harbor.stop()
    # A request that the double has no answer for is a fault of the double, or of the client under test.
    for failure in application.failures:
        raise failure
