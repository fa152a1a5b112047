"""A merchant's webhooks: made with a secret that is shown once, tried, ended; and what each was told."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog.models import Delivery, Member, Webhook
from catalog.pages.merchant.access import member_page
from catalog.uploads import webhooks as journey
from shop_search.errors import InputError

SHOWN = 50


@member_page(must_own=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def webhooks(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The list; a POST makes a webhook and shows its secret in its answer, and never again."""
    secret = problem = ""
    url = request.POST.get("url", "")
    if request.method == "POST":
        try:
            _, secret = journey.make_webhook(member.merchant, url)
        except InputError as error:
            problem = error.message
    deliveries = Delivery.objects.filter(webhook__merchant=member.merchant).select_related("webhook", "upload")
    context = {
        "member": member,
        "webhooks": journey.active_webhooks(member.merchant),
        "deliveries": deliveries[:SHOWN],
        "secret": secret,
        "problem": problem,
        "url": url if problem else "",
        "tab": "webhooks",
    }
    return render(request, "merchant/webhooks.html", context, status=400 if problem else 200)


@member_page(must_own=True)
@require_POST
def end(request: HttpRequest, member: Member, webhook_id: int) -> HttpResponseBase:
    """Ends a webhook at once."""
    journey.end_webhook(_found(member, webhook_id))
    return redirect("merchant:webhooks", slug=member.merchant.slug)


@member_page(must_own=True)
@require_POST
def test(request: HttpRequest, member: Member, webhook_id: int) -> HttpResponseBase:
    """Sends a delivery that says nothing but that it came."""
    journey.send_test(_found(member, webhook_id))
    return redirect("merchant:webhooks", slug=member.merchant.slug)


@member_page(must_own=True)
@require_POST
def again(request: HttpRequest, member: Member, delivery_id: UUID) -> HttpResponseBase:
    """Sends a delivery once more."""
    try:
        journey.send_again(member.merchant, delivery_id)
    except InputError as error:
        raise Http404(error.message) from error
    return redirect("merchant:webhooks", slug=member.merchant.slug)


def _found(member: Member, webhook_id: int) -> Webhook:
    try:
        return journey.webhook_of(member.merchant, webhook_id)
    except InputError as error:
        raise Http404(error.message) from error
