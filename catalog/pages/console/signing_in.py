"""Signing in to the console, by Django's own accounts and at most so often wrongly, as merchants do."""

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from catalog.pages.console.access import OPERATE, READ, REVIEW, console, may
from catalog.pages.merchant.sign_in import SignInForm
from catalog.pages.security import page

login = page(
    LoginView.as_view(template_name="console/login.html", authentication_form=SignInForm, next_page="console:home")
)


@console(REVIEW, READ, OPERATE)
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Leads to the first page that this person may open."""
    if may(request.user, REVIEW):
        return redirect("console:review")
    return redirect("console:quality" if may(request.user, READ) else "console:operations")
