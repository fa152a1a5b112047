"""Bytes of a picture that anyone may have sent -> an upright RGB image, within limits.

Steps: sniff the format, read the size from the header, refuse what would cost too much, decode (a JPEG at a reduced
scale), make it RGB, turn it upright. Nothing here changes global state, so any number of threads may decode at once.
"""

import io
import threading
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFile
from PIL.AvifImagePlugin import AvifImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from detection.signatures import plan_jpeg, sniff
from detection.types import Box
from shop_search.errors import InputError

MAX_BYTES = 25 * 1024 * 1024  # any phone photo fits
MAX_PIXELS = 64_000_000  # decoded whole before it is reduced: up to 4 bytes a pixel
MAX_JPEG_PIXELS = 200_000_000  # the largest phone sensors; decoded at 1/8, so memory stays small
MAX_BUFFERED_JPEG_PIXELS = 40_000_000  # libjpeg holds up to 6 bytes a pixel of these
MAX_JPEG_SCANS = 64  # encoders write about 10
MIN_SIDE = 16
MAX_ASPECT = 32  # the longest phone screenshots are about 20 to 1
KEEP_SIDE = 640  # the short side is reduced to [640, 1280): the detector sees 416, a crop of a third still has 200
# Pictures above this are decoded one at a time, so that a few at once can't exhaust the memory.
_HEAVY_PIXELS = 24_000_000
_heavy = threading.Lock()

FORMATS = "JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF"
_OPENERS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
    "GIF": GifImageFile,
    "BMP": BmpImageFile,
    "TIFF": TiffImageFile,
    "AVIF": AvifImageFile,
}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded picture. `image` may be smaller than the original; answers speak of the original's pixels."""

    image: Image.Image  # RGB, upright, possibly reduced
    width: int  # of the upright original
    height: int
    format: str

    @property
    def scale(self) -> float:
        """Pixels of `image` per pixel of the original, in (0, 1]."""
        return self.image.width / self.width

    def to_image(self, box: Box) -> Box:
        """Returns a box of the upright original as a box of `image`."""
        return _stretch(box, self.image.width / self.width, self.image.height / self.height)

    def to_original(self, box: Box) -> Box:
        """Returns a box of `image` as a box of the upright original."""
        return _stretch(box, self.width / self.image.width, self.height / self.image.height)


def _stretch(box: Box, x: float, y: float) -> Box:
    return (box[0] * x, box[1] * y, box[2] * x, box[3] * y)


def decode(
    data: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    max_jpeg_pixels: int = MAX_JPEG_PIXELS,
    keep_side: int = KEEP_SIDE,
) -> Photo:
    """Returns the picture, upright, with its short side reduced to no less than `keep_side` pixels.

    Of an animation, the first frame; of a transparent picture, what it looks like on white. Color profiles are ignored.

    Raises InputError with code image_empty, image_too_large (bytes or pixels), image_too_small (or absurdly narrow),
    image_unreadable (not a picture of a known format) or image_truncated (cut off or damaged).
    """
    if not data:
        raise InputError("image_empty", "The image file is empty (0 bytes). Send a photo.")
    if len(data) > max_bytes:
        raise InputError(
            "image_too_large",
            f"The file has {len(data) / 2**20:.1f} MiB; the limit is {max_bytes / 2**20:g} MiB. Send a smaller photo.",
        )
    format = sniff(data)
    if format is None:
        raise InputError("image_unreadable", f"This is not an image that can be read. Send {FORMATS}.")
    image = _open(data, format)
    _check_size(data, format, image.size, max_pixels=max_pixels, max_jpeg_pixels=max_jpeg_pixels)
    with _heavy if image.width * image.height > _HEAVY_PIXELS else nullcontext():
        reduced, width, height = _load(image, format, keep_side)
        orientation = _orientation(image)
        rgb = _to_rgb(reduced, keep_side)
    if orientation != 1:
        rgb = rgb.transpose(_TURNS[orientation])
        if orientation >= 5:
            width, height = height, width
    return Photo(image=rgb, width=width, height=height, format=format)


def header(data: bytes) -> ImageFile.ImageFile:
    """Returns the picture with its header and metadata read, and no pixels.

    Raises InputError `image_unreadable`, `image_truncated` or `image_too_large`.
    """
    format = sniff(data)
    if format is None:
        raise InputError("image_unreadable", f"This is not an image that can be read. Send {FORMATS}.")
    return _open(data, format)


def _open(data: bytes, format: str) -> ImageFile.ImageFile:
    """Reads the header. Plugins are called directly: Image.open would try others too, and its own pixel limit, which
    is one global for all formats, is below what a phone camera takes."""
    try:
        return _opener(format)(io.BytesIO(data))
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise InputError("image_too_large", f"The {format} image has too many pixels. Send a smaller one.") from error
    except Exception as error:  # on rotten bytes, Pillow's plugins raise nearly anything
        raise _damaged(format) from error


def _opener(format: str) -> type[ImageFile.ImageFile]:
    if format != "HEIF":
        return _OPENERS[format]
    from pillow_heif import HeifImageFile  # loads libheif: 40 ms that only iPhone photos need

    opener: type[ImageFile.ImageFile] = HeifImageFile
    return opener


def _damaged(format: str) -> InputError:
    return InputError(
        "image_truncated", f"The {format} image is cut off, damaged or of a rare kind. Send it again or as a JPEG."
    )


def _check_size(data: bytes, format: str, size: tuple[int, int], *, max_pixels: int, max_jpeg_pixels: int) -> None:
    """Raises InputError unless decoding a picture of this size and kind is worth it."""
    width, height = size
    if min(size) < MIN_SIDE:
        raise InputError(
            "image_too_small", f"The image has {width} x {height} pixels; each side needs at least {MIN_SIDE}."
        )
    if max(size) > MAX_ASPECT * min(size):
        raise InputError(
            "image_too_small",
            f"The image has {width} x {height} pixels; a side may be {MAX_ASPECT} times the other at most. Crop it.",
        )
    limit = max_pixels
    if format == "JPEG":
        plan = plan_jpeg(data)
        if plan.scans > MAX_JPEG_SCANS:
            raise InputError(
                "image_too_large",
                f"The JPEG has {plan.scans} scans; the limit is {MAX_JPEG_SCANS}. Save it again as a baseline JPEG.",
            )
        limit = min(MAX_BUFFERED_JPEG_PIXELS, max_jpeg_pixels) if plan.is_buffered else max_jpeg_pixels
    if width * height > limit:
        raise InputError(
            "image_too_large",
            f"The image has {width} x {height} = {width * height / 1e6:.0f} megapixels; the limit for a {format} of "
            f"its kind is {limit / 1e6:g}. Send a smaller one.",
        )


def _load(image: ImageFile.ImageFile, format: str, keep_side: int) -> tuple[Image.Image, int, int]:
    """Decodes. Returns the image and the original's width and height as stored."""
    width, height = image.size
    factor = min(width, height) / keep_side
    image.decodermaxblock = MAX_BYTES  # all at once: in blocks of 64 KiB a phone's photo takes 1 ms longer
    try:
        # For a JPEG, decode 1/2, 1/4 or 1/8 of the DCT coefficients; for a HEIF, its own large thumbnail if it has one.
        drafted = image.draft(None, (int(width / factor), int(height / factor))) if factor > 1 else None
        image.load()
    except MemoryError:
        raise
    except Exception as error:
        raise _damaged(format) from error
    if drafted is None:
        width, height = image.size  # TIFF is turned upright while it loads
    return image, width, height


def _orientation(image: ImageFile.ImageFile) -> int:
    """Returns the EXIF orientation, 1 to 8; 1 when there is none or its block is rotten."""
    try:
        value = image.getexif().get(0x0112, 1)
    except MemoryError:
        raise
    except Exception:  # as in _open; a photo with broken metadata is still a photo
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _to_rgb(image: Image.Image, keep_side: int) -> Image.Image:
    """Returns 8-bit RGB on white, with the short side in [keep_side, 2 keep_side) where it was above."""
    factor = max(1, min(image.size) // keep_side)
    if image.mode in ("1", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV"):  # not linear: average after converting
        image = image.convert("RGBA" if _is_transparent(image) else "RGB")
    elif image.mode == "F" or image.mode.startswith("I"):
        image = _to_8_bits(image)
    elif image.mode in ("L", "RGB") and _is_transparent(image):
        image = image.convert("RGBA")
    if factor > 1:
        image = image.reduce(factor)
    if image.mode in ("RGBA", "LA", "RGBa", "La"):
        image = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return white
    return image.convert("RGB")


def _is_transparent(image: Image.Image) -> bool:
    return image.mode == "PA" or "transparency" in image.info


def _to_8_bits(image: Image.Image) -> Image.Image:
    """Returns L. Whole numbers are 16-bit when any exceeds 255; fractions are of 1 unless any exceeds it."""
    gray = np.asarray(image, dtype=np.float32)
    gray = np.nan_to_num(gray, nan=0.0, posinf=0.0, neginf=0.0)
    peak = float(gray.max())
    if image.mode.startswith("I;16") or peak > 255:
        top = max(65535.0, peak)
    elif image.mode == "F" and peak <= 1:
        top = 1.0
    else:
        top = 255.0
    return Image.fromarray(np.clip(gray * (255.0 / top), 0, 255).astype(np.uint8))
