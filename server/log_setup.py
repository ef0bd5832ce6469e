"""How log lines are written: structured, one a line, with the request id where there is one."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import orjson
import stamina.instrumentation
import structlog

from server.settings import LogFormat, LogLevel

_QUIET = {
    # Statements with their parameters, every request, the bytes of every WebSocket message: at their chattier
    # levels these write what must not be written, passwords among it.
    "aiohttp": logging.WARNING,
    "aiosqlite": logging.WARNING,
    "asyncio": logging.INFO,
    "asyncpg": logging.WARNING,
    "tortoise": logging.WARNING,
    "uvicorn": logging.WARNING,
    "websockets": logging.WARNING,
}


def set_up_logs(log_format: LogFormat, level: LogLevel) -> None:
    """Write what structlog, the libraries and Python's warnings say to standard error."""
    numeric = logging.getLevelNamesMapping()[level.value.upper()]
    as_json = log_format is LogFormat.JSON or (log_format is LogFormat.AUTO and not sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        cache_logger_on_first_use=True,
    )
    # Changes are logged, not attempts: a retry that helps is nobody's business.
    stamina.instrumentation.set_on_retry_hooks([])
    logging.captureWarnings(True)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(as_json)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(numeric)
    for name, least in _QUIET.items():
        logger = logging.getLogger(name)
        logger.setLevel(max(numeric, least))


def _rendering(as_json: bool) -> list[structlog.typing.Processor]:
    """Return what makes a line of an event. Tracebacks come without local variables, which hold secrets."""
    if as_json:
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=_as_json)]
    return [
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    ]


def _as_json(event: Any, **_: Any) -> str:
    try:
        return orjson.dumps(event, default=str).decode()
    except TypeError:
        # Lone surrogates, numbers past 64 bits, keys that are no text: rare, and a line all the same.
        return json.dumps(event, default=str, skipkeys=True)
