"""Django's admin for plain records."""

from django.contrib import admin
from django.http import HttpRequest

from catalog.models import (
    BandCalibration,
    Category,
    Feedback,
    Merchant,
    Product,
    ProductImage,
    SearchRecord,
    WidgetKey,
)


@admin.register(Merchant)
class MerchantAdmin(admin.ModelAdmin):
    list_display = ["slug", "name", "created_at"]
    search_fields = ["slug", "name"]


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin):
    list_display = ["slug", "name", "is_detected"]
    search_fields = ["slug", "name"]


class ProductImageInline(admin.TabularInline):
    model = ProductImage
    extra = 0
    fields = ("position", "file", "state", "error", "detected_category")
    readonly_fields = ("position", "file", "state", "error", "detected_category")
    can_delete = False


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ["sku", "title", "merchant", "category", "price", "in_stock", "withdrawn_at"]
    list_filter = ["merchant", "category", "in_stock"]
    search_fields = ["sku", "title", "brand"]
    list_select_related = ["merchant", "category"]
    inlines = [ProductImageInline]


@admin.register(SearchRecord)
class SearchRecordAdmin(admin.ModelAdmin):
    list_display = ["id", "created_at", "category", "band"]
    list_filter = ["band", "category"]


@admin.register(Feedback)
class FeedbackAdmin(admin.ModelAdmin):
    list_display = ["search", "product", "verdict", "created_at"]
    list_filter = ["verdict"]


@admin.register(BandCalibration)
class BandCalibrationAdmin(admin.ModelAdmin):
    list_display = ["created_at", "encoder", "detector", "products"]
    list_filter = ["encoder"]


@admin.register(WidgetKey)
class WidgetKeyAdmin(admin.ModelAdmin):
    list_display = ["key", "name", "merchant", "origins", "created_at", "revoked_at"]
    list_filter = ["merchant"]
    readonly_fields = ["key"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """create_widget_key makes them, and checks the origins."""
        return False
