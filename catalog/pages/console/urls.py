"""The console's addresses, all for staff."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from catalog.pages.console import quality, review, signing_in

app_name = "console"
urlpatterns = [
    path("", signing_in.home, name="home"),
    path("login/", signing_in.login, name="login"),
    path("logout/", LogoutView.as_view(next_page="console:login"), name="logout"),
    path("review/", review.home, name="review"),
    path("review/undo/", review.take_back, name="undo"),
    path("review/<uuid:search_id>/", review.search, name="search"),
    path("review/<uuid:search_id>/next/", review.after, name="after"),
    path("review/<uuid:search_id>/verdict/", review.verdict, name="verdict"),
    path("review/<uuid:search_id>/sight/", review.sight, name="sight"),
    path("review/<uuid:search_id>/skip/", review.skip, name="skip"),
    path("quality/", quality.home, name="quality"),
    path("quality.csv", quality.as_csv, name="quality_csv"),
    path("crops/<uuid:search_id>.jpg", review.crop, name="crop"),
]
