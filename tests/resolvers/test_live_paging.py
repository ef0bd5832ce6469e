"""Pages of lists that registries keep: every item once, whatever is asked for, and no page of theirs in vain."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry_clients.records import ArtifactPage, FoundArtifact, FoundTag
from resolvers.live_paging import LivePage, Place, listed_page, live_page_request, page_of
from resolvers.paging import MOST_FIRST
from resolvers.public_errors import PublicError
from services.live_answers import Told

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
FIRSTS = st.integers(1, 30)


def artifact(number: int, tags: int = 0) -> FoundArtifact:
    found = tuple(FoundTag(f"{number}.{tag}", None, None, is_immutable=None) for tag in range(tags))
    return FoundArtifact(f"sha256:{number:064x}", "m", None, 1, found, (), pushed_at=None, pulled_at=None)


class Kept:
    """A repository whose artifacts have so many tags each; it counts which of its pages are read."""

    def __init__(self, tag_counts: list[int]) -> None:
        self.artifacts = [artifact(number, tags) for number, tags in enumerate(tag_counts)]
        self.read: list[tuple[int, int]] = []

    def page(self, number: int, size: int) -> Told[ArtifactPage]:
        self.read.append((number, size))
        end = number * size
        found = tuple(self.artifacts[end - size : end])
        return Told(ArtifactPage(found, len(self.artifacts), is_last=end >= len(self.artifacts)), NOW)

    def ask(self, mark: str, first: int | None, after: str | None) -> LivePage:
        request = live_page_request(mark, first, after)
        told = [self.page(number, request.place.page_size) for number in request.pages]
        return page_of(request, told, _artifacts if mark == "artifacts" else _tags, is_counted=mark == "artifacts")


def _artifacts(told: Told[ArtifactPage]) -> list[str]:
    return [found.digest for found in told.value.artifacts]


def _tags(told: Told[ArtifactPage]) -> list[str]:
    return [tag.name for found in told.value.artifacts for tag in found.tags]


def refusal(mark: str, first: int | None, after: str | None) -> str:
    with pytest.raises(PublicError) as refused:
        live_page_request(mark, first, after)
    return refused.value.code


@given(st.lists(st.integers(0, 3), max_size=60), st.lists(FIRSTS, min_size=1, max_size=40), st.booleans())
@example(tag_counts=[0] * 40, firsts=[1], is_of_tags=True)
@example(tag_counts=[3] * 10, firsts=[20, 7], is_of_tags=True)
def test_every_item_comes_once_and_in_order_however_many_are_asked_for(
    tag_counts: list[int], firsts: list[int], is_of_tags: bool
) -> None:
    kept, mark = Kept(tag_counts), "tags" if is_of_tags else "artifacts"
    expected = [name for found in kept.artifacts for name in ([tag.name for tag in found.tags] if is_of_tags else [])]
    expected = expected if is_of_tags else [found.digest for found in kept.artifacts]
    found: list[str] = []
    after = None
    for number in range(1000):
        read = len(kept.read)
        page = kept.ask(mark, firsts[number % len(firsts)], after)
        assert len(kept.read) - read <= 2
        assert len(page.items) == len(page.behind) <= firsts[number % len(firsts)]
        assert page.has_previous_page == (number > 0)
        assert page.total_count == (None if is_of_tags else len(kept.artifacts))
        found += page.items
        after = page.cursor(page.end)
        if not page.has_next_page:
            break
    assert found == expected


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), FIRSTS, FIRSTS, st.booleans(), st.data())
def test_the_place_behind_each_item_is_behind_it(
    tag_counts: list[int], first: int, then: int, is_of_tags: bool, data: Any
) -> None:
    kept, mark = Kept(tag_counts), "tags" if is_of_tags else "artifacts"
    items = (_tags if is_of_tags else _artifacts)(kept.page(1, 100))
    page = kept.ask(mark, first, None)
    if not page.items:
        return
    index = data.draw(st.integers(0, len(page.items) - 1))

    following = kept.ask(mark, then, page.cursor(page.behind[index]))

    assert following.items == items[index + 1 : index + 1 + len(following.items)]
    assert following.items or following.has_next_page or index + 1 == len(items)


def test_each_page_is_one_of_the_registrys_and_the_fiftieth_is_read_alone() -> None:
    kept = Kept([0] * 1000)
    after = None
    for number in range(1, 51):
        page = kept.ask("artifacts", 20, after)
        after = page.cursor(page.end)
        assert kept.read[-1] == (number, 20)
    assert (len(kept.read), page.has_next_page) == (50, False)
    assert page.items == [found.digest for found in kept.artifacts[980:]]


@pytest.mark.parametrize(
    ("place", "first", "read"),
    [
        # As many as before, or half as many, or twice as many where a page of that size begins there.
        (Place(3, 20), 20, [(3, 20)]),
        (Place(3, 20), 10, [(5, 10)]),
        (Place(3, 20), 40, [(2, 40)]),
        # Else by the pages of the cursor.
        (Place(2, 20), 40, [(2, 20)]),
        (Place(2, 20), 7, [(2, 20)]),
        (Place(2, 20, 5), 15, [(2, 20)]),
        (Place(2, 20, 5), 16, [(2, 20), (3, 20)]),
        (Place(2, 20, 5), 100, [(2, 20), (3, 20)]),
    ],
)
def test_which_pages_are_read(place: Place, first: int, read: list[tuple[int, int]]) -> None:
    kept = Kept([0] * 1000)
    begin = (place.page - 1) * place.page_size + place.skipped

    page = kept.ask("artifacts", first, kept.ask("artifacts", 1, None).cursor(place))

    assert kept.read[1:] == read
    assert page.items == [found.digest for found in kept.artifacts[begin : begin + len(page.items)]]
    assert len(page.items) in (first, sum(size for _, size in read) - place.skipped)


def test_a_page_of_artifacts_without_tags_is_empty_and_has_a_next_one() -> None:
    kept = Kept([0] * 20 + [1])
    page = kept.ask("tags", 20, None)

    assert (page.items, page.has_next_page) == ([], True)
    page = kept.ask("tags", 20, page.cursor(page.end))
    assert (page.items, page.has_next_page) == (["20.0"], False)


def test_of_two_pages_the_older_says_of_when_it_is() -> None:
    request = live_page_request("artifacts", 10, _cursor(["artifacts", 1, 10, 5]))
    old, new = NOW - timedelta(minutes=1), NOW
    held = ArtifactPage(tuple(map(artifact, range(10))), 20, is_last=False)

    page = page_of(request, [Told(held, new), Told(held, old, is_stale=True)], _artifacts, is_counted=True)

    assert (page.as_of, page.is_stale) == (old, True)


def test_a_list_that_is_there_as_a_whole_is_cut() -> None:
    items = list(range(5))
    page = listed_page("m", 2, None, items, NOW, is_stale=True)
    assert (page.items, page.has_next_page, page.has_previous_page, page.total_count) == ([0, 1], True, False, 5)
    page = listed_page("m", 2, page.cursor(page.end), items, NOW, is_stale=True)
    page = listed_page("m", 2, page.cursor(page.end), items, NOW, is_stale=True)
    assert (page.items, page.has_next_page, page.has_previous_page) == ([4], False, True)
    page = listed_page("m", 2, page.cursor(page.end), items, NOW, is_stale=True)
    assert (page.items, page.has_next_page, page.as_of, page.is_stale) == ([], False, NOW, True)


def _cursor(parts: object) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


PARTS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=3)


@given(st.lists(PARTS, max_size=5) | PARTS)
@example(["artifacts", 0, 20, 0])
@example(["artifacts", 1, 0, 0])
@example(["artifacts", 1, MOST_FIRST + 1, 0])
@example(["artifacts", 1, 20, -1])
@example(["artifacts", 2**62, 20, 0])
@example(["artifacts", 1, 20, 2**62])
@example(["artifacts", True, 20, 0])
@example(["artifacts", 1.0, 20, 0])
@example(["artifacts", 1, 20])
@example(["artifacts", 1, 20, 0, 0])
@example([])
def test_a_made_up_cursor_is_refused(parts: Any) -> None:
    assert refusal("artifacts", 20, _cursor(parts)) == "INVALID_CURSOR"


@given(st.text())
@example("")
@example("é")
@example("A" * 10_000)
def test_any_other_text_is_refused(text: str) -> None:
    assert refusal("artifacts", 20, text) == "INVALID_CURSOR"


def test_a_cursor_is_of_one_list() -> None:
    cursor = Kept([1]).ask("artifacts", 1, None).cursor(Place(1, 20))
    assert live_page_request("artifacts", 20, cursor).place == Place(1, 20)
    assert refusal("tags", 20, cursor) == "INVALID_CURSOR"
    assert refusal("artifacts", 0, cursor) == refusal("artifacts", MOST_FIRST + 1, None) == "BAD_USER_INPUT"
