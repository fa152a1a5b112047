"""The operations page: how the installation is, and long work that is started, watched and canceled here."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from catalog.audit import note
from catalog.jobs import ask, cancel
from catalog.jobs.registry import kind_of
from catalog.models import Job
from catalog.operations import overview
from catalog.pages.console.access import OPERATE, console
from catalog.pages.console.operations_wording import Run, run_of, storage_rows
from shop_search.errors import InputError


@console(OPERATE)
@require_safe
def home(request: HttpRequest) -> HttpResponseBase:
    """Everything at once. `?part` is what changes, without the page around it, for the page's script."""
    runs = [run_of(job) for job in overview.last_runs()]
    startable = [
        {
            "kind": one.kind,
            "unfinished": run_of(one.unfinished) if one.unfinished else None,
            "last": run_of(one.last) if one.last else None,
        }
        for one in overview.startable()
    ]
    context: dict[str, Any] = {
        "here": "operations",
        "startable": startable,
        "runs": runs,
        "is_busy": any(not run.job.is_finished for run in runs),
    }
    told = overview.storage()
    workers = overview.workers()
    context |= {
        "index": overview.index_health(),
        "queues": overview.waiting_work(),
        "workers": workers,
        "alive": sum(one.worker.is_alive for one in workers),
        "models": overview.models(),
        "storage": storage_rows(told[0]) if told else [],
        "disk": told[0] if told else None,
        "measured_by": told[1] if told else None,
        "backups": overview.backups(),
    }
    template = "console/_operations.html" if "part" in request.GET else "console/operations.html"
    return render(request, template, context)


@console(OPERATE)
@require_safe
def state(request: HttpRequest) -> HttpResponseBase:
    """The unfinished jobs, for the page's script: it asks each second while there are some."""
    return JsonResponse({"jobs": [_as_json(run_of(job)) for job in Job.objects.unfinished().order_by("created_at")]})


@console(OPERATE)
@require_POST
def start(request: HttpRequest) -> HttpResponseBase:
    """Asks for a job of the kind that was posted. One that waits or runs already is not doubled."""
    try:
        kind = kind_of(request.POST.get("kind", "")[:60])
    except InputError as error:
        raise Http404(error.message) from error
    if not kind.needs_nothing:
        raise Http404("This job is started where what it is about is chosen.")
    with transaction.atomic():
        is_new = not Job.objects.unfinished().filter(kind=kind.name).exists()
        ask(kind.name, by=_user(request))
        if is_new:
            note(_user(request), "start_job", kind.title)
    words = _("“%(title)s” was asked for.") if is_new else _("“%(title)s” is at work already.")
    messages.info(request, words % {"title": kind.title})
    return redirect(reverse("console:operations") + "#jobs")


@console(OPERATE)
@require_POST
def cancel_job(request: HttpRequest, job_id: UUID) -> HttpResponseBase:
    """Cancels a job; one that is finished stays what it is."""
    job = Job.objects.filter(pk=job_id).first()
    if job is None:
        raise Http404("There is no such job.")
    title = overview.title_of(job)
    if not job.is_finished:
        with transaction.atomic():
            cancel(job)
            note(_user(request), "cancel_job", title)
        messages.info(request, _("“%(title)s” is being canceled.") % {"title": title})
    return redirect(reverse("console:operations") + "#jobs")


def _as_json(run: Run) -> dict[str, Any]:
    return {
        "id": str(run.job.pk),
        "kind": run.job.kind,
        "title": run.title,
        "state": run.job.state,
        "done": run.job.done,
        "total": run.job.total,
        "percent": run.percent,
        "words": run.words,
    }


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
