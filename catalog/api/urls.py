from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from catalog.api import views
from catalog.api.errors import not_found

app_name = "api"
urlpatterns = [
    path("search/", views.search_view, name="search"),
    path("search/<uuid:search_id>/", views.recall_view, name="recall"),
    path("search/<uuid:search_id>/feedback/", views.feedback_view, name="feedback"),
    path("products/", views.products_view, name="products"),
    path("products/<int:product_id>/", views.product_view, name="product"),
    path("products/<int:product_id>/similar/", views.similar_view, name="similar"),
    path("health/", views.health_view, name="health"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^.*$", not_found),
]
