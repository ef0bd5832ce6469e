"""The command line to its end, in a process of its own that doesn't import everything anew.

Importing takes a second, and most commands take less. So they are forks of a process that has imported and done nothing
else; `running_process` is the installed command itself.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from server.command_line import main
from tests.server.processes import TIMEOUT_SECONDS, environment

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload([__name__])


def run_command(
    *arguments: str,
    data: Path,
    settings: Mapping[str, str] | None = None,
    given: bytes = b"",
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `given` is what is piped in. No command ever shows a traceback."""
    with tempfile.TemporaryDirectory(prefix="integrated-registry-command-") as name:
        folder = Path(name)
        (folder / "in").write_bytes(given)
        process = _forking.Process(target=_run, args=(arguments, environment(data, settings), folder))
        process.start()
        try:
            process.join(TIMEOUT_SECONDS)
            assert process.exitcode is not None, f"{arguments} did not end within {TIMEOUT_SECONDS} s"
            out, err = ((folder / name).read_bytes().decode() for name in ("out", "err"))
            outcome = subprocess.CompletedProcess(arguments, process.exitcode, out, err)
        finally:
            process.kill()
            process.join()
            process.close()
    assert "Traceback" not in outcome.stderr, outcome.stderr
    return outcome


def _run(arguments: tuple[str, ...], variables: dict[str, str], folder: Path) -> None:
    """Become the command: its standard streams are files."""
    for number, name, flags in ((0, "in", os.O_RDONLY), (1, "out", os.O_WRONLY), (2, "err", os.O_WRONLY)):
        opened = os.open(folder / name, flags | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["integrated-registry", *arguments]
    main()
