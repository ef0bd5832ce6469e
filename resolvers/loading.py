"""Loaders: many keys of one operation, one statement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import strawberry
from aiodataloader import DataLoader

from models.database import Database
from services.viewer import Viewer

K = TypeVar("K")
V = TypeVar("V")


class Loader(DataLoader[K, V], Generic[K, V]):
    """A loader of stored things. Subclasses say how many of them are fetched at once."""

    def __init__(self, database: Database, viewer: Viewer) -> None:
        super().__init__()
        self.database = database
        self.viewer = viewer

    async def batch_load_fn(self, keys: list[K]) -> list[V]:
        """Return the values in the order of the keys, as aiodataloader wants them."""
        found = await self.fetch(keys)
        return [found[key] if key in found else self.missing(key) for key in keys]

    async def fetch(self, keys: Sequence[K]) -> Mapping[K, V]:
        """Return the values by key; what isn't there may be left out."""
        raise NotImplementedError

    def missing(self, key: K) -> V:
        """Return what stands for a key without a value."""
        return None  # type: ignore[return-value]


def loaded(loader_class: type[Loader[Any, Any]], *, key: str, description: str) -> Any:
    """Declare a field: the loader's value for an attribute of the record.

    Declared, not coded, so that an executor can see what a query needs without running it.
    """

    def resolve(root: Any, info: strawberry.Info) -> Any:
        return info.context.loader(loader_class).load(getattr(root, key))

    return strawberry.field(resolver=resolve, description=description, metadata={"loader": loader_class, "key": key})
