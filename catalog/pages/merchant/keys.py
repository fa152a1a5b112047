"""A merchant's keys to the API: made, shown once, revoked."""

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from catalog.models import ApiKey, Member
from catalog.pages.merchant.access import member_page

MOST_KEYS = 50


@member_page(must_own=True)
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def keys(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The list; a POST makes a key and shows it in its answer, and never again."""
    own = ApiKey.objects.filter(merchant=member.merchant)
    new = None
    problem = False
    if request.method == "POST":
        name = " ".join(request.POST.get("name", "").split())[:80]
        problem = not name or own.filter(revoked_at=None).count() >= MOST_KEYS
        if not problem:
            _, new = ApiKey.issue(member.merchant, name=name)
    context = {"member": member, "keys": own, "new": new, "problem": problem, "tab": "keys"}
    return render(request, "merchant/keys.html", context, status=400 if problem else 200)


@member_page(must_own=True)
@require_POST
def revoke(request: HttpRequest, member: Member, key_id: int) -> HttpResponseBase:
    """Ends a key at once."""
    key = get_object_or_404(ApiKey.objects.filter(merchant=member.merchant), pk=key_id)
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now())
    return redirect("merchant:keys", slug=member.merchant.slug)
