"""Django's admin for plain records."""

from django.contrib import admin
from django.http import HttpRequest

from catalog.models import (
    BandCalibration,
    Category,
    Feedback,
    Member,
    Merchant,
    Product,
    ProductImage,
    SearchRecord,
    Upload,
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


@admin.register(Member)
class MemberAdmin(admin.ModelAdmin):
    list_display = ["user", "merchant", "role"]
    list_filter = ["merchant", "role"]
    list_select_related = ["user", "merchant"]


@admin.register(Upload)
class UploadAdmin(admin.ModelAdmin):
    """To look at: an upload's counts and checkpoint are its worker's."""

    list_display = ["name", "merchant", "status", "rows_done", "rows_failed", "created_at", "error_code"]
    list_filter = ["status", "merchant"]
    list_select_related = ["merchant"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Upload | None = None) -> bool:
        return False
