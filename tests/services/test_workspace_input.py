"""Names of namespaces, clusters and labels: what Kubernetes takes is taken, and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.user_errors import InvalidInput, UserErrors
from services.workspace_input import NamespaceName, checked_external_id, checked_labels, checked_namespaces

# As published in k8s.io/apimachinery, pkg/util/validation/validation.go.
DNS1123_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
DNS1123_SUBDOMAIN = rf"{DNS1123_LABEL}(\.{DNS1123_LABEL})*"
QUALIFIED_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
LABEL_VALUE = f"({QUALIFIED_NAME})?"

PATH = ("input", "it")

letters = st.sampled_from("aZ0-_./\n é٣ſK")
"""Letters that rules are about, and letters that only look or fold like these."""

texts = st.text(letters, max_size=8) | st.text(max_size=8) | st.from_regex(QUALIFIED_NAME, fullmatch=True)
long_texts = st.builds(lambda text, times: text * times, st.sampled_from(["a", "a-a", "a.a", "A"]), st.integers(0, 260))


def is_label(text: str) -> bool:
    return len(text) <= 63 and re.fullmatch(DNS1123_LABEL, text, re.ASCII) is not None


def is_qualified_name(text: str) -> bool:
    parts = text.split("/")
    if len(parts) > 2:
        return False
    if len(parts) == 2 and not (len(parts[0]) <= 253 and re.fullmatch(DNS1123_SUBDOMAIN, parts[0])):
        return False
    return len(parts[-1]) <= 63 and re.fullmatch(QUALIFIED_NAME, parts[-1]) is not None


def is_label_value(text: str) -> bool:
    return len(text) <= 63 and re.fullmatch(LABEL_VALUE, text) is not None


def wrong_namespaces(*names: NamespaceName) -> list[tuple[str, ...]]:
    """Return where the errors are, none when the namespaces are taken as they are."""
    try:
        assert checked_namespaces(names, PATH) == names
    except UserErrors as error:
        return [each.path[2:] for each in error.errors]
    return []


@given(texts | long_texts)
@example("a" * 63)
@example("a" * 64)
@example("a\n")
def test_a_namespace_s_name_is_a_dns_label(text: str) -> None:
    assert wrong_namespaces(NamespaceName("default", text)) == ([] if is_label(text) else [("0", "name")])
    assert wrong_namespaces(NamespaceName(text, "default")) == ([] if is_label(text) else [("0", "cluster")])


@given(st.builds("/".join, st.lists(texts | long_texts, min_size=1, max_size=3)), texts | long_texts)
@example("a" * 253 + "/a", "a" * 63)
@example("a" * 254 + "/a", "a" * 64)
@example("/a", "")
@example("a/", "-")
def test_a_label_is_kubernetes_own(key: str, value: str) -> None:
    expected = [*([] if is_qualified_name(key) else ["key"]), *([] if is_label_value(value) else ["value"])]
    wrong: list[tuple[str, ...]] = []
    try:
        assert dict(checked_labels([(key, value)], PATH)) == {key: value}
    except UserErrors as error:
        wrong = [each.path for each in error.errors]
    assert wrong == [(*PATH, "0", field) for field in expected]


@given(st.lists(st.builds(NamespaceName, st.sampled_from("ab"), st.sampled_from("ab"))))
def test_each_is_named_once(names: list[NamespaceName]) -> None:
    expected = [(str(index),) for index, name in enumerate(names) if name in names[:index]]

    assert wrong_namespaces(*names) == expected


@given(st.text())
def test_an_external_id_is_kept_to_the_letter_or_refused(text: str) -> None:
    try:
        kept = checked_external_id(text, PATH)
    except InvalidInput:
        return
    assert kept == text
    assert 0 < len(text) <= 255
    # Both databases take it: no null, no half of a character.
    assert "\x00" not in text
    text.encode()


@pytest.mark.parametrize("count", [1000, 1001])
def test_a_thousand_namespaces_at_once(count: int) -> None:
    names = [NamespaceName("default", f"n{number}") for number in range(count)]

    if count == 1000:
        assert checked_namespaces(names, PATH) == tuple(names)
    else:
        with pytest.raises(InvalidInput) as caught:
            checked_namespaces(names, PATH)
        assert caught.value.path == PATH
