"""`serve` on a terminal: one link with a code that signs in once."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import urllib.request
from pathlib import Path

from tests.server.processes import COMMAND, environment, wait_until
from tests.serving import HttpAnswer, answer_of

LINK = re.compile(r"http://127\.0\.0\.1:(\d+)/#code=([\w-]+)")


def test_a_terminal_is_shown_exactly_one_link_whose_code_works_once(tmp_path: Path) -> None:
    console = tmp_path / "console"
    console.mkdir()
    (console / "index.html").write_text("<!doctype html>")
    master, terminal = pty.openpty()
    try:
        process = subprocess.Popen(
            [COMMAND, "serve"],
            env=environment(tmp_path / "data", {"PORT": "0", "CONSOLE_FOLDER": str(console)}),
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        os.set_blocking(master, False)
        shown = ""

        def look() -> re.Match[str] | None:
            nonlocal shown
            shown += _read(master)
            assert process.poll() is None, shown
            return LINK.search(shown) if "\n" in shown.partition("#code=")[2] else None

        try:
            match = wait_until(look, "the link was shown")
            port, code = match.groups()
            answer = redeem(port, code)
            assert answer.status == 200
            assert answer.headers["cache-control"] == "no-store"
            token = answer.json["token"]
            assert redeem(port, code).status == 401
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
            shown += _read(master)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    finally:
        os.close(master)
    # The code stands there once, in no log line; what it was exchanged for, nowhere.
    assert len(LINK.findall(shown)) == 1
    assert shown.count(code) == 1
    assert token not in shown
    assert (tmp_path / "data" / "admin-token").read_text().strip() not in shown
    assert "Traceback" not in shown


def redeem(port: str, code: str) -> HttpAnswer:
    """Exchange a code as the console does."""
    return answer_of(
        urllib.request.Request(
            f"http://127.0.0.1:{port}/sign-in",
            json.dumps({"code": code}).encode(),
            {"Content-Type": "application/json"},
            method="POST",
        )
    )


def _read(descriptor: int) -> str:
    try:
        return os.read(descriptor, 1_000_000).decode(errors="replace")
    except (BlockingIOError, OSError):
        # Nothing yet; or, as terminals say it, nobody at the other end any more.
        return ""
