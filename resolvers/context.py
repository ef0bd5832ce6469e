"""What every resolver has at hand, made for each operation and for each event of a subscription."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any, TypeVar

import strawberry

from models.versions import WatchedReads
from resolvers.live_loader import LiveLoader
from resolvers.loading import Loader
from services.services import Services
from services.viewer import Viewer, ViewerScope

L = TypeVar("L", bound=Loader[Any, Any])


class RequestContext:
    """For whom, out of what; and the loaders that gather what one operation needs.

    It notes what an answer depends on. One that was made from `scope`, `database` and loaders alone is the same for
    all with that scope, for as long as no table that was read is written. Whoever takes `viewer` makes it the viewer's
    own, and whoever takes `services` makes it one of that moment.
    """

    def __init__(self, scope: ViewerScope, viewer: Viewer | None, services: Services, request_id: str) -> None:
        """`viewer` is None for what is done for several at once."""
        self.scope = scope
        self.database = WatchedReads(services.database)
        self.request_id = request_id
        self.is_personal = False
        self.is_of_its_moment = False
        self._viewer = viewer
        self._services = services
        self._loaders: dict[type[Loader[Any, Any]], Loader[Any, Any]] = {}
        self._live: LiveLoader | None = None
        self._began = time.monotonic()

    @property
    def sources(self) -> Collection[str]:
        """The tables that were read."""
        return self.database.tables

    @property
    def viewer(self) -> Viewer:
        """Who asks. Raises RuntimeError where the answer is for several viewers."""
        if self._viewer is None:
            raise RuntimeError("What is answered for several viewers at once may depend on their scope alone.")
        self.is_personal = True
        return self._viewer

    @property
    def services(self) -> Services:
        """What is stored elsewhere than in the database, and what changes anything."""
        self.is_of_its_moment = True
        return self._services

    @property
    def server_address(self) -> str:
        """Where this server is reached; it stays the same while it runs."""
        return self._services.facts.address

    def event_cursor(self, position: int) -> str:
        """Return the cursor of an event."""
        return self._services.events.cursor(position)

    def loader(self, loader_class: type[L]) -> L:
        """Return this operation's loader of a class."""
        loader = self._loaders.get(loader_class)
        if loader is None:
            loader = self._loaders[loader_class] = loader_class(self.database, self.scope)
        return loader  # type: ignore[return-value]

    @property
    def live(self) -> LiveLoader:
        """This operation's loader of what registries are asked for."""
        if self._live is None:
            self._live = LiveLoader(self.services.live_contents, self._began)
        return self._live

    def forget_loaded(self) -> None:
        """Have everything loaded anew: something is about to change."""
        self._loaders.clear()
        self._live = None

    def wait_anew(self) -> None:
        """Count what is waited for from here on: what was done until now took its own time."""
        self._began = time.monotonic()


Info = strawberry.Info[RequestContext, None]
