"""What registries said last is kept within bounds."""

from __future__ import annotations

from datetime import timedelta

from services.live_answers import IntegrationGone, Told
from services.live_memory import MOST_FAILURES, LiveMemory, bytes_of
from tests.services.asked_registries import NOW, artifact, page, wanted

LATER = NOW + timedelta(seconds=1)
ONE = Told(page(artifact(1, "1.0")), NOW)
SIZE = bytes_of(ONE.value)


def test_it_knows_until_when_an_answer_is_as_good_as_new() -> None:
    memory = LiveMemory()
    memory.keep(wanted(1), ONE, NOW, until=10)

    assert memory.fresh(wanted(1), NOW, 9.9) is ONE
    assert memory.fresh(wanted(1), NOW, 10) is None
    assert memory.last(wanted(1), NOW) is ONE
    assert memory.fresh(wanted(1), LATER, 0) is memory.last(wanted(1), LATER) is None
    assert memory.last(wanted(2), NOW) is None


def test_the_one_that_was_not_asked_for_longest_goes_first() -> None:
    memory = LiveMemory(most_bytes=3 * SIZE)
    for number in range(3):
        memory.keep(wanted(number), ONE, NOW, until=10)
    memory.last(wanted(0), NOW)
    memory.fresh(wanted(1), NOW, 0)

    memory.keep(wanted(3), ONE, NOW, until=10)

    assert [memory.last(wanted(number), NOW) for number in range(4)] == [ONE, ONE, None, ONE]
    assert (len(memory), memory.bytes) == (3, 3 * SIZE)


def test_the_same_again_takes_no_more_room() -> None:
    memory = LiveMemory()
    for _ in range(5):
        memory.keep(wanted(1), ONE, NOW, until=10)

    assert (len(memory), memory.bytes) == (1, SIZE)


def test_one_that_is_too_large_is_not_kept_nor_what_was_there_before() -> None:
    memory = LiveMemory(most_bytes_of_one=SIZE)
    memory.keep(wanted(1), ONE, NOW, until=10)
    memory.keep(wanted(1), Told(page(artifact(1, "1.0", "2.0")), NOW), NOW, until=10)

    assert memory.last(wanted(1), NOW) is None
    assert (len(memory), memory.bytes) == (0, 0)


def test_long_texts_count() -> None:
    assert bytes_of(page(artifact(1, "a" * 1000))) == bytes_of(page(artifact(1, "a"))) + 999
    assert bytes_of(page(artifact(1), artifact(2))) > bytes_of(page(artifact(1))) > bytes_of(None) > 0


def test_a_change_makes_old_what_is_of_its_repository() -> None:
    memory = LiveMemory()
    of = [wanted(1, "a/b", 1), wanted(1, "a/b", 2), wanted(1, "a/c", 1), wanted(2, "a/b", 1)]
    for each in of:
        memory.keep(each, ONE, NOW, until=10)

    memory.doubt(1, "a/b")
    memory.doubt(3, "a/b")

    assert [memory.fresh(each, NOW, 0) for each in of] == [None, None, ONE, ONE]
    assert [memory.last(each, NOW) for each in of] == [ONE] * 4


def test_of_a_removed_integration_nothing_stays() -> None:
    memory = LiveMemory()
    for id_ in (1, 2):
        for name in ("a", "b"):
            memory.keep(wanted(id_, name), ONE, NOW, until=10)
            memory.keep_failure(wanted(id_, name, 2), IntegrationGone(), NOW, until=10)

    memory.drop(1)

    assert (len(memory), memory.bytes, len(memory._failed), set(memory._of)) == (2, 2 * SIZE, 2, {2})
    memory.drop(2)
    assert (len(memory), memory.bytes, len(memory._failed), memory._of) == (0, 0, 0, {})


def test_a_failure_is_kept_for_a_time_and_an_answer_ends_it() -> None:
    memory, why = LiveMemory(), IntegrationGone()
    memory.keep_failure(wanted(1), why, NOW, until=10)

    assert memory.failure(wanted(1), NOW, 9.9) is why
    assert memory.failure(wanted(1), NOW, 10) is memory.failure(wanted(1), LATER, 0) is None
    memory.keep(wanted(1), ONE, NOW, until=10)
    assert memory.failure(wanted(1), NOW, 0) is None


def test_failures_have_a_bound() -> None:
    memory, why = LiveMemory(), IntegrationGone()
    for number in range(MOST_FAILURES + 10):
        memory.keep_failure(wanted(number), why, NOW, until=10)

    assert len(memory._failed) == MOST_FAILURES
    assert memory.failure(wanted(9), NOW, 0) is None
    assert memory.failure(wanted(10), NOW, 0) is why
