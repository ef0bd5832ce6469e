"""A repository's name, a tag and a digest by themselves: what is none must not get into a path."""

import pytest

from registry_clients.image_reference import is_digest, is_repository_name, is_tag


@pytest.mark.parametrize(
    ("text", "is_name"),
    [
        ("web", True),
        ("team/app/web", True),
        ("4711/a.b/c__d/e---f/g_h", True),
        ("x" * 255, True),
        ("x" * 256, False),
        ("", False),
        ("/web", False),
        ("web/", False),
        ("a//b", False),
        ("a/../b", False),
        (".", False),
        ("a___b", False),
        ("a._b", False),
        ("Web", False),
        ("a b", False),
        ("web\n", False),
        ("wéb", False),
    ],
)
def test_whole_names_of_repositories(text: str, is_name: bool) -> None:
    assert is_repository_name(text) is is_name


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("latest", True),
        ("_A.b-9", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("", False),
        (".1", False),
        ("-1", False),
        ("a/b", False),
        ("a:b", False),
        ("1\n", False),
    ],
)
def test_tags_alone(text: str, is_one: bool) -> None:
    assert is_tag(text) is is_one


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (f"sha256:{'a' * 64}", True),
        (f"sha512:{'0' * 128}", True),
        (f"sha256+b64u:{'0' * 40}", True),
        (f"sha256:{'A' * 64}", False),
        (f"sha256:{'a' * 63}", False),
        (f"sha256:{'a' * 65}", False),
        (f"sha256:{'g' * 64}", False),
        (f"SHA256:{'a' * 64}", False),
        ("a" * 64, False),
        ("", False),
        (f"sha256:{'a' * 64}\n", False),
        (f"other:{'a' * 2000}", False),
    ],
)
def test_digests_alone(text: str, is_one: bool) -> None:
    assert is_digest(text) is is_one
