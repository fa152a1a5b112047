"""A merchant's uploads: send one, watch it, see what was wrong."""

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from catalog.models import Member, Upload
from catalog.pages.merchant.access import member_page
from catalog.pages.merchant.columns import columns_page
from catalog.uploads.accept import (
    UploadOptions,
    accept_upload,
    cancel_upload,
    images_pending,
    upload_as_json,
    upload_of,
)
from catalog.uploads.errors import errors_as_csv
from catalog.uploads.quotas import usage_of
from shop_search.errors import InputError

LISTED = 30
QUOTA_WORDS = {"products": _("products"), "pictures": _("pictures"), "uploads_a_day": _("uploads within a day")}
SHOWN_ERRORS = 100


class UploadForm(forms.Form):
    """What the API's upload takes, as a form."""

    file = forms.FileField(label=_("Feed or zip"), allow_empty_file=True, max_length=200)
    dry_run = forms.BooleanField(label=_("Only try it: count, and change nothing"), required=False)
    reject_all = forms.BooleanField(label=_("Change nothing if any row is bad"), required=False)
    withdraw_missing = forms.BooleanField(label=_("Withdraw products that it doesn't name"), required=False)
    confirm_withdraw = forms.BooleanField(label=_("Even if that is more than a fifth of them"), required=False)
    currency = forms.CharField(label=_("Currency of prices that name none"), max_length=3, required=False)
    mapping = forms.CharField(max_length=5000, required=False)

    def clean_mapping(self) -> dict[str, str]:
        """Returns the lines `ours = yours` as our columns -> the feed's."""
        pairs = [line.partition("=") for line in self.cleaned_data["mapping"].splitlines() if line.strip()]
        if any(not (ours.strip() and theirs.strip()) for ours, _equals, theirs in pairs):
            raise forms.ValidationError(_("Write a line for each column, like: id = Article no"))
        return {ours.strip(): theirs.strip() for ours, _equals, theirs in pairs}

    def options(self) -> UploadOptions:
        """Returns the wishes. Raises InputError for those that can't be."""
        said = self.cleaned_data
        return UploadOptions(
            dry_run=said["dry_run"],
            ask_columns=not said["mapping"],
            on_error=Upload.OnError.REJECT_ALL if said["reject_all"] else Upload.OnError.KEEP_GOOD,
            withdraw_missing=said["withdraw_missing"],
            confirm_withdraw=said["confirm_withdraw"],
            currency=said["currency"],
            mapping=said["mapping"],
        )


@member_page()
@require_http_methods(["GET", "HEAD"])
def uploads(request: HttpRequest, member: Member) -> HttpResponseBase:
    """The form, and what was sent before."""
    return _uploads_page(request, member, UploadForm())


@member_page(must_edit=True)
@require_POST
def send(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Accepts a file and leads to its page."""
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            upload = accept_upload(member.merchant, file.name or "", file.chunks(1 << 20), form.options())
        except InputError as error:
            form.add_error(next((name for name in error.fields if name in form.fields), None), error.message)
        else:
            return redirect("merchant:upload", slug=member.merchant.slug, upload_id=upload.pk)
    return _uploads_page(request, member, form, status=400)


def _uploads_page(request: HttpRequest, member: Member, form: UploadForm, status: int = 200) -> HttpResponseBase:
    context = {
        "member": member,
        "form": form,
        "uploads": Upload.objects.for_merchant(member.merchant)[:LISTED],
        "images_pending": images_pending(member.merchant),
        "usage": [
            (QUOTA_WORDS[one.name], f"{one.used:,}", f"{one.limit:,}")
            for one in usage_of(member.merchant)
            if one.name in QUOTA_WORDS
        ],
        "tab": "uploads",
    }
    return render(request, "merchant/uploads.html", context, status=status)


@member_page()
@require_http_methods(["GET", "HEAD"])
def upload(request: HttpRequest, member: Member, upload_id: UUID) -> HttpResponseBase:
    """How far an upload has come, and what was wrong with its rows."""
    found = _found(member, upload_id)
    if found.status == Upload.Status.ASKING:
        return columns_page(request, member, found)
    context = {
        "member": member,
        "upload": found,
        "state": _state(found),
        "errors": found.errors.all()[:SHOWN_ERRORS],
        "error_count": found.errors.count(),
        "tab": "uploads",
    }
    return render(request, "merchant/upload.html", context)


@member_page()
@require_GET
def status(request: HttpRequest, member: Member, upload_id: UUID) -> HttpResponseBase:
    """The same as data, for the page's script."""
    return JsonResponse(_state(_found(member, upload_id)))


@member_page()
@require_GET
def errors(request: HttpRequest, member: Member, upload_id: UUID) -> HttpResponseBase:
    """The failed rows as a spreadsheet."""
    found = _found(member, upload_id)
    pieces = (piece.encode() for piece in errors_as_csv(found))
    response = StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="errors-{found.pk}.csv"'
    return response


@member_page(must_edit=True)
@require_POST
def cancel(request: HttpRequest, member: Member, upload_id: UUID) -> HttpResponseBase:
    """Stops an upload after the rows in hand."""
    cancel_upload(member.merchant, _found(member, upload_id).pk)
    return redirect("merchant:upload", slug=member.merchant.slug, upload_id=upload_id)


def _found(member: Member, upload_id: UUID) -> Upload:
    try:
        return upload_of(member.merchant, upload_id)
    except InputError as error:
        raise Http404(error.message) from error


def _state(found: Upload) -> dict[str, Any]:
    state = upload_as_json(found, "")
    total = max(state["rows_total"] or 0, state["rows_done"])
    state["percent"] = 100 if found.is_finished else int(100 * state["rows_done"] / total) if total else 0
    state["is_finished"] = found.is_finished
    return state
