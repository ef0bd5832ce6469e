"""A program at a terminal: what it prints is read as a person would, and Ctrl-C reaches it as there."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 60.0


class Terminal:
    """A program that runs at a terminal of its own, as the leader of its group."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._master, terminal = os.openpty()
        try:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "TERM": "dumb", **environment},
                stdin=terminal,
                stdout=terminal,
                stderr=terminal,
                start_new_session=True,
            )
        finally:
            os.close(terminal)
        self.screen = ""

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the first place on the screen that matches, as soon as there is one."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (match := re.search(pattern, self.screen)) is None:
            assert self._read_until(deadline), f"{pattern!r} was not seen in:\n{self.screen}"
        return match

    def wait_for_more(self) -> None:
        """Return when something more was printed."""
        assert self._read_until(time.monotonic() + DEADLINE_SECONDS), f"nothing more was printed after:\n{self.screen}"

    def interrupt(self) -> None:
        """Press Ctrl-C: the terminal sends SIGINT to the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait_for_end(self) -> int:
        """Return the exit code, with everything read that was printed before."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while self._read_until(deadline):
            pass
        return self.process.wait(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """End the program, if it runs still."""
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._master)

    def _read_until(self, deadline: float) -> bool:
        """Read what comes next; return whether anything came."""
        if not select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return False
        try:
            read = os.read(self._master, 65536)
        except OSError:
            # EIO is how Linux says that nobody has the other end open any more.
            return False
        self.screen += read.decode(errors="replace").replace("\r\n", "\n")
        return bool(read)


@contextmanager
def running_at_a_terminal(command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Terminal]:
    """Run a program as long as the block."""
    terminal = Terminal(command, environment)
    try:
        yield terminal
    finally:
        terminal.close()
