"""Signing in to the console, by Django's own accounts."""

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView

from catalog.pages.security import page


class _Form(AuthenticationForm):
    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "Name and password don't go together. Mind upper and lower case.",
    }


login = page(
    LoginView.as_view(
        template_name="console/login.html",
        authentication_form=_Form,
        next_page="console:review",
        redirect_authenticated_user=False,
    )
)
