"""A server on loopback plays every host there is; nothing beyond loopback is ever contacted."""

import gzip
import io
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest
from PIL import Image

from catalog.pictures.fetch import MAX_REDIRECTS, AnswerStatusError, fetch_changed_image, fetch_image
from catalog.pictures.fetch_network import Address, Deadline, Network, PinnedBackend, is_public
from shop_search.errors import InputError

Answer = Callable[[BaseHTTPRequestHandler], None]
LOOPBACK = ip_address("127.0.0.1")


def _png() -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(stream, "PNG")
    return stream.getvalue()


PNG = _png()


@dataclass
class Site:
    """A real HTTP server. `answers` by path; `requests` keeps the path and headers of each request it got."""

    port: int = 0
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    names_asked: list[str] = field(default_factory=list)

    def url(self, path: str = "/photo.png", host: str = "shop.example") -> str:
        return f"http://{host}:{self.port}{path}"

    def network(self, resolve: Callable[[str, int], list[str]] | None = None) -> Network:
        """Every name leads to this site, and only 127.0.0.1 may be connected to."""

        def lead_here(host: str, port: int) -> list[str]:
            self.names_asked.append(host)
            return resolve(host, port) if resolve else ["127.0.0.1"]

        return Network(ports=frozenset({self.port}), is_allowed=lambda address: address == LOOPBACK, resolve=lead_here)

    def fetch(self, path: str = "/photo.png", *, max_bytes: int = 10**6, timeout_s: float = 20.0) -> bytes:
        return fetch_image(self.url(path), max_bytes=max_bytes, timeout_s=timeout_s, network=self.network())


def _serve(site: Site, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.close_connection = True
            with suppress(OSError):  # the client has hung up, as it should
                site.answers[self.path](self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Server((host, site.port), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    site.answers["/photo.png"] = send(PNG)
    server = _serve(site)
    site.port = server.server_port
    yield site
    server.shutdown()
    server.server_close()


def send(body: bytes, status: int = 200, **headers: str) -> Answer:
    """Headers are written with underscores; an empty value leaves the header out."""
    sent = {"Content-Type": "image/png", "Content-Length": str(len(body))}
    sent.update({name.replace("_", "-"): value for name, value in headers.items()})

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in sent.items():
            if value:
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def redirect(location: str, status: int = 302) -> Answer:
    return send(b"", status, Location=location, Content_Type="")


def refusal(site: Site, path: str = "/photo.png", **limits: float) -> InputError:
    with pytest.raises(InputError) as caught:
        site.fetch(path, **limits)  # type: ignore[arg-type]
    return caught.value


def test_a_picture_is_fetched_whole(site: Site) -> None:
    assert site.fetch() == PNG


def test_the_request_carries_our_name_and_nothing_of_ours(site: Site) -> None:
    site.fetch()
    (_, headers), *_ = site.requests
    assert headers.pop("user-agent").startswith("ShopSearch")
    assert headers.pop("host") == f"shop.example:{site.port}"
    assert set(headers) == {"accept", "accept-encoding"}


def test_a_proxy_in_the_environment_is_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert site.fetch() == PNG


def test_an_international_host_name_is_asked_for_in_ascii(site: Site) -> None:
    fetch_image(site.url(host="bücher.example"), max_bytes=10**6, timeout_s=20, network=site.network())
    assert site.names_asked == ["xn--bcher-kva.example"]
    assert site.requests[0][1]["host"] == f"xn--bcher-kva.example:{site.port}"


def test_spaces_and_accents_in_the_path_are_escaped(site: Site) -> None:
    site.answers["/rote%20Sch%C3%BChe.png?s=1"] = send(PNG)
    assert site.fetch("/rote Schühe.png?s=1#top") == PNG


@pytest.mark.parametrize(
    "url",
    [
        "",
        "photo.png",
        "//shop.example/photo.png",
        "ftp://shop.example/photo.png",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_INFO",
        "data:image/png;base64,iVBORw0KGgo=",
        "javascript:alert(1)",
        "http:///photo.png",
        "http:shop.example",
        "http://user:secret@shop.example/photo.png",
        "http://user@shop.example/photo.png",
        "http://shop.example\\@127.0.0.1/photo.png",
        "http://shop.example/\r\nHost: other.example",
        "http://shop.example\t/photo.png",
        "http://shop.example\x00.other.example/",
        "http://sh%6fp.example/photo.png",
        "http://shop.example:port/photo.png",
        "http://[::1/photo.png",
        "http://[fe80::1%25eth0]/photo.png",
        "http://①②⑦.⓪.⓪.①/",
        "http://xn--/",
        "http://0177.0.0.1/",
        "http://" + "a" * 300 + ".example/",
        "http://shop.example/" + "a" * 2048,
    ],
)
def test_what_is_no_plain_web_address_is_refused_before_any_name_is_looked_up(url: str) -> None:
    def no_lookup(host: str, port: int) -> list[str]:
        raise AssertionError(f"{host} was looked up")

    with pytest.raises(InputError) as caught:
        fetch_image(url, max_bytes=10**6, timeout_s=20, network=Network(resolve=no_lookup))
    assert caught.value.code == "image_url_invalid"


@pytest.mark.parametrize("port", [0, 22, 25, 6333, 6379, 8080, 65536])
def test_other_ports_than_those_of_the_web_are_refused(port: int) -> None:
    with pytest.raises(InputError) as caught:
        fetch_image(f"http://shop.example:{port}/", max_bytes=10**6, timeout_s=20)
    assert caught.value.code == "image_url_forbidden"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.1",
        "127.0.0.1.",
        "127。0。0。1",
        "0.0.0.0",
        "0",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "2852039166",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[0:0:0:0:0:ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
        "[fd00:ec2::254]",
        "[fe80::1]",
    ],
)
def test_an_address_of_our_own_network_is_forbidden_however_it_is_written(host: str) -> None:
    """These need no name server: the system reads them itself, or from its hosts file."""
    with pytest.raises(InputError) as caught:
        fetch_image(f"http://{host}/latest/meta-data/", max_bytes=10**6, timeout_s=20)
    assert caught.value.code == "image_url_forbidden"
    assert "169.254" not in caught.value.message or host in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8.8.8.8", True),
        ("93.184.215.14", True),
        ("172.15.255.255", True),
        ("172.32.0.0", True),
        ("100.63.255.255", True),
        ("0.0.0.0", False),
        ("0.1.2.3", False),
        ("10.255.255.255", False),
        ("100.64.0.1", False),
        ("100.100.100.200", False),
        ("127.0.0.1", False),
        ("127.255.255.254", False),
        ("168.63.129.16", False),
        ("169.254.169.254", False),
        ("172.16.0.0", False),
        ("172.31.255.255", False),
        ("192.0.0.192", False),
        ("192.0.2.1", False),
        ("192.88.99.1", False),
        ("192.168.0.1", False),
        ("198.18.0.1", False),
        ("198.19.255.255", False),
        ("198.51.100.1", False),
        ("203.0.113.1", False),
        ("224.0.0.1", False),
        ("239.255.255.250", False),
        ("240.0.0.1", False),
        ("255.255.255.255", False),
        ("2606:4700:4700::1111", True),
        ("2a00:1450:4001:81b::200e", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::8.8.8.8", True),
        ("2606:4700::5efe:8.8.8.8", True),
        ("::", False),
        ("::1", False),
        ("::127.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b::127.0.0.1", False),
        ("64:ff9b::169.254.169.254", False),
        ("64:ff9b:1::1", False),
        ("100::1", False),
        ("2001::1", False),  # Teredo
        ("2001:20::1", False),
        ("2001:db8::1", False),
        ("2002:0808:0808::1", False),  # 6to4, even of a public address: its relays are gone
        ("2606:4700::5efe:127.0.0.1", False),
        ("2606:4700::200:5efe:10.0.0.1", False),
        ("3fff::1", False),
        ("4000::1", False),
        ("5f00::1", False),
        ("fc00::1", False),
        ("fd00:ec2::254", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("2606:4700:4700::1111%eth0", False),
        ("fec0::1", False),
        ("ff02::1", False),
        ("ff0e::1", False),
    ],
)
def test_only_public_addresses_are_public(text: str, expected: bool) -> None:
    assert is_public(ip_address(text)) is expected


@pytest.mark.parametrize(
    "addresses", [["10.0.0.7"], ["127.0.0.1", "10.0.0.7"], ["10.0.0.7", "127.0.0.1"], ["127.0.0.1", "::1"]]
)
def test_a_name_with_any_forbidden_address_is_refused_without_a_connection(site: Site, addresses: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        fetch_image(
            site.url(), max_bytes=10**6, timeout_s=20, network=site.network(resolve=lambda host, port: addresses)
        )
    assert caught.value.code == "image_url_forbidden"
    assert "10.0.0.7" not in caught.value.message  # our own name server's answers are nobody's business
    assert site.requests == []


def test_a_name_that_answers_differently_the_second_time_leads_nowhere_else(site: Site) -> None:
    """DNS rebinding: the first answer is checked, a second would be used. Here no second is ever asked for."""
    hidden = Site(port=site.port, answers={"/photo.png": send(b"\xff\xd8\xffsecret")})
    try:
        other = _serve(hidden, host="127.0.0.2")
    except OSError:
        pytest.skip("this system has one loopback address only")
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    network = replace(site.network(resolve=lambda host, port: next(answers)))
    try:
        assert fetch_image(site.url(), max_bytes=10**6, timeout_s=20, network=network) == PNG
        with pytest.raises(InputError) as caught:  # a later fetch asks again, and the new answer is checked again
            fetch_image(site.url(), max_bytes=10**6, timeout_s=20, network=network)
    finally:
        other.shutdown()
        other.server_close()
    assert caught.value.code == "image_url_forbidden"
    assert site.names_asked == ["shop.example", "shop.example"]
    assert hidden.requests == []


def test_the_socket_is_opened_to_the_checked_address_and_not_to_the_name(site: Site) -> None:
    backend = PinnedBackend(site.network(), Deadline(20))
    stream = backend.connect_tcp("shop.example", site.port)
    assert stream.get_extra_info("server_addr") == ("127.0.0.1", site.port)
    stream.close()


def test_a_dead_address_is_passed_over_for_the_next(site: Site) -> None:
    def is_allowed(address: Address) -> bool:
        return address.is_loopback

    network = replace(site.network(resolve=lambda host, port: ["127.0.0.3", "127.0.0.1"]), is_allowed=is_allowed)
    assert fetch_image(site.url(), max_bytes=10**6, timeout_s=20, network=network) == PNG


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(site: Site, status: int) -> None:
    site.answers["/old"] = redirect("/photo.png", status)
    assert site.fetch("/old") == PNG


def test_three_redirects_are_followed_and_a_fourth_is_not(site: Site) -> None:
    for step in range(MAX_REDIRECTS + 1):
        site.answers[f"/{step}"] = redirect(f"/{step + 1}")
    site.answers[f"/{MAX_REDIRECTS + 1}"] = send(PNG)
    assert site.fetch("/1") == PNG
    assert refusal(site, "/0").code == "image_url_unreachable"


def test_a_redirect_in_a_circle_ends(site: Site) -> None:
    site.answers["/round"] = redirect("/round")
    assert refusal(site, "/round").code == "image_url_unreachable"
    assert len(site.requests) == MAX_REDIRECTS + 1


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://127.0.0.1:{port}/photo.png", "image_url_forbidden"),
        ("//127.0.0.1:{port}/photo.png", "image_url_forbidden"),
        ("http://inner.example:{port}/photo.png", "image_url_forbidden"),
        ("http://[::1]:{port}/photo.png", "image_url_forbidden"),
        ("http://shop.example:6379/", "image_url_forbidden"),
        ("http://user:secret@shop.example:{port}/photo.png", "image_url_invalid"),
        ("file:///etc/passwd", "image_url_invalid"),
        ("http://[::1", "image_url_invalid"),
        ("http://xn--/", "image_url_invalid"),
    ],
)
def test_a_redirect_is_checked_like_the_first_address(site: Site, location: str, code: str) -> None:
    site.answers["/go"] = redirect(location.format(port=site.port))

    def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"] if host == "shop.example" else ["10.0.0.7" if "inner" in host else "127.0.0.9"]

    with pytest.raises(InputError) as caught:
        fetch_image(site.url("/go"), max_bytes=10**6, timeout_s=20, network=site.network(resolve))
    assert caught.value.code == code
    assert [path for path, _ in site.requests] == ["/go"]


@pytest.mark.parametrize("status", [204, 206, 300, 302, 401, 403, 404, 410, 429, 500, 503])
def test_any_other_status_is_no_picture(site: Site, status: int) -> None:
    site.answers["/photo.png"] = send(b"" if status == 204 else PNG, status)
    error = refusal(site)
    assert error.code == "image_url_unreachable"
    assert str(status) in error.message


def test_a_host_that_does_not_exist_is_unreachable(site: Site) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    with pytest.raises(InputError) as caught:
        fetch_image(site.url(), max_bytes=10**6, timeout_s=20, network=site.network(resolve))
    assert caught.value.code == "image_url_unreachable"


def test_a_host_that_does_not_listen_is_unreachable(site: Site) -> None:
    closed = Site()
    server = _serve(closed)
    closed.port = server.server_port
    server.shutdown()
    server.server_close()
    assert refusal(closed).code == "image_url_unreachable"


def test_a_server_that_speaks_no_http_is_unreachable(site: Site) -> None:
    def babble(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"-ERR unknown command 'GET'\r\n" * 3)

    site.answers["/photo.png"] = babble
    assert refusal(site).code == "image_url_unreachable"


def test_endless_headers_end(site: Site) -> None:
    def ramble(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            handler.wfile.write(b"X-More: " + b"x" * 1000 + b"\r\n")

    site.answers["/photo.png"] = ramble
    assert refusal(site).code == "image_url_unreachable"


def test_a_body_cut_short_is_unreachable(site: Site) -> None:
    site.answers["/photo.png"] = send(PNG, Content_Length=str(len(PNG) + 1))
    assert refusal(site).code == "image_url_unreachable"


@pytest.mark.parametrize(
    "kind", ["image/jpeg", "IMAGE/PNG; charset=binary", "application/octet-stream", "binary/octet-stream", ""]
)
def test_the_types_that_servers_give_pictures_are_taken(site: Site, kind: str) -> None:
    site.answers["/photo.png"] = send(PNG, Content_Type=kind)
    assert site.fetch() == PNG


@pytest.mark.parametrize("kind", ["text/html", "text/plain", "image/svg+xml", "application/json", "video/mp4", "image"])
def test_other_types_are_not_read(site: Site, kind: str) -> None:
    site.answers["/photo.png"] = send(PNG, Content_Type=kind)
    assert refusal(site).code == "image_url_not_an_image"


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>Not found</body></html>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"x" * 5000]
)
def test_what_only_calls_itself_a_picture_is_not_one(site: Site, body: bytes) -> None:
    site.answers["/photo.png"] = send(body)
    assert refusal(site).code == "image_url_not_an_image"


def test_a_large_announced_body_is_not_even_begun(site: Site) -> None:
    site.answers["/photo.png"] = send(b"", Content_Length=str(10**9))
    assert refusal(site, max_bytes=1000, timeout_s=20).code == "image_too_large"


def test_a_picture_of_just_the_limit_is_taken_and_one_byte_more_is_not(site: Site) -> None:
    assert site.fetch(max_bytes=len(PNG)) == PNG
    site.answers["/photo.png"] = send(PNG, Content_Length="")  # unannounced: the end of the connection ends the body
    assert site.fetch(max_bytes=len(PNG)) == PNG
    assert refusal(site, max_bytes=len(PNG) - 1).code == "image_too_large"


def test_an_endless_body_is_cut_off_at_the_limit(site: Site) -> None:
    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n")
        handler.wfile.write(b"%x\r\n%s\r\n" % (len(PNG), PNG))
        while True:
            handler.wfile.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")

    site.answers["/photo.png"] = pour
    assert refusal(site, max_bytes=300_000, timeout_s=60).code == "image_too_large"


def test_a_packed_picture_is_unpacked(site: Site) -> None:
    site.answers["/photo.png"] = send(gzip.compress(PNG), Content_Encoding="gzip", Content_Length="")
    assert site.fetch() == PNG


def test_a_bomb_is_not_unpacked_beyond_the_limit(site: Site) -> None:
    bomb = gzip.compress(PNG + bytes(50_000_000))
    assert len(bomb) < 100_000
    site.answers["/photo.png"] = send(bomb, Content_Encoding="gzip")
    assert refusal(site, max_bytes=200_000, timeout_s=60).code == "image_too_large"


@pytest.mark.parametrize(("encoding", "body"), [("br", PNG), ("gzip, gzip", PNG), ("gzip", b"\x1f\x8bnonsense" * 30)])
def test_a_packing_that_can_not_be_undone_is_no_picture(site: Site, encoding: str, body: bytes) -> None:
    site.answers["/photo.png"] = send(body, Content_Encoding=encoding)
    assert refusal(site).code == "image_url_not_an_image"


def _drip(before: bytes, drop: bytes) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(before)
        while True:
            time.sleep(0.05)
            handler.wfile.write(drop)

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        _drip(b"", b""),
        _drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"x"),
        _drip(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        _drip(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 99999\r\n\r\n" + PNG[:300], b"x"),
    ],
    ids=["silent", "slow headers", "always continue", "slow body"],
)
def test_a_server_that_drips_is_left_at_the_deadline(site: Site, answer: Answer) -> None:
    """Each drop comes well within any per-read timeout; only a deadline over everything ends this."""
    site.answers["/photo.png"] = answer
    assert refusal(site, timeout_s=0.4).code == "image_url_timeout"


def test_redirects_share_one_deadline(site: Site) -> None:
    def slowly(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.3)
        redirect("/slow")(handler)

    site.answers["/slow"] = slowly
    assert refusal(site, "/slow", timeout_s=0.5).code == "image_url_timeout"


def test_a_name_server_that_does_not_answer_is_left_at_the_deadline(site: Site) -> None:
    release = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        release.wait(20)
        return []

    with pytest.raises(InputError) as caught:
        fetch_image(site.url(), max_bytes=10**6, timeout_s=0.2, network=site.network(resolve))
    release.set()
    assert caught.value.code == "image_url_timeout"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Returns a file with a key and a certificate for shop.example alone, signed by itself."""
    if not shutil.which("openssl"):
        pytest.skip("making a test certificate needs the openssl command")
    path = tmp_path_factory.mktemp("tls") / "shop.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=shop.example -keyout - -out -"
    names = ["-addext", "subjectAltName=DNS:shop.example"]
    made = subprocess.run([*command.split(), *names], capture_output=True, check=True)
    path.write_bytes(made.stdout)
    return str(path)


@pytest.fixture
def secure_site(certificate: str) -> Iterator[Site]:
    site = Site(answers={"/photo.png": send(PNG)})
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    server = _serve(site, tls=tls)
    site.port = server.server_port
    yield site
    server.shutdown()
    server.server_close()


def test_a_certificate_is_checked_against_the_name_though_the_address_is_pinned(
    secure_site: Site, certificate: str
) -> None:
    network = replace(secure_site.network(), tls=ssl.create_default_context(cafile=certificate))
    url = secure_site.url().replace("http:", "https:")
    assert fetch_image(url, max_bytes=10**6, timeout_s=20, network=network) == PNG
    with pytest.raises(InputError) as caught:
        fetch_image(url.replace("shop.", "other."), max_bytes=10**6, timeout_s=20, network=network)
    assert caught.value.code == "image_url_unreachable"


def test_a_certificate_that_nobody_vouches_for_is_refused(secure_site: Site) -> None:
    with pytest.raises(InputError) as caught:
        fetch_image(
            secure_site.url().replace("http:", "https:"), max_bytes=10**6, timeout_s=20, network=secure_site.network()
        )
    assert caught.value.code == "image_url_unreachable"
    assert secure_site.requests == []


def test_a_picture_that_has_not_changed_is_not_sent_again(site: Site) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("If-None-Match"), handler.headers.get("If-Modified-Since")
        same = asked == ('"one"', "Mon, 01 Jun 2026 10:00:00 GMT")
        headers = {"ETag": '"one"', "Last_Modified": "Mon, 01 Jun 2026 10:00:00 GMT"}
        send(b"" if same else PNG, 304 if same else 200, **headers)(handler)

    site.answers["/photo.png"] = answer
    limits: dict[str, Any] = {"max_bytes": 10**6, "timeout_s": 20.0, "network": site.network()}

    first = fetch_changed_image(site.url(), **limits)
    assert first is not None
    assert first.data == PNG
    assert fetch_changed_image(site.url(), etag=first.etag, last_modified=first.last_modified, **limits) is None


def test_an_etag_that_would_break_the_request_is_left_out(site: Site) -> None:
    limits: dict[str, Any] = {"max_bytes": 10**6, "timeout_s": 20.0, "network": site.network()}

    assert fetch_changed_image(site.url(), etag='"a"\r\nX-Evil: 1', **limits) is not None
    (_, headers), *_ = site.requests
    assert not {"x-evil", "if-none-match"} & set(headers)


def test_a_busy_server_says_how_long_to_leave_it_alone(site: Site) -> None:
    site.answers["/photo.png"] = send(b"busy", 503, Retry_After="120")

    error = refusal(site)

    assert isinstance(error, AnswerStatusError)
    assert (error.code, error.status, error.retry_after_s) == ("image_url_unreachable", 503, 120.0)
