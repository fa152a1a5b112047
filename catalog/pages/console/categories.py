"""The categories page: what there is, what each edit would touch, and the jobs that re-file it."""

from collections import defaultdict
from dataclasses import asdict
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog import taxonomy
from catalog.curation.categories import Edit, add, carry_out, checked, effect_of, rename
from catalog.jobs import ask
from catalog.models import Category, CategoryName, Job, Product
from catalog.pages.cards import thumb
from catalog.pages.console.access import OPERATE, console
from catalog.words.category_words import OTHER
from detection.categories import DETECTED
from shop_search.errors import InputError

JOB = "refile_categories"
JOBS = 5


@console(OPERATE)
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """All categories with what is filed under them, the names that lead to them, and edits on their way."""
    return render(request, "console/categories.html", _context())


@console(OPERATE)
@require_POST
def new(request: HttpRequest) -> HttpResponseBase:
    """Adds a category."""
    try:
        add(request.POST.get("name", ""), by=_user(request))
    except InputError as error:
        return render(request, "console/categories.html", {**_context(), "trouble": error.message}, status=400)
    return redirect("console:categories")


@console(OPERATE)
@require_POST
def label(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Gives a category another label."""
    category = get_object_or_404(Category, slug=slug)
    try:
        rename(category, request.POST.get("name", ""), by=_user(request))
    except InputError as error:
        return render(request, "console/categories.html", {**_context(), "trouble": error.message}, status=400)
    return redirect("console:categories")


@console(OPERATE)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest) -> HttpResponseBase:
    """What an edit would touch (GET); does it and asks for the job that follows up (POST)."""
    form = request.POST if request.method == "POST" else request.GET
    try:
        asked = checked(Edit(form.get("kind", ""), form.get("name", ""), form.get("into", "")))
        if request.method == "POST":
            with transaction.atomic():  # an edit whose job was never asked for would leave the index behind
                arguments = carry_out(asked, by=_user(request), why=request.POST.get("why", ""))
                ask(JOB, by=_user(request), edit=_sentence(asked), **arguments)
            return redirect("console:categories")
        effect = effect_of(asked)
    except InputError as error:
        return render(request, "console/categories.html", {**_context(), "trouble": error.message}, status=400)
    found = Product.objects.for_cards().filter(pk__in=effect.examples)
    examples = [(one, thumb(image.file.url)) for one in found if (image := next(iter(one.images.all()), None))]
    context = {
        "edit": asked,
        "sentence": _sentence(asked),
        "effect": effect,
        "examples": examples,
        "here": "categories",
    }
    return render(request, "console/category_edit.html", context)


@console(OPERATE)
@require_POST
def again(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """Asks once more for what a failed job should have done: the edit itself was made, the index has yet to follow."""
    failed = get_object_or_404(Job, pk=job_id, kind=JOB)
    ask(JOB, by=_user(request), **failed.arguments)
    return redirect("console:categories")


def _context() -> dict[str, Any]:
    on_sale = Q(products__withdrawn_at=None, products__blocked_at=None)
    rows = Category.objects.annotate(
        on_sale=Count("products", filter=on_sale, distinct=True), filed=Count("products", distinct=True)
    )
    names: dict[int, list[CategoryName]] = defaultdict(list)
    for name in CategoryName.objects.all():
        names[name.category_id].append(name)
    now = taxonomy.read()
    kinds = CategoryName.Kind
    return {
        "categories": [
            {
                "category": row,
                "classes": now.classes_of(row.slug),
                "former": [one.name for one in names[row.pk] if one.kind == kinds.SLUG],
                "words": [one.name for one in names[row.pk] if one.kind == kinds.WORD],
            }
            for row in rows
        ],
        "classes": [{"name": name, "category": now.category_of_class(name)} for name in DETECTED],
        "slugs": [(row.slug, row.name) for row in rows],
        "known": {row.slug for row in rows},
        "other": OTHER,
        "jobs": [_job(row) for row in Job.objects.filter(kind=JOB).order_by("-created_at")[:JOBS]],
        "here": "categories",
    }


def _job(row: Job) -> dict[str, Any]:
    return {
        "job": row,
        "edit": row.arguments.get("edit", ""),
        "is_done": row.finished_at is not None,
        "may_again": row.state in (Job.State.FAILED, Job.State.CANCELED),
        "percent": 100 * row.done // row.total if row.total else 0,
        "result": row.result or {},
    }


def _sentence(asked: Edit) -> str:
    """Returns the edit in words, for people and for the job's row."""
    values = asdict(asked)
    return {
        "merge": "{name} becomes a part of {into}",
        "retire": "{name} is retired; what is in it is filed under {into}",
        "word": "“{name}” means {into}",
        "unword": "“{name}” means what it meant before",
        "detected": "what the detector calls {name} is filed under {into}",
    }[asked.kind].format(**values)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
