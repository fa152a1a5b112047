"""What is wrong with a merchant's products: in sum, and one by one with the picture, what to fix first."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from catalog.doctor.diagnoses import DIAGNOSES
from catalog.doctor.report import patients, sick, sums
from catalog.doctor.wording import SEVERITIES
from catalog.models import Checkup, Member, Product
from catalog.pages.merchant.access import member_page
from catalog.pages.merchant.crops import view_of
from catalog.pages.merchant.plots import share

PAGE = 20


@member_page()
@require_http_methods(["GET", "HEAD"])
def doctor(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Sums by code, and one page of products, all or those with one code."""
    merchant = member.merchant
    code = request.GET.get("code", "")
    if code not in DIAGNOSES:
        code = ""
    counted = sums(merchant)
    most = max((one.products for one in counted), default=1)
    window = Paginator(sick(merchant, code), PAGE).get_page(request.GET.get("page"))
    checkup = Checkup.objects.filter(merchant=merchant).first()
    context = {
        "member": member,
        "tab": "doctor",
        "checkup": checkup,
        "products": Product.objects.for_merchant(merchant).shown().count(),
        "sick": window.paginator.count if not code else sick(merchant).count(),
        "bars": [{"sum": one, "word": SEVERITIES[one.severity], "share": share(one.products, most)} for one in counted],
        "code": code,
        "window": window,
        "rows": [{"patient": one, "view": view_of(one.image)} for one in patients(merchant, list(window))],
        "severities": SEVERITIES,
    }
    return render(request, "merchant/doctor.html", context)


@member_page(must_edit=True)
@require_POST
def examine(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Has a worker look at the whole catalog; one that is under way goes on."""
    if not Checkup.objects.filter(merchant=member.merchant, is_due=True).exists():
        Checkup.objects.ask(member.merchant)
    return redirect("merchant:doctor", slug=member.merchant.slug)
