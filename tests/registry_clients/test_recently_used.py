"""A memory keeps what was used lately."""

from registry_clients.recently_used import RecentlyUsed


def test_what_was_used_least_lately_makes_room() -> None:
    kept: RecentlyUsed[str, int] = RecentlyUsed(2)
    kept.put("a", 1)
    kept.put("b", 2)
    assert kept.get("a") == 1
    kept.put("c", 3)
    assert [kept.get(key) for key in "abc"] == [1, None, 3]
    kept.put("a", 4)
    kept.put("d", 5)
    assert [kept.get(key) for key in "acd"] == [4, None, 5]
    assert len(kept) == 2


def test_forgetting() -> None:
    kept: RecentlyUsed[str, int] = RecentlyUsed(2)
    kept.put("a", 1)
    kept.put("b", 2)
    kept.drop("a")
    kept.drop("nothing")
    assert (kept.get("a"), kept.get("b"), len(kept)) == (None, 2, 1)
    kept.clear()
    assert len(kept) == 0
