"""Signing in to the console, by Django's own accounts and at most so often wrongly, as merchants do."""

from django.contrib.auth.views import LoginView

from catalog.pages.merchant.sign_in import SignInForm
from catalog.pages.security import page

login = page(
    LoginView.as_view(template_name="console/login.html", authentication_form=SignInForm, next_page="console:review")
)
