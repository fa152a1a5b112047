"""Signing in, at most so often wrongly."""

from typing import Any

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from catalog.models import Merchant
from catalog.pages.security import page
from shop_search.errors import ServiceError

MOST_FAILURES = 10  # of one name in a quarter of an hour
_FORGOTTEN_AFTER_S = 15 * 60


class SignInForm(AuthenticationForm):
    """Refuses a name that was tried wrongly too often, whether or not there is such a person."""

    def clean(self) -> dict[str, Any]:
        name = f"sign-in:{str(self.cleaned_data.get('username', '')).casefold()[:150].encode().hex()}"
        try:
            return self._clean(name)
        except ServiceError as error:  # without counting, anybody could try every password
            raise ValidationError(_("Nobody can sign in just now. Try again in a minute."), code=error.code) from error

    def _clean(self, name: str) -> dict[str, Any]:
        if cache.get(name, 0) >= MOST_FAILURES:
            raise ValidationError(
                _("Too many wrong tries. Wait a quarter of an hour, then try again."), code="throttled"
            )
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError:
            if not cache.add(name, 1, timeout=_FORGOTTEN_AFTER_S):
                cache.incr(name)
            raise
        cache.delete(name)
        return cleaned


@method_decorator(page, name="dispatch")
class SignIn(LoginView):
    template_name = "merchant/sign_in.html"
    authentication_form = SignInForm
    redirect_authenticated_user = True
    next_page = "merchant:home"


@method_decorator(page, name="dispatch")
class SignOut(LogoutView):
    next_page = "merchant:sign_in"


@page
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Leads to the member's merchant, or lets choose among several."""
    if not request.user.is_authenticated:
        return redirect("merchant:sign_in")
    merchants = list(Merchant.objects.for_user(request.user))
    if len(merchants) == 1:
        return redirect("merchant:uploads", slug=merchants[0].slug)
    return render(request, "merchant/choose.html", {"merchants": merchants})
