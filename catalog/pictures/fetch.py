"""Fetches a picture from an address that anyone may have typed, without being turned against ourselves.

Steps: check the URL, connect to a checked public address (fetch_network), follow at most three redirects, each
checked like the first, and read no more bytes, for no longer, than agreed. The bytes are then for `detection.images` to
judge. Nothing of ours goes out: no cookies, no credentials, no proxy from the environment.
"""

import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from ssl import SSLContext

import httpcore
import httpx

from catalog.pictures.fetch_network import AddressForbiddenError, Deadline, Network, PinnedBackend
from detection.images import FORMATS
from detection.signatures import sniff
from shop_search.errors import InputError

MAX_URL_LENGTH = 2048  # what all browsers and sitemaps allow
MAX_REDIRECTS = 3
USER_AGENT = b"ShopSearch-ImageFetcher/1.0"
_REDIRECTS = {301, 302, 303, 307, 308}
# Types that servers give pictures; storage servers often know none. SVG is left out: it is a program, not a photo.
_TYPES = re.compile(
    r"image/(jpe?g|pjpeg|png|x-png|webp|gif|bmp|x-ms-bmp|tiff?|heic|heif|avif)(-sequence)?"
    r"|(application|binary)/octet-stream"
)
_NAME = re.compile(r"[a-z0-9._-]{1,253}")
_SNIFFED_BYTES = 256  # as far as `sniff` looks
_THE_INTERNET = Network()


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture's bytes, and what its server says to ask with next time."""

    data: bytes
    etag: str = ""
    last_modified: str = ""


class AnswerStatusError(InputError):
    """A server answered with another status than 200: image_url_unreachable, and how long it asks to be left alone."""

    def __init__(self, host: str, status: int, retry_after_s: float | None) -> None:
        unreachable = _unreachable(f"{host} answered with status {status}")
        super().__init__(unreachable.code, unreachable.message)
        self.status = status
        self.retry_after_s = retry_after_s


def fetch_image(url: str, *, max_bytes: int, timeout_s: float, network: Network = _THE_INTERNET) -> bytes:
    """Returns the bytes of the picture at an http(s) URL; see `fetch_changed_image`."""
    found = fetch_changed_image(url, max_bytes=max_bytes, timeout_s=timeout_s, network=network)
    if found is None:
        raise _unreachable("The server says that the picture has not changed, which nobody asked")
    return found.data


def fetch_changed_image(
    url: str,
    *,
    max_bytes: int,
    timeout_s: float,
    etag: str = "",
    last_modified: str = "",
    network: Network = _THE_INTERNET,
) -> Fetched | None:
    """Returns the picture at an http(s) URL, whose first bytes are those of a format we read; None when its server says
    that it is still the one with this `etag` or `last_modified`.

    `timeout_s` is for everything together: name, connection, redirects and body.

    Raises InputError with code image_url_invalid, image_url_forbidden (port or address), image_url_unreachable (no such
    host, no answer, bad certificate, another status than 200, too many redirects), image_url_not_an_image,
    image_too_large or image_url_timeout.
    """
    current = checked_url(url, network)
    conditions = [
        (name, value.encode("latin-1"))
        for name, value in [(b"If-None-Match", etag), (b"If-Modified-Since", last_modified)]
        if value and value.isprintable() and value.isascii()
    ]
    backend = PinnedBackend(network, Deadline(timeout_s))
    tls = network.tls or public_tls()
    try:
        with httpcore.ConnectionPool(tls, max_connections=1, network_backend=backend) as pool:
            for _ in range(MAX_REDIRECTS + 1):
                answer = _get(pool, current, max_bytes, conditions)
                if answer is None or isinstance(answer, Fetched):
                    return answer
                current = _check(answer, network)
    except AddressForbiddenError as error:
        raise _forbidden(f"{current.host} is not on the public internet") from error
    except (TimeoutError, httpcore.TimeoutException) as error:
        message = f"{current.host} did not send the picture within {timeout_s:g} s. Save it and send the file."
        raise InputError("image_url_timeout", message) from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise _unreachable(f"{current.host} can't be reached") from error
    raise _unreachable(f"{current.host} redirects more than {MAX_REDIRECTS} times")


@lru_cache(maxsize=1)
def public_tls() -> SSLContext:
    """Returns what trusts the usual certificate authorities."""
    return httpcore.default_ssl_context()


def checked_url(text: str, network: Network) -> httpx.URL:
    """Returns an address that may be connected to as far as it tells by itself; where its name leads is checked on the
    way. Raises InputError `image_url_invalid` or `image_url_forbidden`."""
    return _check(_parse(text.strip()), network)


def _parse(text: str) -> httpx.URL:
    if len(text) > MAX_URL_LENGTH:
        raise _invalid(f"it has {len(text)} characters; {MAX_URL_LENGTH} are allowed")
    try:
        url = httpx.URL(text)
        url.host  # noqa: B018 - reading it decodes the name, which fails where it is no IDNA
    except (httpx.InvalidURL, UnicodeError) as error:  # idna's errors are UnicodeErrors
        raise _invalid("it is misspelled") from error
    return url


def _check(url: httpx.URL, network: Network) -> httpx.URL:
    """Returns the URL without the root's dot. Addresses are checked when they are connected to, and only there."""
    if url.scheme not in ("http", "https"):
        raise _invalid("it must begin with http:// or https://")
    if url.userinfo:
        raise _invalid("it must not hold a user name or password")
    host = url.raw_host.decode("ascii").lower().removesuffix(".")
    if not host or (":" not in host and not _NAME.fullmatch(host)) or "%" in host:
        raise _invalid("it names no host")
    port = url.port if url.port is not None else {"http": 80, "https": 443}[url.scheme]
    if port not in network.ports:
        raise _forbidden(f"Port {port} is not one that pictures are fetched from")
    return url.copy_with(host=host)


def _get(
    pool: httpcore.ConnectionPool, url: httpx.URL, max_bytes: int, conditions: list[tuple[bytes, bytes]]
) -> Fetched | httpx.URL | None:
    """Returns the picture, where it has moved, or None when it has not changed."""
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    headers = [
        (b"Host", url.netloc),
        (b"User-Agent", USER_AGENT),
        (b"Accept", b"image/avif,image/webp,image/jpeg,image/png,image/*;q=0.8"),
        (b"Accept-Encoding", b"identity"),
        *conditions,
    ]
    with pool.stream("GET", target, headers=headers) as response:
        sent = httpx.Headers(response.headers)
        if response.status in _REDIRECTS and "location" in sent:
            try:
                return url.join(_parse(sent["location"]))
            except (httpx.InvalidURL, UnicodeError) as error:
                raise _invalid("it redirects to one that is misspelled") from error
        if response.status == 304 and conditions:
            return None
        if response.status != 200:
            wait = sent.get("retry-after", "").strip()
            raise AnswerStatusError(
                url.host, response.status, float(wait) if wait.isdecimal() and len(wait) < 6 else None
            )
        kind = sent.get("content-type", "application/octet-stream").split(";")[0].strip().lower()
        if kind and not _TYPES.fullmatch(kind):
            raise _not_an_image(f"of type {kind[:60]}")
        length = sent.get("content-length", "")
        if length.isdecimal() and int(length) > max_bytes:
            raise _too_large(max_bytes)
        data = _read(response, sent.get("content-encoding", ""), max_bytes)
        return Fetched(data, sent.get("etag", "")[:300], sent.get("last-modified", "")[:60])


def _read(response: httpcore.Response, encoding: str, max_bytes: int) -> bytes:
    """Returns the body, unpacked. Stops as soon as it is too large, packed or not, or begins like no picture."""
    encoding = encoding.strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):  # we asked for identity; gzip is sent regardless by some
        raise _not_an_image(f"packed as {encoding[:20]}")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in encoding else None
    data, received, is_picture = bytearray(), 0, False
    for chunk in response.iter_stream():
        received += len(chunk)
        try:
            data += chunk if unpacker is None else unpacker.decompress(chunk, max_bytes + 1 - len(data))
        except zlib.error as error:
            raise _not_an_image("damaged") from error
        if max(received, len(data)) > max_bytes:
            raise _too_large(max_bytes)
        if len(data) >= _SNIFFED_BYTES and not is_picture:
            _check_beginning(data)
            is_picture = True
    _check_beginning(data)
    return bytes(data)


def _check_beginning(data: bytearray) -> None:
    if sniff(bytes(data[:_SNIFFED_BYTES])) is None:
        raise _not_an_image("not a picture that can be read")


def _invalid(reason: str) -> InputError:
    return InputError("image_url_invalid", f"The picture's address can't be used: {reason}.")


def _forbidden(reason: str) -> InputError:
    return InputError("image_url_forbidden", f"{reason}. Save the picture and send the file.")


def _unreachable(reason: str) -> InputError:
    return InputError("image_url_unreachable", f"{reason}. Check the address, or save the picture and send the file.")


def _not_an_image(what: str) -> InputError:
    return InputError(
        "image_url_not_an_image", f"What is at this address is {what}. Give the picture's own address: {FORMATS}."
    )


def _too_large(max_bytes: int) -> InputError:
    return InputError("image_too_large", f"The picture is larger than {max_bytes / 2**20:g} MiB. Send a smaller one.")
