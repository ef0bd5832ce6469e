"""What the double deletes and what it keeps: rules, indexes, accessories and untagged artifacts."""

from collections.abc import Iterator

import pytest

from tests.doubles.asking import Asked, api
from tests.doubles.harbor.images import Image, Platform, digest_of, made_image, made_index
from tests.doubles.harbor.server import HarborDouble, running_harbor

WEB = "/projects/team/repositories/app%252Fweb"


@pytest.fixture
def harbor() -> Iterator[HarborDouble]:
    with running_harbor() as started:
        started.create_project("team")
        yield started


def delete(harbor: HarborDouble, path: str) -> Asked:
    return api(harbor, path, method="DELETE")


def listed(harbor: HarborDouble) -> list[str]:
    return [one["digest"] for one in api(harbor, f"{WEB}/artifacts").json]


def signature_of(subject: Image) -> Image:
    content = b'{"artifactType":"application/vnd.example.signature"}'
    return Image(digest_of(content), "a/b", content, "a/b", subject=subject, kind="SIGNATURE", accessory_kind="s")


def test_a_rule_keeps_tag_artifact_and_repository(harbor: HarborDouble) -> None:
    digest = harbor.push("team/app/web", "v1")
    harbor.keep_tags("team", "v*")
    for path in (f"{WEB}/artifacts/v1/tags/v1", f"{WEB}/artifacts/{digest}", WEB):
        answer = delete(harbor, path)
        assert answer.error == (412, "PRECONDITION")
        assert answer.json["errors"][0]["message"] == "the tag v1 configured as immutable, cannot be deleted"
    assert listed(harbor) == [digest]
    harbor.keep_tags("team")
    assert delete(harbor, f"{WEB}/artifacts/v1/tags/v1").status == 200
    assert delete(harbor, WEB).status == 200


def test_a_tag_is_said_to_be_kept_only_to_who_asks(harbor: HarborDouble) -> None:
    harbor.push("team/app/web", "v1")
    harbor.keep_tags("team", "v*")
    for query, said in (("", False), ("?with_immutable_status=true", True)):
        assert [tag["immutable"] for tag in api(harbor, f"{WEB}/artifacts/v1{query}").json["tags"]] == [said]
        assert [tag["immutable"] for tag in api(harbor, f"{WEB}/artifacts{query}").json[0]["tags"]] == [said]
        assert [tag["immutable"] for tag in api(harbor, f"{WEB}/artifacts/v1/tags{query}").json] == [said]


def test_an_untagged_artifact_stands_and_is_found_by_its_digest(harbor: HarborDouble) -> None:
    digest = harbor.push("team/app/web", "1")
    assert delete(harbor, f"{WEB}/artifacts/{digest}/tags/1").status == 200
    assert listed(harbor) == [digest]
    assert api(harbor, f"{WEB}/artifacts/1").error == (404, "NOT_FOUND")
    assert api(harbor, f"{WEB}/artifacts/{digest}").json["tags"] is None


def test_an_index_takes_its_images_along_but_those_that_have_a_tag(harbor: HarborDouble) -> None:
    untagged, tagged = made_image("amd64"), made_image("arm64")
    index = made_index({Platform("amd64"): untagged, Platform("arm64"): tagged})
    harbor.push("team/app/web", "1", index)
    assert listed(harbor) == [index.digest]
    harbor.push("team/app/web", "arm", tagged)
    assert sorted(listed(harbor)) == sorted([index.digest, tagged.digest])
    for image in (untagged, tagged):
        assert delete(harbor, f"{WEB}/artifacts/{image.digest}").error == (412, "VIOLATE_FOREIGN_KEY_CONSTRAINT")
    assert delete(harbor, f"{WEB}/artifacts/1").status == 200
    assert listed(harbor) == [tagged.digest]
    assert delete(harbor, f"{WEB}/artifacts/{tagged.digest}").status == 200
    assert listed(harbor) == []


def test_signatures_go_with_what_they_sign_and_are_in_no_list(harbor: HarborDouble) -> None:
    subject = made_image("signed")
    signature = signature_of(subject)
    harbor.push("team/app/web", "1", subject)
    harbor.push("team/app/web", None, signature)
    assert listed(harbor) == [subject.digest]
    assert api(harbor, f"{WEB}/artifacts/{signature.digest}").json["type"] == "SIGNATURE"
    assert delete(harbor, f"{WEB}/artifacts/{subject.digest}").status == 200
    assert api(harbor, f"{WEB}/artifacts/{signature.digest}").error == (404, "NOT_FOUND")
