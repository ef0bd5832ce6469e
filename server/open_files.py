"""How many sockets and files this process may have open."""

from __future__ import annotations

import resource

WANTED = 65_536
"""Two connections for each of thousands of registries, and ten thousand subscribers."""


def raise_open_files_limit() -> int:
    """Take as many as the system allows, up to what we may ever want, and return how many that is.

    Shells give 1,024 by default. With more registries than that, every further one would look as if it were
    down.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
