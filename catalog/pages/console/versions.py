"""The page of versions: what is live, what could be, the gate's word on each, promote and rollback with a reason."""

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.comparisons.comparing import MOST_SAMPLE, SAMPLE
from catalog.jobs import ask
from catalog.models import Comparison, Trial, Version
from catalog.pages.console.access import OPERATE, READ, REVIEW, console, may
from catalog.pages.console.versions_forms import FORMS, proposal_of
from catalog.pages.console.versions_shown import (
    comparison_context,
    history,
    live_rows,
    trial_row,
    version_rows,
)
from catalog.versions import promote, propose, retire, rollback
from catalog.versions.trials import start, stop
from shop_search.errors import InputError, ServiceError

Act = Callable[[], str]


@console(OPERATE, REVIEW, READ)
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """All versions. `?part` is what changes while jobs run, for the page's script."""
    return _page(request)


@console(OPERATE)
@require_http_methods(["POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """Proposes a version."""
    try:
        kind, name, options = proposal_of(request.POST)
        made = propose(kind, name=name, options=options, by=_user(request))
    except (InputError, ServiceError) as error:
        return _page(request, refused=error, form=request.POST.dict())
    messages.success(request, f"Proposed {made.name}.")
    return redirect("console:versions")


@console(OPERATE)
@require_POST
def build(request: HttpRequest, version_id: int) -> HttpResponseBase:
    """Asks for a version's index."""
    version = get_object_or_404(Version, pk=version_id)

    def act() -> str:
        if not version.has_index:
            raise InputError("nothing_to_build", f"A version of the {version.kind} has no index: it is ready.")
        ask("build_version", by=_user(request), version=version.pk)
        return f"{version.name} will be indexed beside the live one."

    return _did(request, act)


@console(OPERATE)
@require_POST
def compare(request: HttpRequest, version_id: int) -> HttpResponseBase:
    """Asks for a comparison with what is live."""
    version = get_object_or_404(Version, pk=version_id)

    def act() -> str:
        sample = _number(request.POST.get("sample", str(SAMPLE)), "sample", MOST_SAMPLE)
        user = _user(request)
        ask("compare_version", by=user, version=version.pk, sample=sample, asked_by=user.pk)
        return f"{version.name} will be compared with what is live."

    return _did(request, act)


@console(OPERATE)
@require_POST
def promote_one(request: HttpRequest, version_id: int) -> HttpResponseBase:
    """Makes a version live, through the gate: this page has no way around it."""
    version = get_object_or_404(Version, pk=version_id)

    def act() -> str:
        promote(version, by=_user(request), why=request.POST.get("why", ""))
        return f"{version.name} is live."

    return _did(request, act)


@console(OPERATE)
@require_POST
def roll_back(request: HttpRequest, kind: str) -> HttpResponseBase:
    """Makes live again what was live before."""

    def act() -> str:
        switch = rollback(kind, by=_user(request), why=request.POST.get("why", ""))
        return f"{switch.after.name if switch.after else 'What the settings say'} is live again."

    return _did(request, act)


@console(OPERATE)
@require_POST
def retire_one(request: HttpRequest, version_id: int) -> HttpResponseBase:
    """Takes a version away for good."""
    version = get_object_or_404(Version, pk=version_id)

    def act() -> str:
        retire(version, by=_user(request), why=request.POST.get("why", ""))
        return f"{version.name} is retired."

    return _did(request, act)


@console(OPERATE)
@require_POST
def try_out(request: HttpRequest, version_id: int) -> HttpResponseBase:
    """Lets a version answer a share of the visitors."""
    version = get_object_or_404(Version, pk=version_id)

    def act() -> str:
        share = _number(request.POST.get("share", ""), "share", 100) / 100
        start(version, share=share, by=_user(request), why=request.POST.get("why", ""))
        return f"{version.name} answers {share:.0%} of the visitors."

    return _did(request, act)


@console(OPERATE)
@require_POST
def stop_trial(request: HttpRequest, trial_id: int) -> HttpResponseBase:
    """Ends a live A/B."""
    trial = get_object_or_404(Trial.objects.select_related("version"), pk=trial_id)

    def act() -> str:
        stop(trial, by=_user(request), why=request.POST.get("why", ""))
        return f"The trial of {trial.version.name} is over."

    return _did(request, act)


@console(OPERATE, REVIEW, READ)
@require_safe
def comparison(request: HttpRequest, comparison_id: int) -> HttpResponseBase:
    """One comparison: numbers, and wins, losses and ties as pictures side by side."""
    row = get_object_or_404(Comparison.objects.select_related("version", "made_by"), pk=comparison_id)
    context = {**comparison_context(row, sees_crops=may(request.user, REVIEW)), "here": "versions"}
    return render(request, "console/versions_comparison.html", context)


def _page(
    request: HttpRequest, *, refused: InputError | ServiceError | None = None, form: dict[str, str] | None = None
) -> HttpResponseBase:
    versions = version_rows()
    context = {
        "here": "versions",
        "live": live_rows(),
        "versions": versions,
        "retired": Version.objects.filter(state=Version.State.RETIRED).count(),
        "trial": trial_row(),
        "history": history(),
        "is_busy": any(row.is_busy for row in versions),
        "may_operate": may(request.user, OPERATE),
        "sample": SAMPLE,
        "most_sample": MOST_SAMPLE,
        "refused": refused,
        **FORMS.context(form or {}),
    }
    template = "console/_versions.html" if "part" in request.GET else "console/versions.html"
    status = 200 if refused is None else 503 if isinstance(refused, ServiceError) else 400
    return render(request, template, context, status=status)


def _did(request: HttpRequest, act: Act) -> HttpResponseBase:
    """Acts and leads back to the page, or shows the page with why not."""
    try:
        messages.success(request, act())
    except (InputError, ServiceError) as error:
        return _page(request, refused=error)
    return redirect("console:versions")


def _number(text: str, what: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 6 and 1 <= int(text) <= most):
        raise InputError(f"{what}_invalid", f"The {what} must be a whole number from 1 to {most}, not {text[:20]!r}.")
    return int(text)


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
