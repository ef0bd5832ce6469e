"""Lists in pages: whole, whatever moves meanwhile and whatever the count says."""

import asyncio
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from registry_clients.errors import TimedOut, UnexpectedAnswer
from registry_clients.harbor import paging
from registry_clients.harbor.client import HarborClient
from registry_clients.harbor.paging import Page, list_everything
from tests.doubles.harbor.lies import Lie
from tests.doubles.harbor.server import HarborDouble
from tests.registry_clients.harbor.harbor_client import done, failure
from tests.registry_clients.scripted_transport import response


def names(count: int) -> list[str]:
    return [f"p{number:04}" for number in range(count)]


class ChangingList:
    """A list that is served as Harbor does, by offset, and changes before a page is read."""

    def __init__(self, entries: list[str], before: Callable[["ChangingList", int], None] | None = None) -> None:
        self.entries = entries
        self.read: list[int] = []
        self.total: Callable[[], int | None] = lambda: len(self.entries)
        self._before = before

    async def page(self, number: int) -> Page[str]:
        if self._before is not None:
            self._before(self, number)
        self.read.append(number)
        start = (number - 1) * paging.PAGE_SIZE
        return Page(tuple(self.entries[start : start + paging.PAGE_SIZE]), self.total())


def listed(served: ChangingList) -> list[str]:
    return sorted(asyncio.run(list_everything(served.page, str, "harbor.test")))


@pytest.mark.parametrize(
    ("count", "pages"), [(0, [1]), (1, [1]), (99, [1]), (100, [1, 2]), (101, [1, 2]), (250, [1, 2, 3])]
)
def test_a_list_that_stands_still_is_read_once(count: int, pages: list[int]) -> None:
    served = ChangingList(names(count))
    assert listed(served) == names(count)
    assert served.read == pages


def test_a_long_list_says_in_the_log_how_far_it_is() -> None:
    with capture_logs() as logged:
        assert len(listed(ChangingList(names(2050)))) == 2050
    told = [(line["event"], line["host"], line["read"], line["of"]) for line in logged]
    assert told == [("long list", "harbor.test", 1000, 2050), ("long list", "harbor.test", 2000, 2050)]


def test_a_short_list_says_nothing_in_the_log() -> None:
    with capture_logs() as logged:
        listed(ChangingList(names(999)))
    assert logged == []


@pytest.mark.parametrize("total", [None, 0, 7, 1_000_000])
def test_the_count_may_be_missing_or_wrong(total: int | None) -> None:
    served = ChangingList(names(250))
    served.total = lambda: total
    assert listed(served) == names(250)
    assert len(served.read) <= 8


def test_a_list_that_shrinks_is_read_again() -> None:
    def shrink(served: ChangingList, number: int) -> None:
        if number == 2 and len(served.entries) == 250:
            del served.entries[:1]

    served = ChangingList(names(250), shrink)
    # Without another walk p0100, now the last of page 1, is in none.
    assert listed(served) == names(250)[1:]
    assert served.read == [1, 2, 3, 1, 2, 3]


def test_a_list_that_never_stands_still_loses_nothing_that_stood() -> None:
    def shrink(served: ChangingList, number: int) -> None:
        if number == 2:
            del served.entries[:1]

    served = ChangingList(names(250), shrink)
    found = listed(served)
    assert set(found) >= set(served.entries)
    assert served.read == [1, 2, 3] * paging.MAX_WALKS


def test_a_list_in_a_circle_and_one_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def same_again(_: int) -> Page[str]:
        return Page(tuple(names(100)), None)

    with pytest.raises(UnexpectedAnswer, match="same page"):
        asyncio.run(list_everything(same_again, str, "harbor.test"))

    async def ever_more(number: int) -> Page[str]:
        return Page((f"p{number}",), None)

    monkeypatch.setattr(paging, "MAX_PAGES", 20)
    with pytest.raises(UnexpectedAnswer, match="without an end"):
        asyncio.run(list_everything(ever_more, str, "harbor.test"))


def test_a_list_that_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: int) -> Page[str]:
        await asyncio.Event().wait()
        raise AssertionError("it never answers")

    monkeypatch.setattr(paging, "LIST_DEADLINE_SECONDS", 0.01)
    with pytest.raises(TimedOut, match=r"harbor\.test did not list all"):
        asyncio.run(list_everything(never, str, "harbor.test"))


@pytest.mark.parametrize(
    ("header", "total"),
    [("12", 12), ("0", 0), ("", None), ("-1", None), ("1e3", None), ("٣", None), ("9" * 30, None)],
)
def test_the_count_of_an_answer(header: str, total: int | None) -> None:
    assert paging.total_count_of(response(200, X_Total_Count=header)) == total
    assert paging.total_count_of(response(200)) is None


@pytest.mark.parametrize("lie", [Lie.TOTAL_COUNT_MISSING, Lie.TOTAL_COUNT_WRONG, Lie.TOTAL_COUNT_ZERO])
def test_projects_are_whole_with_a_bad_count(harbor: HarborDouble, lie: Lie) -> None:
    for number in range(120):
        harbor.create_project(f"p{number:03}")
    harbor.lie(lie)
    assert len(done(harbor, HarborClient.list_spaces)) == 121


def test_projects_that_are_deleted_while_they_are_paged(harbor: HarborDouble) -> None:
    for number in range(230):
        harbor.create_project(f"p{number:03}")

    def delete_one(*_: object) -> None:
        if harbor.calls.count(template="/projects") == 1:
            harbor.before_each_call(None)
            harbor.delete_project("a-first")

    harbor.create_project("a-first")
    harbor.before_each_call(delete_one)
    spaces = done(harbor, HarborClient.list_spaces)
    assert [space.name for space in spaces] == ["library", *(f"p{number:03}" for number in range(230))]


def test_an_answer_of_fifty_megabytes_is_not_read_to_its_end(harbor: HarborDouble) -> None:
    harbor.lie(Lie.HUGE_BODY, "/api/v2.0/projects")
    error = failure(harbor, HarborClient.list_spaces)
    assert isinstance(error, UnexpectedAnswer)
    assert "more than" in error.message
