"""Who may open a merchant's pages: members, each as their role allows. To everyone else, the merchant isn't there."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import reverse

from catalog.models import Member, Merchant
from catalog.pages.security import page

MemberView = Callable[..., HttpResponseBase]


def member_page(*, must_edit: bool = False, must_own: bool = False) -> Callable[[MemberView], MemberView]:
    """A page of the merchant named by `slug` in the address; the view gets the Member in its place.

    Changing anything needs `must_edit` (editors and owners), keys need `must_own`.
    """

    def decorate(view: MemberView) -> MemberView:
        @page
        @wraps(view)
        def wrapped(request: HttpRequest, slug: str, *args: object, **kwargs: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), reverse("merchant:sign_in"))
            merchant = Merchant.objects.for_user(request.user).filter(slug=slug).first()
            member = Member.objects.filter(user=request.user, merchant=merchant).first() if merchant else None
            if merchant is None or member is None:
                raise Http404("There is no such merchant.")
            member.merchant = merchant
            if (must_edit and not member.may_edit) or (must_own and not member.may_own):
                raise PermissionDenied
            return view(request, member, *args, **kwargs)

        return wrapped

    return decorate
