"""Jobs that are asked for, done, canceled, refused, and taken over when their worker dies."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from catalog.jobs import ask, cancel
from catalog.jobs.queues import do_next_task, waiting
from catalog.jobs.running import run, stopping_when
from catalog.jobs.tasks import MOST_ATTEMPTS, QUEUE, send_lost
from catalog.models import Job
from shop_search.errors import InputError

pytestmark = pytest.mark.django_db


def let_claim_run_out(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(claimed_until=timezone.now() - timedelta(seconds=1))


def begun_by_a_worker_that_died(job: Job, attempts: int = 1) -> None:
    DBTaskResult.objects.update(status="RUNNING")
    Job.objects.filter(pk=job.pk).update(
        state="running", claim="of the dead", attempts=attempts, claimed_until=timezone.now() - timedelta(seconds=1)
    )


def test_a_job_is_done_by_a_worker_and_keeps_its_result(kinds):
    rae = User.objects.create_user("rae")

    job = ask("count", by=rae, to=2)
    assert (job.state, job.asked_by_name) == ("queued", "rae")
    assert waiting(QUEUE) == 1
    assert do_next_task(QUEUE)

    job.refresh_from_db()
    assert (job.state, job.result, job.done, job.total) == ("done", {"counted": 2}, 2, 2)
    assert job.finished_at
    assert not do_next_task(QUEUE)


def test_the_same_work_is_asked_for_once_until_it_is_finished(kinds):
    first = ask("count", to=2)
    assert ask("count", to=2) == first
    assert ask("count", to=3) != first

    while do_next_task(QUEUE):
        pass

    assert ask("count", to=2) != first
    assert kinds.did == ["0", "1", "0", "1", "2"]


def test_an_unknown_kind_is_refused(kinds):
    with pytest.raises(InputError, match="no kind of job"):
        ask("fly")


def test_progress_can_be_seen_while_the_job_runs(kinds):
    job = ask("count", to=3)
    seen = []
    kinds.meanwhile = lambda: seen.append(Job.objects.get(pk=job.pk))

    do_next_task(QUEUE)

    assert [(one.state, one.done, one.total, one.what) for one in seen] == [
        ("running", n, 3, f"counting {n}") for n in range(3)
    ]


def test_what_a_job_can_not_do_it_says(kinds):
    job = ask("refuse")
    do_next_task(QUEUE)
    job.refresh_from_db()
    assert (job.state, job.error_code, job.error) == ("failed", "nothing_to_count", "There is nothing to count.")


def test_what_a_job_breaks_on_is_logged_and_not_shown(kinds, caplog):
    job = ask("crash")
    do_next_task(QUEUE)
    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "internal_error")
    assert "ZeroDivisionError" in caplog.text
    assert "Zero" not in job.error


def test_a_waiting_job_is_canceled_at_once_and_never_done(kinds):
    job = cancel(ask("count"))
    assert job.state == "canceled"
    do_next_task(QUEUE)
    assert kinds.did == []


def test_a_running_job_ends_when_it_next_tells_how_far_it_is(kinds):
    job = ask("count", to=5)
    kinds.meanwhile = lambda: cancel(job) and None

    do_next_task(QUEUE)

    job.refresh_from_db()
    assert (job.state, kinds.did) == ("canceled", ["0"])
    assert job.finished_at


def test_a_finished_job_can_not_be_canceled(kinds):
    job = ask("count")
    do_next_task(QUEUE)
    assert cancel(job).state == "done"


def test_a_task_that_comes_twice_does_nothing_the_second_time(kinds):
    job = ask("count", to=1)
    assert run(job.pk) == "done"
    assert run(job.pk) == "done"
    assert kinds.did == ["0"]


def test_a_job_that_runs_is_not_begun_by_another_worker(kinds):
    job = ask("count", to=2)
    states = []
    kinds.meanwhile = lambda: states.append(run(job.pk))
    assert run(job.pk) == "done"
    assert states == ["running"] * 2
    assert kinds.did == ["0", "1"]


def test_jobs_that_exclude_each_other_wait(kinds):
    first, second = ask("count", to=1), ask("recount", to=1)
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    kinds.meanwhile = lambda: kinds.did.append(f"{run(second.pk)}, sent {send_lost()}")

    assert run(first.pk) == "done"
    assert kinds.did == ["0", "queued, sent 0"]

    kinds.meanwhile = lambda: None
    DBTaskResult.objects.all().delete()
    assert send_lost() == 1
    assert do_next_task(QUEUE)
    second.refresh_from_db()
    assert second.state == "done"


def test_a_job_whose_worker_died_is_done_by_another(kinds):
    job = ask("count", to=1)
    begun_by_a_worker_that_died(job)

    assert send_lost() == 1
    assert send_lost() == 0
    assert do_next_task(QUEUE)

    job.refresh_from_db()
    assert (job.state, job.attempts, kinds.did) == ("done", 2, ["0"])


def test_a_worker_that_is_alive_keeps_its_job(kinds):
    job = ask("count", to=1)
    begun_by_a_worker_that_died(job)
    Job.objects.update(claimed_until=timezone.now() + timedelta(seconds=5))
    assert send_lost() == 0


def test_a_job_that_kills_its_workers_is_given_up(kinds):
    job = ask("count", to=1)
    begun_by_a_worker_that_died(job, attempts=MOST_ATTEMPTS)

    assert send_lost() == 0

    job.refresh_from_db()
    assert (job.state, job.error_code) == ("failed", "worker_died")


def test_a_canceled_job_whose_worker_died_is_not_begun_again(kinds):
    job = ask("count", to=1)
    begun_by_a_worker_that_died(job)
    cancel(job)
    assert send_lost() == 0
    job.refresh_from_db()
    assert job.state == "canceled"


def test_a_worker_that_lost_its_job_writes_nothing_more(kinds):
    job = ask("count", to=3)

    def another_takes_it():
        Job.objects.filter(pk=job.pk).update(claim="of another", what="at work elsewhere")

    kinds.meanwhile = another_takes_it
    assert run(job.pk) == "running"

    job.refresh_from_db()
    assert (job.what, job.result, job.finished_at) == ("at work elsewhere", None, None)
    assert kinds.did == ["0"]


def test_a_stopping_worker_leaves_its_job_to_another(kinds):
    job = ask("count", to=3)
    kinds.meanwhile = lambda: None
    stops = iter([False, False, True, True])
    with stopping_when(lambda: next(stops, True)):
        assert run(job.pk) == "queued"
    assert len(kinds.did) < 3

    kinds.did.clear()
    while do_next_task(QUEUE):
        pass

    job.refresh_from_db()
    assert (job.state, job.attempts, kinds.did) == ("done", 1, ["0", "1", "2"])


def test_a_lost_task_is_sent_again_and_one_on_its_way_is_not(kinds):
    job = ask("count", to=1)
    DBTaskResult.objects.all().delete()
    assert send_lost() == 0, "it may still be on its way"

    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert send_lost() == 1
    assert send_lost() == 0, "it waits in its queue"
    do_next_task(QUEUE)
    job.refresh_from_db()
    assert job.state == "done"
