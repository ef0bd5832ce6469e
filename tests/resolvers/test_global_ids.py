"""Global ids: one for each thing, and nothing else is one."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resolvers.global_ids import (
    MAX_CHARACTERS,
    MAX_KEY,
    ArtifactKey,
    InvalidId,
    global_id,
    key_of,
    parse_artifact_id,
    parse_global_id,
)

TYPE_NAMES = st.from_regex(r"[A-Z][A-Za-z]{0,30}", fullmatch=True)
KEYS = st.integers(min_value=0, max_value=MAX_KEY)


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@given(TYPE_NAMES, KEYS)
def test_an_id_leads_back_to_its_thing(type_name: str, key: int) -> None:
    assert parse_global_id(global_id(type_name, key)) == (type_name, key)


@given(TYPE_NAMES, TYPE_NAMES, KEYS, KEYS)
def test_two_things_have_two_ids(type_name: str, other: str, key: int, other_key: int) -> None:
    same = global_id(type_name, key) == global_id(other, other_key)
    assert same == ((type_name, key) == (other, other_key))


@given(st.text())
@example("")
@example("\x00")
@example("\ud800")
@example("SW50ZWdyYXRpb246MQ==\n")
@example(encoded("Integration:01"))
@example(encoded("Integration:١"))
@example(encoded("Integration:+1"))
@example(encoded("Integration:-1"))
@example(encoded("Integration: 1"))
@example(encoded("Integration:1:2"))
@example(encoded(":1"))
@example(encoded("Integration"))
@example(encoded(f"Integration:{MAX_KEY + 1}"))
@example(encoded("Integration:" + "9" * 10_000))
def test_a_text_is_the_one_id_of_a_thing_or_none(text: str) -> None:
    try:
        type_name, key = parse_global_id(text)
    except InvalidId:
        return
    assert global_id(type_name, key) == text.rstrip("=")
    assert 0 <= key <= MAX_KEY


@pytest.mark.parametrize(
    "text", [encoded("Integration:01"), encoded(f"Integration:{MAX_KEY + 1}"), encoded("Integration:x"), "?", "é"]
)
def test_what_no_thing_has_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        parse_global_id(text)


def test_a_key_is_of_one_type() -> None:
    assert key_of(global_id("Integration", 7), "Integration") == 7
    assert key_of(global_id("Integration", 7), "Space") is None
    assert key_of("nothing", "Space") is None


DIGEST = f"sha256:{'0a' * 32}"
DIGESTS = st.one_of(
    st.from_regex(r"(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})", fullmatch=True),
    st.from_regex(r"[a-z][a-z0-9]{0,6}[-_+.][a-z][a-z0-9]{0,6}:[0-9a-f]{32,128}", fullmatch=True),
)


@given(KEYS, DIGESTS)
@example(MAX_KEY, f"sha512:{'f' * 128}")
@example(0, f"a-b_c+d.e:{'0' * 32}")
def test_an_artifact_s_id_leads_back_to_it(repository_id: int, digest: str) -> None:
    text = global_id("Artifact", ArtifactKey(repository_id, digest))

    assert parse_artifact_id(text) == ArtifactKey(repository_id, digest)
    assert len(text) <= MAX_CHARACTERS
    # It looks the same in a URL.
    assert not {"+", "/", "="} & set(text)
    # What is stored has a number as its key.
    with pytest.raises(InvalidId):
        parse_global_id(text)


@given(st.text())
@example("")
@example("é")
@example(encoded(f"Artifact:1:{DIGEST}\n"))
@example(encoded(f"Artifact:01:{DIGEST}"))
@example(encoded(f"Artifact:-1:{DIGEST}"))
@example(encoded(f"Artifact:{MAX_KEY + 1}:{DIGEST}"))
@example(encoded(f"Artifact:{'9' * 10_000}:{DIGEST}"))
@example(encoded(f"Artifact::{DIGEST}"))
@example(encoded("Artifact:1:sha256:"))
@example(encoded("Artifact:1:../../etc"))
@example(encoded(f"Artifact:1:sha256:{'0' * 63}"))
@example(encoded(f"Artifact:1:other:{'0' * 500}"))
@example(encoded(f"Repository:1:{DIGEST}"))
@example(encoded("Artifact:1"))
def test_a_text_is_the_one_id_of_an_artifact_or_none(text: str) -> None:
    try:
        key = parse_artifact_id(text)
    except InvalidId:
        return
    assert global_id("Artifact", key) == text.rstrip("=")


@pytest.mark.parametrize(
    "text",
    [f"Artifact:01:{DIGEST}", f"Artifact:1:{DIGEST}\n", "Artifact:1:../../etc", f"Space:1:{DIGEST}", "Artifact:1"],
)
def test_what_no_artifact_has_is_refused(text: str) -> None:
    with pytest.raises(InvalidId):
        parse_artifact_id(encoded(text))
