"""The log of a real server: JSON lines, whatever is thrown at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.server.live_clients import messages_until_closed, open_socket
from tests.server.processes import running_process
from tests.server.raw_http import exchange

SAYING = """
import logging, sys, warnings
import structlog
from server.log_setup import set_up_logs
from server.settings import LogFormat, LogLevel

set_up_logs(LogFormat(sys.argv[1]), LogLevel.DEBUG)
log = structlog.get_logger("ours")
log.info("fine", number=2**70, text="lone \\udcff", raw=b"bytes", thing=object, nothing=None)
log.info("keys", **{"1": 1})
logging.getLogger("uvicorn.error").warning("from %s", "uvicorn")
logging.getLogger("somebody.else").debug("debug of somebody")
warnings.warn("a warning\\nof two lines")
def fail(password):
    raise RuntimeError("unforeseen")
try:
    fail("marker-password")
except RuntimeError:
    log.exception("failed")
    logging.getLogger("somebody.else").exception("failed too")
"""


def said(log_format: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SAYING, log_format],
        capture_output=True,
        timeout=60,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    assert b"marker-password" not in done.stderr.replace(b'fail("marker-password")', b"")
    assert b"Logging error" not in done.stderr
    return done.stderr.decode().split("\n")[:-1]


def test_every_line_is_json_whoever_speaks() -> None:
    lines = [json.loads(line) for line in said("json")]
    assert [(line["level"], line["logger"], line["event"].split("\n")[0][:20]) for line in lines] == [
        ("info", "ours", "fine"),
        ("info", "ours", "keys"),
        ("warning", "uvicorn.error", "from uvicorn"),
        ("debug", "somebody.else", "debug of somebody"),
        ("warning", "py.warnings", lines[4]["event"][:20]),
        ("error", "ours", "failed"),
        ("error", "somebody.else", "failed too"),
    ]
    assert "a warning\nof two lines" in lines[4]["event"]
    for line in lines[5:]:
        assert "RuntimeError: unforeseen" in line["exception"]
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_the_console_shows_tracebacks_without_local_variables() -> None:
    text = "\n".join(said("console"))
    assert "RuntimeError: unforeseen" in text
    assert "password =" not in text


RUBBISH: list[str | bytes] = [
    "null",
    "[]",
    '"text"',
    "{",
    "{}",
    '{"type": 5}',
    '{"type": "connection_init", "payload": 5}',
    '{"type": "connection_init", "payload": {"Authorization": ["x"]}}',
    '{"type": "subscribe", "id": 5}',
    "\x00" * 100,
    "x" * 300_000,
    b"\xff\xfe\x00",
]


def test_rubbish_over_a_websocket_leaves_no_traceback(tmp_path: Path) -> None:
    with running_process(tmp_path, settings={"LOG_LEVEL": "debug"}) as server:
        token = server.admin_token
        for rubbish in RUBBISH:
            with connect(
                f"ws://127.0.0.1:{server.port}/graphql", subprotocols=[Subprotocol("graphql-transport-ws")]
            ) as socket:
                socket.send(rubbish)
                with pytest.raises(ConnectionClosed):
                    messages_until_closed(socket)
            with open_socket(server.port, token) as socket:
                socket.send(rubbish)
                with pytest.raises(ConnectionClosed):
                    messages_until_closed(socket)
        # Frames that are none, half a handshake, half a request, a client that goes in the middle.
        with open_socket(server.port, token) as socket:
            socket.socket.sendall(b"\xff" * 200)
            with pytest.raises((ConnectionClosed, OSError)):
                messages_until_closed(socket)
        with open_socket(server.port, token) as socket:
            socket.send(
                json.dumps({"id": "1", "type": "subscribe", "payload": {"query": "subscription { events { type } }"}})
            )
            socket.socket.close()
        exchange(server.port, "NONSENSE")
        exchange(server.port, "POST /graphql HTTP/1.1", "Host: localhost", "Content-Length: many")
        assert server.request("GET", "/healthz").status == 200
        assert server.stop() == 0
        lines = server.log_lines
    assert [line for line in lines if "exception" in line or line["level"] in ("error", "critical")] == []
    assert token not in server.stderr
    assert "connection_init" not in server.stderr
