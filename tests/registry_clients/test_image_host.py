"""Image hosts have one form, whoever types them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from registry_clients.image_host import InvalidImageHost, image_host_of, parse_image_host

HOST_MESSAGE = "An image host is written host or host:port, such as registry.example.com:5000."
PORT_MESSAGE = "The port of an image's host is between 1 and 65535, without leading zeros."


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("registry.example.com", "registry.example.com"),
        (" Registry.Example.COM:5000\n", "registry.example.com:5000"),
        ("registry.example.com:443", "registry.example.com"),
        ("registry:80", "registry:80"),
        ("registry:1", "registry:1"),
        ("registry:65535", "registry:65535"),
        ("docker.io", "docker.io"),
        ("index.docker.io", "docker.io"),
        ("Index.Docker.IO:443", "docker.io"),
        # Docker reads no other port of it so.
        ("index.docker.io:5000", "index.docker.io:5000"),
        ("[2001:DB8:0:0:0:0:0:1]", "[2001:db8::1]"),
        ("[2001:db8::1]:443", "[2001:db8::1]"),
        ("[2001:0db8::0001]:5000", "[2001:db8::1]:5000"),
        ("[::443]", "[::443]"),
        # In the grammar, and no address of anything.
        ("[A]", "[a]"),
    ],
)
def test_a_host_has_one_form(typed: str, host: str) -> None:
    assert parse_image_host(typed) == host
    assert parse_image_host(host) == host


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", HOST_MESSAGE),
        ("a/b", HOST_MESSAGE),
        ("a:", HOST_MESSAGE),
        ("a_b", HOST_MESSAGE),
        ("-a", HOST_MESSAGE),
        ("a.", HOST_MESSAGE),
        ("https://a", HOST_MESSAGE),
        ("2001:db8::1", HOST_MESSAGE),
        ("[fe80::1%eth0]", HOST_MESSAGE),
        ("bücher.example", HOST_MESSAGE),
        ("a:٥٠", HOST_MESSAGE),
        ("a" * 256, HOST_MESSAGE),
        ("a:0", PORT_MESSAGE),
        ("a:00", PORT_MESSAGE),
        ("a:0443", PORT_MESSAGE),
        ("a:05000", PORT_MESSAGE),
        ("a:65536", PORT_MESSAGE),
        ("a:" + "9" * 250, PORT_MESSAGE),
        ("[::1]:65536", PORT_MESSAGE),
    ],
)
def test_what_is_no_host_says_why(typed: str, message: str) -> None:
    with pytest.raises(InvalidImageHost) as caught:
        parse_image_host(typed)
    assert caught.value.message == str(caught.value) == message


@given(st.ip_addresses(v=6), st.none() | st.integers(1, 65535))
def test_an_address_and_what_is_typed_for_it_give_the_same_host(address: object, port: int | None) -> None:
    typed = f"[{address}]" if port is None else f"[{address}]:{port}"
    assert parse_image_host(image_host_of(URL(f"https://{typed}"))) == parse_image_host(typed)
    assert image_host_of(URL(f"https://{typed}")) == parse_image_host(typed)
