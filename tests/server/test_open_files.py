"""The limit of open files is raised, never lowered."""

import resource

import pytest

from server.open_files import WANTED, raise_open_files_limit


@pytest.mark.parametrize(
    ("soft", "hard", "expected"),
    [
        (1024, 4096, 4096),
        (1024, 1_048_576, WANTED),
        (1024, resource.RLIM_INFINITY, WANTED),
        (100_000, 200_000, None),
        (4096, 4096, None),
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY, None),
    ],
)
def test_it_is_raised_as_far_as_may_be(
    soft: int, hard: int, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = []
    monkeypatch.setattr("resource.getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr("resource.setrlimit", lambda _, pair: limits.append(pair))
    assert raise_open_files_limit() == (soft if expected is None else expected)
    assert limits == ([] if expected is None else [(expected, hard)])
