"""Editing the categories: what an edit would touch, the edit itself, and re-filing what it touched.

    Edit -> effect_of (counts, nothing changes) -> carry_out (one transaction, noted) -> a job: follow_up
         -> pictures whose chosen detection may change are looked at again; only those where it did are embedded anew
         -> the others' points get their new payload

Links and searches by a former slug go on: it is kept as a name of the category that took it over.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify

from catalog import taxonomy
from catalog.audit import note
from catalog.indexing.embedding import read_photo
from catalog.indexing.index import BATCH, index_due
from catalog.models import Category, CategoryName, Curation, Product, ProductImage
from catalog.vision import Wish, choose_again, for_sale
from catalog.words import assortment
from catalog.words.category_words import OTHER, CategoryBook, meaning_by, word_key
from detection.categories import DETECTED
from detection.crops import iou
from shop_search.errors import InputError

Progress = Callable[[int, int, str], None]
KINDS = ("merge", "retire", "word", "unword", "detected")
# A crop that covers the same thing this closely is the same crop: what JPEG's noise does to a box is less.
SAME_CROP_IOU = 0.98
# A worker that has the rest of the pictures gets so long before the job leaves them to it.
PATIENCE_S = 300.0
_EXAMPLES = 12
_MOST_RUNS = 20_000  # a third of a megabyte
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit that touches products. `name` is a slug, a word or a detector class; `into` the slug that gets it."""

    kind: str  # of KINDS
    name: str
    into: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What an edit touches, counted before anything changes."""

    products: int  # filed under another category
    pictures: int  # whose points are told
    looked_at: int  # of those and others, pictures whose chosen part may change
    examples: tuple[int, ...]  # ids of products


def add(name: str, *, by: User) -> Category:
    """Returns a new category. Raises InputError `category_invalid` where its name is taken or says nothing."""
    name = " ".join(name.split())[:80]
    slug = (slugify(name) or slugify(name, allow_unicode=True))[:80].strip("-")
    if not slug:
        raise _invalid("name", "A category needs a name with letters in it.")
    taken = taxonomy.read().slug_of(slug)
    if Category.objects.filter(slug=taken).exists():
        raise _invalid("name", f"{name!r} is already the category {taken!r}.")
    with transaction.atomic():
        made = Category.objects.create(slug=slug, name=name, is_detected=slug in DETECTED)
        note(by, "category_added", name, details={"slug": slug})
    _forget()
    return made


def rename(category: Category, name: str, *, by: User) -> None:
    """Gives a category another label; its slug, and so every link, stays. Raises InputError `category_invalid`."""
    name = " ".join(name.split())[:80]
    if not name:
        raise _invalid("name", "A category needs a name.")
    with transaction.atomic():
        before = category.name
        if Category.objects.filter(pk=category.pk).exclude(name=name).update(name=name):
            note(by, "category_renamed", name, details={"slug": category.slug, "before": before})
    _forget()


def checked(edit: Edit) -> Edit:
    """Returns the edit as it will be carried out. Raises InputError `category_invalid`."""
    if edit.kind not in KINDS:
        raise _invalid("kind", f"{edit.kind[:40]!r} is none of {', '.join(KINDS)}.")
    name = word_key(edit.name) if edit.kind in ("word", "unword") else edit.name
    into = edit.into or (OTHER if edit.kind == "retire" else "")
    if edit.kind in ("merge", "retire"):
        if not Category.objects.filter(slug=name).exists():
            raise _invalid("name", f"{name!r} is no category of this shop.")
        if name == into:
            raise _invalid("into", "A category can't be merged into itself.")
        if edit.kind == "retire" and name == OTHER:
            raise _invalid("name", "What has no category is filed here; it can't be retired.")
    if edit.kind == "detected" and name not in DETECTED:
        raise _invalid("name", f"{name!r} is none of the detector's classes: {', '.join(DETECTED)}.")
    if edit.kind in ("word", "unword") and not name:
        raise _invalid("name", "Name the word that merchants use.")
    is_default = into == OTHER and edit.kind == "retire"
    if edit.kind != "unword" and not is_default and not Category.objects.filter(slug=into).exists():
        raise _invalid("into", f"{into!r} is no category of this shop.")
    return Edit(edit.kind, name, into)


def effect_of(edit: Edit) -> Effect:
    """Returns what an edit would touch. Raises InputError as `checked` does."""
    edit = checked(edit)
    before = taxonomy.read()
    refiled = _refiled(edit, before)
    looked_at = _to_look_at(edit, before, _after(edit, before), refiled)
    shown = Product.objects.shown().filter(pk__in=refiled[-_CHUNK:]).order_by("-pk").values_list("pk", flat=True)
    return Effect(len(refiled), len(_pictures_of(refiled)), len(looked_at), tuple(shown[:_EXAMPLES]))


def carry_out(edit: Edit, *, by: User | None, why: str = "") -> dict[str, Any]:
    """Makes the edit in the database and returns what `follow_up` is to be asked with. Call it inside a transaction.

    Raises InputError as `checked` does.
    """
    edit = checked(edit)
    before = taxonomy.read()
    refiled = _refiled(edit, before)
    # Ids, not the edit: asked again after a crash, the same pictures are meant.
    again = _to_look_at(edit, before, _after(edit, before), refiled)
    told = _pictures_of(refiled)
    now = timezone.now()
    if edit.kind == "retire":
        Category.objects.get_or_create(slug=OTHER, defaults={"name": "Other"})
    into = Category.objects.select_for_update().get(slug=edit.into) if edit.into else None
    targets = _targets(edit, refiled)
    for category, products in targets.items():
        for some in _chunks(products):
            Product.objects.filter(pk__in=some).update(category=category, updated_at=now)
            ProductImage.objects.filter(product__in=some).update(payload_due=now)
    if edit.kind in ("merge", "retire"):
        assert into is not None
        _take_over(edit, into, before)
    elif edit.kind == "unword":
        CategoryName.objects.filter(kind=CategoryName.Kind.WORD, name=edit.name).delete()
    elif edit.kind == "detected" and edit.name == edit.into:
        CategoryName.objects.filter(kind=CategoryName.Kind.DETECTED, name=edit.name).delete()
    elif into is not None:
        CategoryName.objects.update_or_create(kind=edit.kind, name=edit.name, defaults={"category": into})
    details = {**asdict(edit), "products": len(refiled)}
    note(
        by, f"category_{edit.kind}", f"{edit.name} → {edit.into}" if edit.into else edit.name, why=why, details=details
    )
    transaction.on_commit(_forget)
    return {"look_at": _ranges(again), "tell": _ranges(told)}


def follow_up(progress: Progress, *, look_at: list[list[int]], tell: list[list[int]]) -> dict[str, int]:
    """Looks at pictures again, has those embedded whose crop changed, and waits until the index has heard of all.

    Returns how many were looked at, changed their crop, were told, and still wait for another worker.
    """
    _forget()
    again = _ids(look_at)
    looked, changed = _look_again(again, progress)
    touched = {*_ids(tell), *changed}
    left = _waiting(sorted(touched))
    total, patience = len(touched), time.monotonic() + PATIENCE_S
    while left:
        progress(total - len(left), total, "Telling the index")
        report = index_due(limit=BATCH)
        still = _waiting(left)
        if len(still) < len(left) or not report.is_empty:
            patience = time.monotonic() + PATIENCE_S
        elif time.monotonic() > patience:
            break
        else:
            time.sleep(0.2)  # another worker has them
        left = still
    progress(total - len(left), total, "Done")
    return {"looked_at": looked, "changed": len(changed), "told": total - len(left), "waiting": len(left)}


def _look_again(ids: list[int], progress: Progress) -> tuple[int, list[int]]:
    """Marks as pending the pictures whose chosen part is another now; returns how many were looked at, and these."""
    indexed = ProductImage.objects.indexable().filter(state=ProductImage.State.INDEXED)
    changed: list[int] = []
    for start in range(0, len(ids), BATCH):
        progress(start, len(ids), "Looking at pictures again")
        rows = list(indexed.filter(pk__in=ids[start : start + BATCH]).select_related("product__category"))
        photos = []
        for row in rows:
            try:
                photos.append((row, read_photo(str(row.file.name))))
            except InputError:  # gone or rotten: as it is, it can't be chosen anew
                continue
        wishes = [Wish(category=row.product.category.slug) for row, _ in photos]
        choices = choose_again([photo for _, photo in photos], wishes, choose=for_sale)
        for (row, _), choice in zip(photos, choices, strict=True):
            same_part = row.box is not None and iou(tuple(row.box), choice.box) >= SAME_CROP_IOU
            if same_part and row.detected_category != (choice.category or ""):
                ProductImage.objects.filter(pk=row.pk).update(detected_category=choice.category or "")
            elif not same_part:
                now = timezone.now()
                ProductImage.objects.filter(pk=row.pk, sha256=row.sha256).update(
                    state=ProductImage.State.PENDING, payload_due=now
                )
                changed.append(row.pk)
    return len(ids), changed


def _refiled(edit: Edit, before: taxonomy.Taxonomy) -> list[int]:
    """Returns the ids of the products that get another category."""
    if edit.kind in ("merge", "retire"):
        return list(Product.objects.filter(category__slug=edit.name).order_by("pk").values_list("pk", flat=True))
    if edit.kind == "detected":
        return []
    return sorted(pk for products in _by_words(edit, before).values() for pk in products)


def _targets(edit: Edit, refiled: list[int]) -> dict[Category, list[int]]:
    if edit.kind in ("merge", "retire", "word"):
        return {Category.objects.get(slug=edit.into): refiled} if refiled else {}
    if edit.kind == "detected":
        return {}
    return {Category.objects.get(slug=slug): products for slug, products in _by_words(edit, taxonomy.read()).items()}


def _by_words(edit: Edit, before: taxonomy.Taxonomy) -> dict[str, list[int]]:
    """Returns slug -> ids of products that a word files there after the edit, and elsewhere now.

    Only what a merchant's own words say is known of a product; what an admin corrected stays.
    """
    after = _after(edit, before)
    book = CategoryBook(after)
    found: dict[str, list[int]] = {}
    types = Product.objects.exclude(product_type="").order_by().values_list("product_type", flat=True).distinct()
    for product_type in types.iterator():
        old, new = meaning_by(before, product_type), meaning_by(after, product_type)
        if old == new:
            continue
        category = book.find(new or book.meaning_of(product_type))
        if category is None:
            continue  # taking a word back never makes a category
        products = Product.objects.filter(product_type=product_type).exclude(category=category)
        ids = [pk for pk, corrected in products.values_list("pk", "corrected") if "category" not in corrected]
        if ids:
            found.setdefault(category.slug, []).extend(ids)
    return found


def _after(edit: Edit, before: taxonomy.Taxonomy) -> taxonomy.Taxonomy:
    """Returns the names as they are after the edit."""
    slugs, words, classes = dict(before.slugs), dict(before.words), dict(before.classes)
    if edit.kind == "word":
        words[edit.name] = edit.into
    elif edit.kind == "unword":
        words.pop(edit.name, None)
    elif edit.kind == "detected":
        classes[edit.name] = edit.into
    else:
        for names in (slugs, words):
            names.update({name: edit.into for name, slug in names.items() if slug == edit.name})
        slugs[edit.name] = edit.into
        moved = before.classes_of(edit.name)
        if edit.kind == "merge":
            classes.update(dict.fromkeys(moved, edit.into))
        else:
            classes.update({name: name for name in moved})
    return taxonomy.Taxonomy(slugs, words, classes)


def _to_look_at(edit: Edit, before: taxonomy.Taxonomy, after: taxonomy.Taxonomy, refiled: list[int]) -> list[int]:
    """Returns the indexed pictures (ids, rising) whose chosen detection may change.

    That is where the classes that a product's category can be seen as are not those of before; a picture that shows
    none of the new ones keeps its crop, which only looking tells.
    """
    gone = edit.name if edit.kind in ("merge", "retire") else ""
    slugs = [
        slug
        for slug in Category.objects.values_list("slug", flat=True)
        if slug != gone and set(before.classes_of(slug)) != set(after.classes_of(slug))
    ]
    indexed = ProductImage.objects.indexable().filter(state=ProductImage.State.INDEXED)
    found = set(indexed.filter(product__category__slug__in=slugs).values_list("pk", flat=True))
    then = set(after.classes_of(edit.into)) if edit.into else None  # a word taken back leads to several
    for some in _chunks(refiled):
        rows = indexed.filter(product__in=some).values_list("pk", "product__category__slug")
        found.update(pk for pk, slug in rows if then is None or set(before.classes_of(slug)) != then)
    return sorted(found)


def _pictures_of(products: list[int]) -> list[int]:
    """Returns the ids of these products' pictures that shoppers may find, rising."""
    rows = ProductImage.objects.indexable().order_by().values_list("pk", flat=True)
    return sorted(pk for some in _chunks(products) for pk in rows.filter(product__in=some))


def _chunks(ids: list[int]) -> Iterator[list[int]]:
    """Yields a few ids at a time: databases limit how many a question may name."""
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _take_over(edit: Edit, into: Category, before: taxonomy.Taxonomy) -> None:
    """Gives everything that a category has to another, and deletes it."""
    gone = Category.objects.get(slug=edit.name)
    kinds = CategoryName.Kind
    moved = before.classes_of(gone.slug)
    CategoryName.objects.filter(kind=kinds.DETECTED, category=gone).delete()
    if edit.kind == "merge":
        for name in moved:
            CategoryName.objects.update_or_create(kind=kinds.DETECTED, name=name, defaults={"category": into})
        if moved:
            Category.objects.filter(pk=into.pk).update(is_detected=True)
    CategoryName.objects.filter(category=gone).update(category=into)
    CategoryName.objects.update_or_create(kind=kinds.SLUG, name=gone.slug, defaults={"category": into})
    Curation.objects.filter(category=gone).update(category=into)
    if edit.kind == "merge":
        ProductImage.objects.filter(detected_category=gone.slug).update(detected_category=into.slug)
    gone.delete()


def _ranges(ids: list[int]) -> list[list[int]]:
    """Returns rising ids as [first, last] of runs, at most `_MOST_RUNS`: of more, what lies between counts too.

    So a job's arguments stay small.
    """
    found: list[list[int]] = []
    for pk in ids:
        if found and pk == found[-1][1] + 1:
            found[-1][1] = pk
        else:
            found.append([pk, pk])
    while len(found) > _MOST_RUNS:
        found = [[found[at][0], found[min(at + 1, len(found) - 1)][1]] for at in range(0, len(found), 2)]
    return found


def _ids(ranges: list[list[int]]) -> list[int]:
    return [pk for first, last in ranges for pk in range(first, last + 1)]


def _waiting(ids: list[int]) -> list[int]:
    """Returns which of these pictures the index has yet to hear of."""
    due = Q(payload_due__isnull=False) | Q(state=ProductImage.State.PENDING)
    rows = ProductImage.objects.indexable().filter(due).order_by("pk").values_list("pk", flat=True)
    return [pk for some in _chunks(ids) for pk in rows.filter(pk__in=some)]


def _forget() -> None:
    taxonomy.forget()
    assortment.forget()


def _invalid(field: str, message: str) -> InputError:
    return InputError("category_invalid", message, fields={field: message})
