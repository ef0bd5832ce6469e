"""Python's garbage collector, set for a server: it would stop the loop for a tenth of a second now and then."""

from __future__ import annotations

import gc

ALLOCATIONS_BETWEEN_COLLECTIONS = 20_000
"""Python's own 700 makes collections over and over while a large answer is built, and finds nothing: its objects
die without a cycle. 50,000 stopped the loop for 40 ms at a time."""

COLLECTIONS_BETWEEN_OLDER = 20


def settle() -> None:
    """Leave what is there now, code and schema, out of every later collection; call it once all is set up."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_BETWEEN_COLLECTIONS, COLLECTIONS_BETWEEN_OLDER, COLLECTIONS_BETWEEN_OLDER)
