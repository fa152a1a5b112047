"""Django's admin for plain records, themed with django-unfold. What was said, measured or noted is only looked at here;
work that needs pictures is done in the console."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from catalog.models import (
    AuditEntry,
    Backup,
    BandCalibration,
    Category,
    Feedback,
    Job,
    Measurement,
    Member,
    Merchant,
    MerchantQuota,
    Product,
    ProductImage,
    SearchRecord,
    Upload,
    Verdict,
    WidgetKey,
)

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """The console's groups and what each may do."""


class ReadOnly(ModelAdmin):
    """Records that nobody makes, changes or deletes here, superusers included."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Merchant)
class MerchantAdmin(ModelAdmin):
    list_display = ["slug", "name", "created_at"]
    search_fields = ["slug", "name"]


@admin.register(Member)
class MemberAdmin(ModelAdmin):
    list_display = ["user", "merchant", "role"]
    list_filter = ["merchant", "role"]
    list_select_related = ["user", "merchant"]


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    list_display = ["slug", "name", "is_detected"]
    search_fields = ["slug", "name"]


class ProductImageInline(TabularInline):
    model = ProductImage
    extra = 0
    fields = ("position", "file", "state", "error", "detected_category")
    readonly_fields = ("position", "file", "state", "error", "detected_category")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    list_display = ["sku", "title", "merchant", "category", "price", "in_stock", "withdrawn_at"]
    list_filter = ["merchant", "category", "in_stock"]
    search_fields = ["sku", "title", "brand"]
    list_select_related = ["merchant", "category"]
    inlines = [ProductImageInline]

    def save_model(self, request: HttpRequest, obj: Product, form: ModelForm, change: bool) -> None:
        """What a search filters by is in the store too: it is told."""
        super().save_model(request, obj, form, change)
        ProductImage.objects.filter(product=obj).update(payload_due=timezone.now())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A product that is not sold is withdrawn; its points go with it then."""
        return False


@admin.register(WidgetKey)
class WidgetKeyAdmin(ModelAdmin):
    list_display = ["key", "name", "merchant", "origins", "created_at", "revoked_at"]
    list_filter = ["merchant"]
    readonly_fields = ["key"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """create_widget_key makes them, and checks the origins."""
        return False


@admin.register(MerchantQuota)
class MerchantQuotaAdmin(ModelAdmin):
    """What one merchant may have and send where it differs from all others."""

    list_display = ["merchant", "products", "pictures", "uploads_a_day", "bytes_a_day"]
    list_select_related = ["merchant"]


@admin.register(Upload)
class UploadAdmin(ReadOnly):
    """An upload's counts and checkpoint are its worker's."""

    list_display = ["name", "merchant", "status", "rows_done", "rows_failed", "created_at", "error_code"]
    list_filter = ["status", "merchant"]
    list_select_related = ["merchant"]


@admin.register(SearchRecord)
class SearchRecordAdmin(ReadOnly):
    list_display = ["id", "created_at", "category", "band"]
    list_filter = ["band", "category"]


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly):
    list_display = ["search", "product", "verdict", "created_at"]
    list_filter = ["verdict"]


@admin.register(Verdict)
class VerdictAdmin(ReadOnly):
    list_display = ["search", "rank", "product", "verdict", "reviewer", "created_at"]
    list_filter = ["verdict", "reviewer"]
    list_select_related = ["product", "reviewer"]


@admin.register(Measurement)
class MeasurementAdmin(ReadOnly):
    list_display = ["created_at", "encoder", "detector", "products"]


@admin.register(BandCalibration)
class BandCalibrationAdmin(ReadOnly):
    list_display = ["created_at", "encoder", "detector", "products"]
    list_filter = ["encoder"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ["created_at", "by_name", "action", "subject", "why"]
    list_filter = ["action", "by_name"]
    search_fields = ["subject", "why"]
    date_hierarchy = "created_at"


@admin.register(Job)
class JobAdmin(ReadOnly):
    list_display = ["kind", "state", "asked_by_name", "created_at", "finished_at", "attempts", "error_code"]
    list_filter = ["state", "kind"]


@admin.register(Backup)
class BackupAdmin(ReadOnly):
    list_display = ["created_at", "host", "path", "database_bytes", "pictures"]
