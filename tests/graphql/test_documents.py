"""The cache of documents: what comes once can't push out what is used."""

from server.graphql.documents import DocumentCache, RefusedDocument

OUTCOME = RefusedDocument(())


def test_a_text_is_known_again() -> None:
    cache = DocumentCache(10, 1_000)
    assert cache.get("a") is None
    cache.put("a", OUTCOME)
    assert [cache.get("a") for _ in range(3)] == [OUTCOME] * 3
    assert (len(cache), cache.text_bytes) == (1, 1)


def test_a_flood_of_texts_leaves_those_asked_for_twice() -> None:
    cache = DocumentCache(10, 1_000)
    cache.put("useful", OUTCOME)
    cache.get("useful")
    for number in range(1_000):
        cache.put(f"hostile {number}", OUTCOME)
    assert cache.get("useful") is OUTCOME
    assert len(cache) == 3


def test_the_protected_part_forgets_what_was_used_longest_ago() -> None:
    cache = DocumentCache(5, 1_000)
    for text in "abcde":
        cache.put(text, OUTCOME)
        cache.get(text)
    cache.get("b")
    assert len(cache) == 4
    assert cache.get("a") is None
    assert cache.get("b") is OUTCOME


def test_bytes_are_bounded_and_a_large_text_is_not_kept() -> None:
    cache = DocumentCache(100, 100)
    cache.put("x" * 21, OUTCOME)
    assert len(cache) == 0
    for number in range(50):
        text = f"{number:02}" + "é" * 5
        cache.put(text, OUTCOME)
        cache.get(text)
    assert cache.text_bytes == 72
