"""What the first bytes of a picture say of it, before any decoder runs: its format, and how costly a JPEG will be.

The content decides, never a file name or a Content-Type header.
"""

from dataclasses import dataclass

# Brands of ISO base media files that hold still pictures: ISO/IEC 23008-12 (HEIF) and the AV1 image file format.
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_BMP_HEADER_LENGTHS = {12, 40, 52, 56, 64, 108, 124}

_STANDALONE = {0x01, 0xD8, *range(0xD0, 0xD8)}  # JPEG markers without a length
_FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start of frame: all C0..CF but tables and extensions
_PROGRESSIVE = {0xC2, 0xC6, 0xCA, 0xCE}
_START_OF_SCAN = 0xDA


def sniff(data: bytes) -> str | None:
    """Returns the format that the first bytes claim (JPEG, PNG, WEBP, GIF, BMP, TIFF, AVIF, HEIF), or None."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return "TIFF"
    if data[:2] == b"BM" and int.from_bytes(data[14:18], "little") in _BMP_HEADER_LENGTHS:
        return "BMP"
    if data[4:8] == b"ftyp":
        return _sniff_brands(data)
    return None


def _sniff_brands(data: bytes) -> str | None:
    length = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, length, 4))}
    if brands & _AVIF_BRANDS:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


@dataclass(frozen=True, slots=True)
class JpegPlan:
    """What decoding a JPEG will take."""

    is_buffered: bool  # all coefficients are held at full size, however small the picture that is asked for
    scans: int  # passes over those coefficients


def plan_jpeg(data: bytes) -> JpegPlan:
    """Returns how libjpeg will have to work, read from the markers alone; for a rotten header, the cheap plan.

    A baseline JPEG in one scan streams through a few rows. A progressive one, or one with a scan per color, is
    buffered whole. Thousands of tiny scans in a few kilobytes can keep a decoder busy for hours.
    Source: ITU T.81, annex B; libjpeg-turbo, "Two Issues with the JPEG Standard".
    """
    at, components, is_progressive = 2, 0, False
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        if marker in _STANDALONE:
            at += 2
            continue
        if marker in _FRAMES and at + 10 <= len(data):
            components, is_progressive = data[at + 9], marker in _PROGRESSIVE
        if marker == _START_OF_SCAN:
            is_partial = at + 5 <= len(data) and data[at + 4] < components
            if not (is_progressive or is_partial):
                return JpegPlan(is_buffered=False, scans=1)  # libjpeg stops after the scan that holds every color
            # Inside coded data FF is always followed by 00 or a restart marker, so each FF DA is a scan.
            return JpegPlan(is_buffered=True, scans=data.count(b"\xff\xda", at))
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return JpegPlan(is_buffered=False, scans=0)
