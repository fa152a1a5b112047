"""The addresses of the pages for merchants."""

from django.urls import path

from catalog.pages.merchant import columns, doctor, insights, keys, product, products, sign_in, uploads, webhooks

app_name = "merchant"
urlpatterns = [
    path("", sign_in.home, name="home"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign_in"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign_out"),
    path("<slug:slug>/", uploads.uploads, name="uploads"),
    path("<slug:slug>/send/", uploads.send, name="send"),
    path("<slug:slug>/uploads/<uuid:upload_id>/", uploads.upload, name="upload"),
    path("<slug:slug>/uploads/<uuid:upload_id>/status/", uploads.status, name="status"),
    path("<slug:slug>/uploads/<uuid:upload_id>/errors.csv", uploads.errors, name="errors"),
    path("<slug:slug>/uploads/<uuid:upload_id>/columns/", columns.columns, name="columns"),
    path("<slug:slug>/uploads/<uuid:upload_id>/cancel/", uploads.cancel, name="cancel"),
    path("<slug:slug>/products/", products.products, name="products"),
    path("<slug:slug>/products/change/", products.change, name="change"),
    path("<slug:slug>/products/<int:product_id>/", product.product, name="product"),
    path("<slug:slug>/products/<int:product_id>/edit/", product.edit, name="edit"),
    path("<slug:slug>/doctor/", doctor.doctor, name="doctor"),
    path("<slug:slug>/doctor/examine/", doctor.examine, name="examine"),
    path("<slug:slug>/insights/", insights.insights, name="insights"),
    path("<slug:slug>/insights/looked-for/<str:crop>/", insights.looked_for, name="looked_for"),
    path("<slug:slug>/keys/", keys.keys, name="keys"),
    path("<slug:slug>/keys/<int:key_id>/revoke/", keys.revoke, name="revoke"),
    path("<slug:slug>/webhooks/", webhooks.webhooks, name="webhooks"),
    path("<slug:slug>/webhooks/<int:webhook_id>/end/", webhooks.end, name="end_webhook"),
    path("<slug:slug>/webhooks/<int:webhook_id>/test/", webhooks.test, name="test_webhook"),
    path("<slug:slug>/deliveries/<uuid:delivery_id>/send/", webhooks.again, name="send_again"),
]
