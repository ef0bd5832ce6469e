"""Images as people write them.

The published cases are those of github.com/distribution/reference (reference_test.go, normalize_test.go and
regexp_test.go), with the host in our one form.
"""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_clients.image_host import parse_image_host
from registry_clients.image_reference import ImageReference, InvalidImageReference, parse_image_reference

SHA256 = "sha256:" + "f" * 64
SHA512 = "sha512:" + "f" * 128
IDENTIFIER = "1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a"
LONG_NAMESPACE = "this_is_not_a_valid_namespace_because_its_lenth_is_greater_than_255" * 4

HOST_MESSAGE = "An image host is written host or host:port, such as registry.example.com:5000."
PORT_MESSAGE = "The port of an image's host is between 1 and 65535, without leading zeros."
UPPER_CASE_MESSAGE = (
    "The repository of an image has lower case letters alone, such as registry.example.com/team/app:1.0."
)
REPOSITORY_MESSAGE = (
    "The repository of an image is written in lower case letters and digits, with . _ __ or - between them "
    "and / between its segments, such as team/app."
)
LONG_REPOSITORY_MESSAGE = "The repository of an image has 255 characters at most, library/ included."
TAG_MESSAGE = "The tag of an image is written in letters, digits and _ . -, the first no . or -, such as app:1.0."
DIGEST_MESSAGE = (
    "A digest is written algorithm:digits after the @, the algorithm in lower case and at least 32 "
    "hexadecimal digits, such as app@sha256:…"
)
SHA256_MESSAGE = "A sha256 digest is written with 64 lower case hexadecimal digits: app@sha256:…"
SCHEME_MESSAGE = (
    "Leave https:// and the like out of the image: it begins with the host, registry.example.com/team/app:1.0."
)
SPACE_MESSAGE = "Leave spaces and commands out of the image: give the name alone, registry.example.com/team/app:1.0."
CHARACTER_MESSAGE = (
    "An image is written in printable ASCII characters alone, such as registry.example.com/team/app:1.0."
)
LENGTH_MESSAGE = "An image reference has 1024 characters at most."


@pytest.mark.parametrize(
    ("typed", "host", "repository", "tag", "digest"),
    [
        # TestReferenceParse, TestFullNameRegexp and TestReferenceRegexp, read as Docker reads short names.
        ("test_com", "docker.io", "library/test_com", None, None),
        ("test.com:tag", "docker.io", "library/test.com", "tag", None),
        ("test.com:5000", "docker.io", "library/test.com", "5000", None),
        ("test.com/repo:tag", "test.com", "repo", "tag", None),
        ("test:5000/repo", "test:5000", "repo", None, None),
        ("test:5000/repo:tag", "test:5000", "repo", "tag", None),
        (f"test:5000/repo@{SHA256}", "test:5000", "repo", None, SHA256),
        (f"test:5000/repo:tag@{SHA256}", "test:5000", "repo", "tag", SHA256),
        ("lowercase:Uppercase", "docker.io", "library/lowercase", "Uppercase", None),
        ("a/" * 127 + "a:tag-puts-this-over-max", "docker.io", "a/" * 127 + "a", "tag-puts-this-over-max", None),
        ("sub-dom1.foo.com/bar/baz/quux", "sub-dom1.foo.com", "bar/baz/quux", None, None),
        ("sub-dom1.foo.com/bar/baz/quux:some-long-tag", "sub-dom1.foo.com", "bar/baz/quux", "some-long-tag", None),
        ("b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io", "test.example.com/my-app",
         "test.example.com", None),
        ("xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage", "xn--n3h.com", None),
        (f"xn--7o8h.com/myimage:xn--7o8h.com@{SHA512}", "xn--7o8h.com", "myimage", "xn--7o8h.com", SHA512),
        ("foo_bar.com:8080", "docker.io", "library/foo_bar.com", "8080", None),
        ("foo/foo_bar.com:8080", "docker.io", "foo/foo_bar.com", "8080", None),
        ("192.168.1.1", "docker.io", "library/192.168.1.1", None, None),
        ("192.168.1.1:5000", "docker.io", "library/192.168.1.1", "5000", None),
        ("192.168.1.1/repo", "192.168.1.1", "repo", None, None),
        ("192.168.1.1:5000/repo:5050", "192.168.1.1:5000", "repo", "5050", None),
        ("[2001:db8::1]/repo", "[2001:db8::1]", "repo", None, None),
        ("[2001:db8:1:2:3:4:5:6]/repo:tag", "[2001:db8:1:2:3:4:5:6]", "repo", "tag", None),
        (f"[2001:db8::1]:5000/repo:tag@{SHA256}", "[2001:db8::1]:5000", "repo", "tag", SHA256),
        ("[2001:db8::]:5000/repo", "[2001:db8::]:5000", "repo", None, None),
        ("[::1]:5000/repo", "[::1]:5000", "repo", None, None),
        ("a/aa/a", "docker.io", "a/aa/a", None, None),
        ("do__cker/docker", "docker.io", "do__cker/docker", None, None),
        ("docker---rules/docker", "docker.io", "docker---rules/docker", None, None),
        ("example.com/some_separator__underscore/myimage", "example.com", "some_separator__underscore/myimage",
         None, None),
        ("registry.io/foo/project--id.module--name.ver---sion--name", "registry.io",
         "foo/project--id.module--name.ver---sion--name", None, None),
        ("Asdf.com/foo/bar", "asdf.com", "foo/bar", None, None),
        (f"localhost:8080@{SHA256}", "docker.io", "library/localhost", "8080", SHA256),
        (f"localhost:8080/name@{SHA256}", "localhost:8080", "name", None, SHA256),
        (f"localhost@{SHA256}", "docker.io", "library/localhost", None, SHA256),
        # TestValidateReferenceName, TestParseRepositoryInfo and TestNormalizedSplitHostname.
        ("docker.io/docker/docker", "docker.io", "docker/docker", None, None),
        ("docker.io/debian", "docker.io", "library/debian", None, None),
        ("index.docker.io/docker/docker", "docker.io", "docker/docker", None, None),
        ("index.docker.io/library/debian", "docker.io", "library/debian", None, None),
        ("index.docker.io/debian", "docker.io", "library/debian", None, None),
        ("127.0.0.1:5000/debian", "127.0.0.1:5000", "debian", None, None),
        ("192.168.0.1:8/debian", "192.168.0.1:8", "debian", None, None),
        ("[fc00:1:2:3:4:5:6:7]:5000/library/debian", "[fc00:1:2:3:4:5:6:7]:5000", "library/debian", None, None),
        (f"docker.io/{IDENTIFIER}", "docker.io", f"library/{IDENTIFIER}", None, None),
        (IDENTIFIER[:-1], "docker.io", f"library/{IDENTIFIER[:-1]}", None, None),
        ("Foo/bar", "foo", "bar", None, None),
        ("FOO/bar", "foo", "bar", None, None),
        ("nonlibrary/ubuntu", "docker.io", "nonlibrary/ubuntu", None, None),
        ("library/foo/bar", "docker.io", "library/foo/bar", None, None),
        ("docker.io/library/foo/bar", "docker.io", "library/foo/bar", None, None),
        ("test-com:8080/foo", "test-com:8080", "foo", None, None),
    ],
)  # fmt: skip
def test_the_published_references(typed: str, host: str, repository: str, tag: str | None, digest: str | None) -> None:
    assert parse_image_reference(typed) == ImageReference(host, repository, tag, digest)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Give the image, such as registry.example.com/team/app:1.0."),
        (":justtag", REPOSITORY_MESSAGE),
        (f"@{SHA256}", REPOSITORY_MESSAGE),
        ("repo@sha256:" + "f" * 34, SHA256_MESSAGE),
        ("Uppercase:tag", UPPER_CASE_MESSAGE),
        ("test:5000/Uppercase/lowercase:tag", UPPER_CASE_MESSAGE),
        ("a/" * 128 + "a:tag", LONG_REPOSITORY_MESSAGE),
        ("aa/asdf$$^/aa", REPOSITORY_MESSAGE),
        ("[2001:db8::1]", REPOSITORY_MESSAGE),
        ("[2001:db8::1]:5000", REPOSITORY_MESSAGE),
        ("[2001:db8::1]:tag", REPOSITORY_MESSAGE),
        ("[fe80::1%eth0]:5000/repo", HOST_MESSAGE),
        ("[fe80::1%@invalidzone]:5000/repo", REPOSITORY_MESSAGE),
        ("https://github.com/docker/docker", SCHEME_MESSAGE),
        ("docker/Docker", UPPER_CASE_MESSAGE),
        ("docker.io/docker/Docker", UPPER_CASE_MESSAGE),
        ("Foo/FarB", UPPER_CASE_MESSAGE),
        ("-docker", REPOSITORY_MESSAGE),
        ("-docker/docker", REPOSITORY_MESSAGE),
        ("-docker.io/docker/docker", HOST_MESSAGE),
        ("docker///docker", REPOSITORY_MESSAGE),
        ("docker.io/docker///docker", REPOSITORY_MESSAGE),
        ("fc00::1:5000/debian", HOST_MESSAGE),
        ("[2001:db8:3:4::192.0.2.33]:5000/debian", HOST_MESSAGE),
        (IDENTIFIER, "This is an image's identifier, not its name, such as registry.example.com/team/app:1.0."),
        ("docker-/docker", REPOSITORY_MESSAGE),
        ("____/____", REPOSITORY_MESSAGE),
        ("_docker/_docker", REPOSITORY_MESSAGE),
        ("docker_/docker_", REPOSITORY_MESSAGE),
        ("dock..er/docker", HOST_MESSAGE),
        ("dock_.er/docker", HOST_MESSAGE),
        ("dock-.er/docker", HOST_MESSAGE),
        ("docker/", REPOSITORY_MESSAGE),
        ("foo.com/", REPOSITORY_MESSAGE),
        (f"{LONG_NAMESPACE}/docker", LONG_REPOSITORY_MESSAGE),
        ("foo.com:http/bar", HOST_MESSAGE),
        ("a/a/a/a/", REPOSITORY_MESSAGE),
        ("foo.com/a-/a/a", REPOSITORY_MESSAGE),
        ("foo_bar.com:8080/app", HOST_MESSAGE),
        ("do__cker:8080/docker", HOST_MESSAGE),
        ("example.com/__underscore/myimage", REPOSITORY_MESSAGE),
        ("example.com/..dots/myimage", REPOSITORY_MESSAGE),
        ("example.com/nodouble..dots/myimage", REPOSITORY_MESSAGE),
        ("docker./docker", HOST_MESSAGE),
        (".docker/docker", HOST_MESSAGE),
        ("registry.com:8080/myapp@sha256:badbadbadbad", SHA256_MESSAGE),
        ("registry.com:8080/myapp:invalid~tag", TAG_MESSAGE),
        ("registry.com:8080/myapp@bad", DIGEST_MESSAGE),
        ("192.168.1.1:75050/repo", PORT_MESSAGE),
        ("192.168.1.1:750050/repo", PORT_MESSAGE),
        ("[fd00:1:2::3]75050/repo", HOST_MESSAGE),
        ("[fd00:1:2::3]::5000/repo", HOST_MESSAGE),
    ],
)
def test_the_published_mistakes_are_refused(typed: str, message: str) -> None:
    with pytest.raises(InvalidImageReference) as caught:
        parse_image_reference(typed)
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("nginx", "docker.io/library/nginx"),
        ("user/app", "docker.io/user/app"),
        ("  nginx:1.25\n", "docker.io/library/nginx:1.25"),
        ("REGISTRY.Example.com/team/app", "registry.example.com/team/app"),
        ("registry.example.com:443/team/app:1.0", "registry.example.com/team/app:1.0"),
        ("registry.example.com:5000/app", "registry.example.com:5000/app"),
        ("[FC00::A]:443/app", "[fc00::a]/app"),
        ("localhost/app", "localhost/app"),
        ("localhost:443/app", "localhost/app"),
        ("Index.Docker.io/nginx", "docker.io/library/nginx"),
        ("index.docker.io:443/nginx", "docker.io/library/nginx"),
        ("docker.io:443/nginx", "docker.io/library/nginx"),
        # Distribution leaves the host that Docker Hub's registry really has alone.
        ("registry-1.docker.io/nginx", "registry-1.docker.io/nginx"),
        # What has the colon of a port is a host, though it may have been meant as a tag.
        ("nginx:1/2", "nginx:1/2"),
        # Without its port, a host of one label would be read as a namespace of Docker Hub's.
        ("registry:443/app", "registry:443/app"),
        ("REGISTRY/app", "registry:443/app"),
        ("sha256:5000/app", "sha256:5000/app"),
        (f"nginx@{SHA512}", f"docker.io/library/nginx@{SHA512}"),
        ("nginx@sha384:" + "0" * 96, "docker.io/library/nginx@sha384:" + "0" * 96),
        ("nginx@blake3:" + "Fa" * 16, "docker.io/library/nginx@blake3:" + "Fa" * 16),
        ("nginx@sha256+b64:" + "0" * 32, "docker.io/library/nginx@sha256+b64:" + "0" * 32),
        ("a.example/" + "b" * 255 + ":" + "c" * 128, "a.example/" + "b" * 255 + ":" + "c" * 128),
        ("a.example:65535/b", "a.example:65535/b"),
        ("a.example:1/b", "a.example:1/b"),
        ("A" * 251 + "/b", "a" * 251 + ":443/b"),
    ],
)
def test_a_reference_has_one_full_form(typed: str, full: str) -> None:
    reference = parse_image_reference(typed)
    assert reference.text == full
    assert parse_image_reference(full) == reference


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (" \t\n", "Give the image, such as registry.example.com/team/app:1.0."),
        ("docker://nginx", SCHEME_MESSAGE),
        ("docker pull nginx", SPACE_MESSAGE),
        ("registry.example.com/team/app :1.0", SPACE_MESSAGE),
        ("nginx\nnginx", SPACE_MESSAGE),
        ("nginx\u3000nginx", SPACE_MESSAGE),
        ("nginx\x00", CHARACTER_MESSAGE),
        ("nginx\x7f", CHARACTER_MESSAGE),
        ("nginx\ud800", CHARACTER_MESSAGE),
        ("bücher.example/app", CHARACTER_MESSAGE),
        # Upper case of other alphabets, and digits, are none here.
        ("İ.example/app", CHARACTER_MESSAGE),
        ("registry.example.com:٥٠/app", CHARACTER_MESSAGE),
        ("/app", REPOSITORY_MESSAGE),
        ("registry.example.com:/app", HOST_MESSAGE),
        ("a" * 254 + ".b/app", HOST_MESSAGE),
        ("A" * 252 + "/b", "The host of an image has 255 characters at most."),
        ("user@registry.example.com/app", DIGEST_MESSAGE),
        ("registry.example.com:0/app", PORT_MESSAGE),
        ("registry.example.com:65536/app", PORT_MESSAGE),
        ("registry.example.com:0443/app", PORT_MESSAGE),
        ("[::1]:65536/app", PORT_MESSAGE),
        ("a.example/" + "b" * 256, LONG_REPOSITORY_MESSAGE),
        ("b" * 248, LONG_REPOSITORY_MESSAGE),
        ("nginx:", TAG_MESSAGE),
        ("nginx:.1", TAG_MESSAGE),
        ("nginx:-1", TAG_MESSAGE),
        ("nginx:1:2", TAG_MESSAGE),
        ("a.example/nginx:1/2", TAG_MESSAGE),
        ("nginx:" + "1" * 129, "The tag of an image has 128 characters at most."),
        ("nginx@", DIGEST_MESSAGE),
        ("nginx@sha256", SHA256_MESSAGE),
        (f"nginx@{SHA256}f", SHA256_MESSAGE),
        (f"nginx@{SHA256[:-1]}", SHA256_MESSAGE),
        (f"nginx@{SHA256[:-1]}F", SHA256_MESSAGE),
        (f"nginx@{SHA256}:1.0", SHA256_MESSAGE),
        (f"nginx@{SHA256}@{SHA256}", SHA256_MESSAGE),
        (f"nginx@{SHA512}f", "A sha512 digest is written with 128 lower case hexadecimal digits: app@sha512:…"),
        (
            f"nginx@sha384:{'0' * 64}",
            "A sha384 digest is written with 96 lower case hexadecimal digits: app@sha384:…",
        ),
        ("nginx@SHA256:" + "f" * 64, DIGEST_MESSAGE),
        ("nginx@Blake3:" + "f" * 64, DIGEST_MESSAGE),
        ("nginx@md5:" + "0" * 31, DIGEST_MESSAGE),
        ("nginx@blake3:" + "g" * 32, DIGEST_MESSAGE),
        ("nginx@blake..3:" + "0" * 32, DIGEST_MESSAGE),
        ("nginx@3:" + "0" * 32, DIGEST_MESSAGE),
    ],
)
def test_what_is_no_reference_says_why(typed: str, message: str) -> None:
    with pytest.raises(InvalidImageReference) as caught:
        parse_image_reference(typed)
    assert caught.value.message == message
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("a" * 1025, LENGTH_MESSAGE),
        ("a/" * 2500, LENGTH_MESSAGE),
        (" " * 5000 + "nginx", LENGTH_MESSAGE),
        ("a." * 4_000_000, LENGTH_MESSAGE),
        # It would be longer once written out.
        ("nginx@a:" + "0" * 1016, LENGTH_MESSAGE),
        ("a.b/" + "a-" * 500, LONG_REPOSITORY_MESSAGE),
        ("a.b/" + "a-" * 120 + "!", REPOSITORY_MESSAGE),
        ("1." * 127 + "!/x", HOST_MESSAGE),
        ("1-" * 127 + ".!/x", HOST_MESSAGE),
        ("a:" + "0" * 1000 + "/x", HOST_MESSAGE),
        ("nginx@" + "a+" * 500 + "a", DIGEST_MESSAGE),
        ("nginx@" + "a" * 900 + ":" + "0" * 100 + "!", DIGEST_MESSAGE),
    ],
    ids=lambda text: f"{text[:20]} {len(text)}",
)
def test_long_input_is_refused_at_once(typed: str, message: str) -> None:
    begun = time.process_time()
    with pytest.raises(InvalidImageReference) as caught:
        parse_image_reference(typed)
    # It takes some microseconds; where a pattern went back over its input again and again it would be minutes.
    assert time.process_time() - begun < 1
    assert caught.value.message == message


def matching(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(pattern, fullmatch=True)


LABELS = matching(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,10}[A-Za-z0-9])?")
PORTS = st.integers(1, 65535).map(lambda port: f":{port}")
HOSTS = st.one_of(
    st.tuples(st.lists(LABELS, min_size=2, max_size=5).map(".".join), st.just("") | PORTS).map("".join),
    st.tuples(LABELS, PORTS).map("".join),
    st.tuples(matching(r"\[[a-fA-F0-9:]{1,39}\]"), PORTS).map("".join),
    st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
    st.sampled_from(["localhost", "docker.io", "index.docker.io", "REGISTRY", "registry:443"]),
)
REPOSITORIES = st.lists(matching(r"[a-z0-9]{1,9}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,9}){0,2}"), min_size=1, max_size=5).map(
    "/".join
)
TAGS = matching(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
DIGESTS = st.one_of(
    matching(r"sha256:[0-9a-f]{64}"),
    matching(r"sha512:[0-9a-f]{128}"),
    matching(r"x[a-z0-9]{0,5}(?:[-_+.][a-z][a-z0-9]{0,5}){0,2}:[0-9a-fA-F]{32,140}"),
)


@given(HOSTS, REPOSITORIES, st.none() | TAGS, st.none() | DIGESTS)
def test_every_reference_of_the_grammar_is_taken_apart(
    typed_host: str, repository: str, tag: str | None, digest: str | None
) -> None:
    suffix = ("" if tag is None else f":{tag}") + ("" if digest is None else f"@{digest}")
    reference = parse_image_reference(f"{typed_host}/{repository}{suffix}")
    host = parse_image_host(typed_host)
    if host == "docker.io":
        repository = repository if "/" in repository else f"library/{repository}"
    assert reference == ImageReference(host, repository, tag, digest)
    assert parse_image_reference(reference.text) == reference


@given(
    st.text(max_size=60)
    | st.text("aZ09./:@-_+[]% \n\x00\ud800é", max_size=40)
    | st.tuples(st.text("aZ0.:[]", max_size=8), st.text("aZ0./-_", max_size=8), st.text(":@-.a0", max_size=8)).map(
        lambda parts: "{}/{}{}".format(*parts)
    )
)
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    try:
        reference = parse_image_reference(text)
    except InvalidImageReference:
        return
    assert reference.host == parse_image_host(reference.host)
    assert parse_image_reference(reference.text) == reference
    assert parse_image_reference(f" {text}\t") == reference
