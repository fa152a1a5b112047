from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("catalog.pages.urls")),
    path("api/v1/", include("catalog.api.urls")),
    path("merchant/", include("catalog.pages.merchant.urls")),
    path("console/", include("catalog.pages.console.urls")),
    path("admin/", admin.site.urls),
]
