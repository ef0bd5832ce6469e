"""What the recorded Harbor said that is the same for every Harbor: lists of permissions, the page for nothing."""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "recordings" / "harbor-2.16.0"


@cache
def recorded_exchanges(name: str) -> tuple[dict[str, Any], ...]:
    """Return the exchanges of a recording, by its file name without suffix."""
    return tuple(json.loads((FOLDER / f"{name}.json").read_text())["exchanges"])


def recorded_body(name: str, what: str) -> Any:
    """Return the body of the one answer that is called ``what``."""
    return next(one["response"]["body"] for one in recorded_exchanges(name) if one["what"] == what)
