"""The choice whether shops may learn what a shopper looked for in vain."""

from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from catalog.search import agreement


@csrf_exempt  # shoppers have no session; whose page it came from says its origin, which browsers send with each POST
@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Keeps the choice on this device and leads back to where it was made."""
    if urlsplit(request.headers.get("Origin", "")).netloc != request.get_host():
        raise PermissionDenied
    back = request.POST.get("back", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    response = redirect(back if is_ours else "pages:home")
    if request.POST.get("agree") == "on":
        agreement.agree(request, response)
    else:
        agreement.take_back(request, response)
    return response
