"""The loader of what only registries know: many wishes of one operation, each registry asked beside the others."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, TypeVar

from aiodataloader import DataLoader

from resolvers.public_errors import PublicError
from services.live_answers import NotTold, Told, Wanted
from services.live_contents import LiveContents

T = TypeVar("T")

MOST_ASKED = 500
"""For so many things one operation may ask registries, all of them together: reading must not wear them out."""


class LiveLoader(DataLoader[Wanted[Any], tuple[Told[Any] | NotTold]]):
    """What registries are asked for, for one operation. All that is wanted at the same moment shares a deadline.

    The first deadline counts from the beginning of the query, and each further one, for what is only wanted because
    of what was told, from the end of the one before.
    """

    def __init__(self, live: LiveContents, began: float) -> None:
        """`began` is when the query did, or a mutation was done, by `time.monotonic`."""
        super().__init__()
        self._live = live
        self._waiting_since = began
        self._left = MOST_ASKED

    async def told(self, wanted: Sequence[Wanted[T]]) -> list[Told[T] | NotTold]:
        """Return what the registries said, or why they didn't, for each in its order."""
        return [answer for (answer,) in await self.load_many(wanted)]

    async def batch_load_fn(self, keys: list[Wanted[Any]]) -> list[tuple[Told[Any] | NotTold]]:
        """Return the values in the order of the keys, as aiodataloader wants them.

        Each is in a tuple: aiodataloader would raise those that are exceptions.
        """
        asked, refused = keys[: self._left], keys[self._left :]
        self._left -= len(asked)
        waited_seconds = time.monotonic() - self._waiting_since
        answers = [(answer,) for answer in await self._live.answers(asked, waited_seconds)]
        self._waiting_since = time.monotonic()
        return answers + [(_too_many(),) for _ in refused]


def _too_many() -> PublicError:
    return PublicError(
        f"An operation may ask registries for {MOST_ASKED} things at most. Ask for fewer repositories at once.",
        "LIMIT_EXCEEDED",
        {"limit": "registryCalls", "allowed": MOST_ASKED},
    )
