"""Telling a field that was left out from one that was given as null."""

from enum import Enum
from typing import Final


class Left(Enum):
    """What a field that was left out is."""

    OUT = "OUT"


LEFT_OUT: Final = Left.OUT
