from django.urls import path

from catalog.pages import agreement, media, pictures, products, search

app_name = "pages"
urlpatterns = [
    path("", search.home, name="home"),
    path("s/<uuid:search_id>", search.shared, name="shared"),
    path("p/<int:product_id>/", products.product_page, name="product"),
    path("agree/", agreement.choose, name="agree"),
    path("picture", pictures.fetched, name="picture"),
    path("media/<path:name>", media.picture, name="media"),
    path("favicon.ico", media.favicon, name="favicon"),
]
