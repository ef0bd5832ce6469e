"""What every resolver has at hand, made for each operation and for each event of a subscription."""

from __future__ import annotations

from typing import Any, TypeVar

import strawberry

from resolvers.loading import Loader
from services.services import Services
from services.viewer import Viewer

L = TypeVar("L", bound=Loader[Any, Any])


class RequestContext:
    """Who asks, what answers, and the loaders that gather what one operation needs."""

    def __init__(self, viewer: Viewer, services: Services, request_id: str) -> None:
        self.viewer = viewer
        self.services = services
        self.request_id = request_id
        self._loaders: dict[type[Loader[Any, Any]], Loader[Any, Any]] = {}

    def loader(self, loader_class: type[L]) -> L:
        """Return this operation's loader of a class."""
        loader = self._loaders.get(loader_class)
        if loader is None:
            loader = self._loaders[loader_class] = loader_class(self.services.database, self.viewer)
        return loader  # type: ignore[return-value]

    def forget_loaded(self) -> None:
        """Have everything loaded anew: something is about to change."""
        self._loaders.clear()


Info = strawberry.Info[RequestContext, None]
