"""Products and photos that may not be shown, and their return.

    block a photo -> its row (from then on uploads refuse it) -> copies: the same bytes, and what the store says is near
                  -> laid over it one by one -> taken off their products, as dropped pictures are

A picture on its way meanwhile is caught by one of three: the upload, which looks again inside its transaction; the scan
here, once it is committed; or indexing, which looks at each new picture before shoppers can find it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from catalog.audit import note
from catalog.indexing.points import COPY, has_fingerprints, searched_collection
from catalog.models import BlockedFile, BlockedPhoto, Product, ProductImage
from catalog.pictures.blocked import bits_of, shows_the_same, small_picture, turns_of
from catalog.pictures.taken import put_back, take_off
from embeddings import vector_store
from embeddings.copies import FAR, NEAR
from embeddings.fingerprint import distance_of
from shop_search.errors import InputError, ServiceError

# Hits of each of the eight turns: a photo that more listings than these share isn't found whole at once; indexing
# and uploads refuse the rest as they meet them.
_NEAREST = 256
_FAR_TRIED = 64  # pictures beyond NEAR that are laid over the photo anywhere: 10 ms each


@dataclass(frozen=True, slots=True)
class Blocked:
    """What blocking a photo did."""

    photo: BlockedPhoto
    pictures: int
    products: int


def block_product(product: Product, *, by: User | None, why: str) -> None:
    """Hides a product everywhere until it is let in again, whatever its merchant uploads.

    Raises InputError `why_missing`.
    """
    _check_why(why)
    now = timezone.now()
    with transaction.atomic():
        if Product.objects.filter(pk=product.pk, blocked_at=None).update(blocked_at=now, blocked_why=why.strip()):
            ProductImage.objects.filter(product=product).update(payload_due=now)
            note(by, "product_blocked", _name(product), why=why, details={"product": product.pk})


def unblock_product(product: Product, *, by: User | None, why: str = "") -> None:
    """Lets a blocked product be found again, once its pictures are indexed."""
    with transaction.atomic():
        blocked = Product.objects.filter(pk=product.pk, blocked_at__isnull=False)
        if blocked.update(blocked_at=None, blocked_why=""):
            ProductImage.objects.filter(product=product).update(payload_due=timezone.now())
            note(by, "product_unblocked", _name(product), why=why, details={"product": product.pk})


def block_photo(image: ProductImage, *, by: User | None, why: str) -> Blocked:
    """Takes a picture and all its copies off the shelf, and has uploads refuse them from now on.

    Raises InputError `why_missing`, or `photo_already_blocked`.
    """
    _check_why(why)
    picture = small_picture(str(image.file.name))
    bits = None if picture is None else bits_of(picture)
    try:
        with transaction.atomic():
            photo = BlockedPhoto.objects.create(
                sha256=image.sha256, file=str(image.file.name), bits=bits, why=why.strip(), by=by
            )
            BlockedFile.objects.create(photo=photo, sha256=image.sha256, file=str(image.file.name))
    except IntegrityError as error:
        raise InputError("photo_already_blocked", "This photo is blocked already.") from error
    # Committed: from here on nothing new comes in. What is there is looked for now.
    found = list(_copies(photo))
    products = {one.product_id for one in found}
    with transaction.atomic():
        pictures = take_off(found, photo.pk)
        details = {"photo": photo.pk, "pictures": pictures, "products": sorted(products)[:100]}
        note(by, "photo_blocked", photo.sha256[:12], why=why, details=details)
    return Blocked(photo, pictures, len(products))


def unblock_photo(photo: BlockedPhoto, *, by: User | None, why: str = "") -> int:
    """Lets a photo in again and gives products their pictures back; returns how many."""
    with transaction.atomic():
        if not BlockedPhoto.objects.active().filter(pk=photo.pk).update(lifted_at=timezone.now()):
            return 0
        count = put_back(photo)
        note(by, "photo_unblocked", photo.sha256[:12], why=why, details={"photo": photo.pk, "pictures": count})
    return count


def copies_of(image: ProductImage) -> list[ProductImage]:
    """Returns the pictures that would go if this one were blocked, itself among them."""
    picture = small_picture(str(image.file.name))
    bits = None if picture is None else bits_of(picture)
    return list(_copies(BlockedPhoto(sha256=image.sha256, file=str(image.file.name), bits=bits)))


def _copies(photo: BlockedPhoto) -> Iterator[ProductImage]:
    """Yields every product's picture that shows the photo: the same bytes first."""
    rows = ProductImage.objects.select_related("product__merchant").order_by("product", "position")
    same = list(rows.filter(sha256=photo.sha256))
    yield from same
    original = small_picture(photo.file)
    if original is None or not photo.bits:
        return
    near = _near(bytes(photo.bits))
    known = {row.pk for row in same}
    far_tried = 0
    by_pk = rows.in_bulk([pk for pk in near if pk not in known])
    verdicts: dict[str, bool] = {}  # by content: a hundred listings of one file are looked at once
    for pk, (distance, turn) in sorted(near.items(), key=lambda item: item[1]):
        row = by_pk.get(pk)
        if row is None:
            continue
        if row.sha256 not in verdicts:
            if distance > NEAR and (far_tried := far_tried + 1) > _FAR_TRIED:
                continue
            picture = small_picture(str(row.file.name)) if default_storage.exists(str(row.file.name)) else None
            verdicts[row.sha256] = picture is not None and shows_the_same(original, picture, turn, distance)
        if verdicts[row.sha256]:
            yield row


def _near(bits: bytes) -> dict[int, tuple[int, int]]:
    """Returns image id -> distance and turn of what the store says is near. Without a store, nothing is near."""
    found: dict[int, tuple[int, int]] = {}
    try:
        collection = searched_collection()
        if collection is None or not has_fingerprints(collection):
            return {}
        for turn, vector in enumerate(turns_of(bits)):
            for hit in vector_store().query(collection, vector, using=COPY, limit=_NEAREST):
                distance = distance_of(hit.score)
                if distance <= FAR and distance < found.get(hit.id, (FAR + 1, 0))[0]:
                    found[hit.id] = (distance, turn)
    except ServiceError as error:
        if error.code != "index_outdated":  # moving to another encoder: copies are taken off as they are indexed anew
            raise
    return found


def _check_why(why: str) -> None:
    if not why.strip():
        raise InputError("why_missing", "Say why, so that others understand it later.", fields={"why": "Say why."})


def _name(product: Product) -> str:
    return f"{product.merchant.slug}/{product.sku}"
