"""The API's addresses; whatever else begins with /api/v1/ is answered as JSON too."""

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView

from catalog.api import uploads, views, webhooks
from catalog.api.errors import not_found

app_name = "api"
urlpatterns = [
    path("search/", views.search_view, name="search"),
    path("search/<uuid:search_id>/", views.recall_view, name="recall"),
    path("search/<uuid:search_id>/feedback/", views.feedback_view, name="feedback"),
    path("products/", views.products_view, name="products"),
    path("products/<int:product_id>/", views.product_view, name="product"),
    path("products/<int:product_id>/similar/", views.similar_view, name="similar"),
    path("uploads/", uploads.UploadsView.as_view(), name="uploads"),
    path("uploads/<uuid:upload_id>/", uploads.UploadView.as_view(), name="upload"),
    path("uploads/<uuid:upload_id>/cancel/", uploads.CancelView.as_view(), name="cancel_upload"),
    path("uploads/<uuid:upload_id>/columns/", uploads.ColumnsView.as_view(), name="upload_columns"),
    path("uploads/<uuid:upload_id>/errors.csv", uploads.ErrorsView.as_view(), name="upload_errors"),
    path("catalog/<path:sku>/", uploads.ProductView.as_view(), name="own_product"),
    path("quota/", uploads.QuotaView.as_view(), name="quota"),
    path("webhooks/", webhooks.WebhooksView.as_view(), name="webhooks"),
    path("webhooks/<int:webhook_id>/", webhooks.WebhookView.as_view(), name="webhook"),
    path("webhooks/<int:webhook_id>/deliveries/", webhooks.DeliveriesView.as_view(), name="webhook_deliveries"),
    path("webhooks/<int:webhook_id>/test/", webhooks.WebhookTestView.as_view(), name="webhook_test"),
    path("deliveries/<uuid:delivery_id>/send/", webhooks.SendAgainView.as_view(), name="send_again"),
    path("health/", views.health_view, name="health"),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^.*$", not_found),
]
