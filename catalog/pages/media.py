"""Pictures from MEDIA_ROOT: product images, samples, and thumbnails made once and kept.

Only pictures are served, never anything else that may lie there. A shop with object storage sets MEDIA_URL to it and
this route stands idle.
"""

import logging
import os
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, HttpResponseNotModified
from django.http.response import HttpResponsePermanentRedirect
from django.templatetags.static import static
from django.utils._os import safe_join
from django.utils.http import http_date
from django.views.decorators.http import require_safe
from django.views.static import was_modified_since
from PIL import Image, ImageOps

from catalog.pictures.blocked import is_served

logger = logging.getLogger(__name__)

TYPES = {
    ".avif": "image/avif",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
# A card is at most 240 px wide; twice that is sharp on a phone.
THUMB_PX = 480
# Larger pictures are served as they are: making them small would cost more memory than a request should.
THUMB_MAX_PIXELS = 40_000_000
YEAR_S = 365 * 24 * 3600
HOUR_S = 3600


@require_safe
def picture(request: HttpRequest, name: str) -> HttpResponseBase:
    """Returns a picture; with `?w=480` a WebP no wider or higher than that, where the picture is larger."""
    path = _find(name)
    if request.GET.get("w") == str(THUMB_PX):
        path = _thumb(path, name)
    stat = path.stat()
    if not was_modified_since(request.headers.get("If-Modified-Since"), stat.st_mtime):
        response: HttpResponseBase = HttpResponseNotModified()
    else:
        response = FileResponse(path.open("rb"), content_type=TYPES[path.suffix.lower()])
    response.headers["Last-Modified"] = http_date(stat.st_mtime)
    # A product picture's name is made from its bytes, so it can be kept for good; a sample may be drawn anew.
    keep = f"max-age={YEAR_S}, immutable" if name.startswith("products/") else f"max-age={HOUR_S}"
    response.headers["Cache-Control"] = f"public, {keep}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@require_safe
def favicon(request: HttpRequest) -> HttpResponseBase:
    """Browsers that know no SVG icon ask here unbidden."""
    return HttpResponsePermanentRedirect(static("catalog/favicon.svg"))


def _find(name: str) -> Path:
    try:
        path = Path(safe_join(settings.MEDIA_ROOT, name))
    except (SuspiciousFileOperation, ValueError) as error:
        raise Http404("No such picture.") from error
    if path.suffix.lower() not in TYPES or not path.is_file() or not is_served(name):
        raise Http404("No such picture.")
    return path


def _thumb(path: Path, name: str) -> Path:
    """Returns the thumbnail's file, made on first use, or the picture itself where it is small or can't be read."""
    thumb = Path(safe_join(settings.MEDIA_ROOT, "thumbs", str(THUMB_PX), f"{name}.webp"))
    if thumb.is_file() and thumb.stat().st_mtime >= path.stat().st_mtime:
        return thumb
    try:
        with Image.open(path) as image:
            width, height = image.size
            if max(width, height) <= THUMB_PX or width * height > THUMB_MAX_PIXELS:
                return path
            image.draft("RGB", (THUMB_PX, THUMB_PX))
            ImageOps.exif_transpose(image, in_place=True)
            small = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
        small.thumbnail((THUMB_PX, THUMB_PX), Image.Resampling.LANCZOS)
        _write(small, thumb)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        logger.warning("No thumbnail of %s: %s", name, error)
        return path
    return thumb


def _write(image: Image.Image, path: Path) -> None:
    """Two requests at once may both write; each file is whole, and the last one stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            image.save(stream, "WEBP", quality=82, method=4)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
