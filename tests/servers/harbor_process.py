"""The Harbor double as a process of its own: `python -m tests.servers.harbor_process`, until its input ends.

Somebody has used it before: there are projects, an image and a robot that must be left alone, and a wrong password
is as slow as at a real one. It prints one line of JSON: its address and the administrator's name and password.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.doubles.harbor.server import running_harbor

ROOT = Path(__file__).parents[2]

RECORDED_WRONG_PASSWORD_SECONDS = 1.5
STOP_TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class HarborProcess:
    """Where it is, and who may do everything there."""

    url: str
    username: str
    password: str = field(repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """What `make test-live` is told of it."""
        return {"HARBOR_URL": self.url, "HARBOR_USERNAME": self.username, "HARBOR_PASSWORD": self.password}


@contextmanager
def running_harbor_process() -> Iterator[HarborProcess]:
    """Run it as long as the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers.harbor_process"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "the double did not start"
        yield HarborProcess(**json.loads(line))
    finally:
        try:
            process.communicate("", STOP_TIMEOUT_SECONDS)
        finally:
            process.kill()
            process.wait()
    assert process.returncode == 0, "the double had no answer for a request"


def _main() -> None:
    with running_harbor(wrong_password_seconds=RECORDED_WRONG_PASSWORD_SECONDS) as harbor:
        for project in ("library", "somebodys"):
            if harbor.state.project_named(project) is None:
                harbor.create_project(project)
        harbor.push("somebodys/app", "v1")
        harbor.create_robot("somebodys", {"somebodys": "repository:pull"})
        username, password = harbor.administrator
        sys.stdout.write(json.dumps({"url": harbor.url, "username": username, "password": password}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    _main()
