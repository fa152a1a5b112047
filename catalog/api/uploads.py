"""The merchant's part of the API: bulk uploads, and one product at a time."""

import json
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.keys import MerchantView
from catalog.api.schema import ErrorShape, ProductShape
from catalog.feeds.columns import COLUMNS
from catalog.feeds.jsonl import cells_of
from catalog.models import Upload
from catalog.search.answers import product_as_json
from catalog.uploads.accept import (
    UploadOptions,
    accept_upload,
    cancel_upload,
    upload_as_json,
    upload_of,
    uploads_as_json,
)
from catalog.uploads.asking import name_columns
from catalog.uploads.errors import errors_as_csv
from catalog.uploads.one_product import SentPictures, index_at_once, put_product, withdraw_product
from catalog.uploads.quotas import NAMES as QUOTAS
from catalog.uploads.quotas import usage_of
from detection.images import MAX_BYTES
from shop_search.errors import InputError

MAX_LISTED = 100
MAX_PICTURES = 11  # the main one and as many more as a feed may name


@extend_schema_field(OpenApiTypes.OBJECT)
class MappingField(serializers.Field[dict[str, str], Any, Any, Any]):
    """Our columns -> the feed's: an object, or its JSON in a form."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        try:
            found = json.loads(data) if isinstance(data, str) else data
        except ValueError as error:
            raise serializers.ValidationError('Write it as JSON, like {"id": "Article no"}.') from error
        if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
            raise serializers.ValidationError('Write an object of column names, like {"id": "Article no"}.')
        return found


class UploadSerializer(serializers.Serializer[Any]):
    """The upload request: a form with a file."""

    file = serializers.FileField(allow_empty_file=True, max_length=None)
    dry_run = serializers.BooleanField(default=False)
    on_error = serializers.ChoiceField(choices=Upload.OnError.choices, default=Upload.OnError.KEEP_GOOD)
    withdraw_missing = serializers.BooleanField(default=False)
    confirm_withdraw = serializers.BooleanField(default=False)
    mapping = MappingField(default=dict)
    ask_columns = serializers.BooleanField(default=False)
    currency = serializers.CharField(default="", allow_blank=True, max_length=10)


class ProblemShape(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class PausedShape(ProblemShape):
    since = serializers.DateTimeField(allow_null=True)


class AsksShape(serializers.Serializer[Any]):
    format = serializers.CharField()
    header = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    used = serializers.DictField(child=serializers.CharField())
    proposed = serializers.DictField(child=serializers.CharField())


class ColumnsSerializer(serializers.Serializer[Any]):
    """What a merchant says of an upload's columns."""

    mapping = MappingField()


class UploadShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Upload.Status.choices)
    name = serializers.CharField()
    format = serializers.CharField(allow_blank=True)
    columns = serializers.DictField(child=serializers.CharField())
    unknown_columns = serializers.ListField(child=serializers.CharField())
    dry_run = serializers.BooleanField()
    on_error = serializers.ChoiceField(choices=Upload.OnError.choices)
    withdraw_missing = serializers.BooleanField()
    rows_total = serializers.IntegerField(allow_null=True)
    rows_done = serializers.IntegerField()
    rows_failed = serializers.IntegerField()
    added = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    withdrawn = serializers.IntegerField()
    images_pending = serializers.IntegerField()
    problem = ProblemShape(allow_null=True)
    asks = AsksShape(allow_null=True)
    paused = PausedShape(allow_null=True)
    errors_url = serializers.CharField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    eta_s = serializers.IntegerField(allow_null=True)


class WarningShape(serializers.Serializer[Any]):
    column = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class PutShape(ProductShape):
    change = serializers.ChoiceField(choices=["added", "changed", "unchanged"])
    warnings = WarningShape(many=True)


class UsageShape(serializers.Serializer[Any]):
    limit = serializers.IntegerField()
    used = serializers.IntegerField()
    remaining = serializers.IntegerField()


_QUOTAS = inline_serializer("Quotas", {name: UsageShape() for name in QUOTAS})
_UPLOAD_LIST = inline_serializer("UploadList", {"results": UploadShape(many=True)})


class UploadsView(MerchantView):
    """Sends a feed, and lists those that were sent."""

    parser_classes = [MultiPartParser]

    def rate_scope_of(self, request: Request) -> str:
        return "upload" if request.method == "POST" else super().rate_scope_of(request)

    @extend_schema(
        request={"multipart/form-data": UploadSerializer},
        responses={
            202: UploadShape,
            400: ErrorShape,
            401: ErrorShape,
            413: ErrorShape,
            429: ErrorShape,
            503: ErrorShape,
        },
    )
    def post(self, request: Request) -> Response:
        """Accepts a feed (CSV, TSV, XLSX, XML, JSON lines, Shopify's CSV, or a zip with pictures) for the worker."""
        form = UploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        sent = form.validated_data
        file = sent.pop("file")
        upload = accept_upload(self.merchant, file.name or "", file.chunks(1 << 20), UploadOptions(**sent))
        body = upload_as_json(upload, _base_url(request))
        return Response(body, status=202, headers={"Location": f"/api/v1/uploads/{upload.pk}/"})

    @extend_schema(operation_id="uploads_list", responses={200: _UPLOAD_LIST, 401: ErrorShape})
    def get(self, request: Request) -> Response:
        """Lists the last hundred uploads, newest first."""
        return Response({"results": uploads_as_json(self.merchant, _base_url(request), most=MAX_LISTED)})


class UploadView(MerchantView):
    """One upload."""

    @extend_schema(responses={200: UploadShape, 401: ErrorShape, 404: ErrorShape})
    def get(self, request: Request, upload_id: UUID) -> Response:
        """Says how far an upload has come."""
        return Response(upload_as_json(upload_of(self.merchant, upload_id), _base_url(request)))


class ColumnsView(MerchantView):
    """Names the columns of an upload that asks for them."""

    parser_classes = [JSONParser, MultiPartParser, FormParser]

    @extend_schema(request=ColumnsSerializer, responses={202: UploadShape, 400: ErrorShape, 404: ErrorShape})
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Says which of the feed's columns are which of ours; the upload goes on, and the next such feed by itself."""
        form = ColumnsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        upload = name_columns(self.merchant, upload_id, form.validated_data["mapping"])
        return Response(upload_as_json(upload, _base_url(request)), status=202)


class QuotaView(MerchantView):
    """What a merchant may have and send."""

    @extend_schema(responses={200: _QUOTAS, 401: ErrorShape})
    def get(self, request: Request) -> Response:
        """Says what of each limit is used."""
        return Response(
            {
                one.name: {"limit": one.limit, "used": one.used, "remaining": one.remaining}
                for one in usage_of(self.merchant)
            }
        )


class CancelView(MerchantView):
    """Stops an upload."""

    @extend_schema(request=None, responses={200: UploadShape, 401: ErrorShape, 404: ErrorShape})
    def post(self, request: Request, upload_id: UUID) -> Response:
        """Stops an upload after the rows in hand; what was written stays."""
        return Response(upload_as_json(cancel_upload(self.merchant, upload_id), _base_url(request)))


class ErrorsView(MerchantView):
    """What was wrong with an upload."""

    @extend_schema(
        responses={
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "One line a row, with its cells."),
            404: ErrorShape,
        }
    )
    def get(self, request: Request, upload_id: UUID) -> Any:
        """Gives the failed rows as a CSV that a spreadsheet opens, to be put right and sent again."""
        upload = upload_of(self.merchant, upload_id)
        response = StreamingHttpResponse(
            (piece.encode() for piece in errors_as_csv(upload)), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="errors-{upload.pk}.csv"'
        return response


class ProductView(MerchantView):
    """One of the merchant's products, by its SKU."""

    parser_classes = [JSONParser, MultiPartParser, FormParser]

    @extend_schema(
        request={"application/json": OpenApiTypes.OBJECT, "multipart/form-data": OpenApiTypes.OBJECT},
        responses={200: PutShape, 201: PutShape, 400: ErrorShape, 401: ErrorShape, 429: ErrorShape},
    )
    def put(self, request: Request, sku: str) -> Response:
        """Makes or changes a product. Fields are a feed's columns; pictures are addresses, or files named `image`."""
        done = put_product(self.merchant, sku, _cells(request), _pictures(request))
        index_at_once(done.product)
        body = product_as_json(done.product, _base_url(request))
        body["change"] = done.change
        body["warnings"] = [
            {"column": error.column, "code": error.code, "message": error.message} for error in done.warnings
        ]
        return Response(body, status=201 if done.change == "added" else 200)

    @extend_schema(responses={204: None, 401: ErrorShape, 404: ErrorShape})
    def delete(self, request: Request, sku: str) -> Response:
        """Withdraws a product: no shopper finds it any more. Putting it again brings it back."""
        withdraw_product(self.merchant, sku)
        return Response(status=204)


def _cells(request: Request) -> dict[str, str]:
    if not isinstance(request.data, dict):
        raise InputError("body_unreadable", "Send one JSON object with the product's fields by name.")
    data = {name: request.data.get(name) for name in request.data if name != "image" or not request.FILES}
    cells = cells_of(data)
    unknown = [name for name in cells if name not in COLUMNS]
    if unknown:
        message = f"{unknown[0][:60]!r} is no field of a product; those are: {', '.join(COLUMNS)}."
        raise InputError("product_invalid", message, fields=dict.fromkeys(unknown[:20], "There is no such field."))
    if any("\0" in cell or any("\ud800" <= char <= "\udfff" for char in cell) for cell in cells.values()):
        raise InputError("product_invalid", "A field holds characters that are no text.")
    return cells


def _pictures(request: Request) -> SentPictures:
    files = request.FILES.getlist("image")
    if len(files) > MAX_PICTURES:
        raise InputError(
            "product_invalid", f"A product has at most {MAX_PICTURES} pictures.", fields={"image": "Many."}
        )
    return SentPictures({f"image-{n}": file.read(MAX_BYTES + 1) for n, file in enumerate(files, start=1)})


def _base_url(request: Request) -> str:
    return request.build_absolute_uri("/").rstrip("/")
