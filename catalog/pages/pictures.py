"""A picture of the web, for the shopper's own page: fetched safely, drawn anew, kept nowhere.

What goes back is never the stranger's file but a JPEG made of its pixels here, so the page shows nothing that only
looks like a picture and no private note of the file travels on.
"""

import io

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.http import require_POST
from PIL import Image

from catalog.pictures.fetch import fetch_image
from detection.images import decode
from shop_search.errors import InputError

# What the page's own script makes of a photo before it sends it (photo.js).
LONGEST_PX = 1600
QUALITY = 90
MAX_ADDRESS = 2048


@require_POST
def fetched(request: HttpRequest) -> HttpResponseBase:
    """Returns the picture at the posted `url` as a JPEG, or the error as `{"code", "message"}`."""
    address = request.POST.get("url", "").strip()[:MAX_ADDRESS]
    limit, patience = settings.SEARCH_MAX_IMAGE_BYTES, settings.SEARCH_FETCH_TIMEOUT_S
    try:
        picture = decode(fetch_image(address, max_bytes=limit, timeout_s=patience)).image
    except InputError as error:
        return JsonResponse({"code": error.code, "message": error.message}, status=422)
    picture.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=QUALITY)
    response = HttpResponse(stream.getvalue(), content_type="image/jpeg")
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
