"""Who may open the console: staff, and of them whoever may read measures, review, or operate the shop."""

from collections.abc import Callable
from functools import wraps

from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from catalog.pages.security import page
from catalog.roles import OPERATE, READ, REVIEW

__all__ = ["OPERATE", "READ", "REVIEW", "console", "may"]

View = Callable[..., HttpResponseBase]


def may(user: User | AnonymousUser, *permissions: str) -> bool:
    """Returns whether the user is staff with one of these permissions."""
    return user.is_active and user.is_staff and any(user.has_perm(one) for one in permissions)


def console(*permissions: str) -> Callable[[View], View]:
    """A view for staff with one of these permissions: others sign in first, or are told that they may not."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path(), reverse("console:login"))
            if not may(request.user, *permissions):
                return render(request, "console/denied.html", status=403)
            return view(request, *args, **kwargs)

        return page(checked)

    return decorate
