"""The command line, dying at a chosen moment: `python -m tests.durability.dying_command MOMENT ARGUMENTS…`.

One that lives prints how many moments there were as its last line.
"""

from __future__ import annotations

import sys

from server.command_line import application
from tests.dying import die_at


def main(moment: int, arguments: list[str]) -> None:
    """Run the command."""
    count = die_at(moment)
    application(arguments, standalone_mode=False)
    print(count[0], flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
