"""What is live is switched: promoted through the gate, rolled back at once, retired for good.

    gate -> what came in meanwhile (beside) -> one transaction: LiveVersion, states, picture rows, Switch, audit
         -> alias of the store

The transaction is the switch. The alias only follows: whoever indexes points it right if this process dies before. Each
picture's row tells of the collection that is live, so both collections trade what is told of them (rows, side points);
pictures that the entering collection lacks become due.
"""

import logging
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from catalog import serving
from catalog.audit import note
from catalog.indexing.points import collection_of, point_alias
from catalog.models import LiveVersion, ProductImage, SidePoint, Switch, Trial, Version
from catalog.versions.beside import fill, lacking
from catalog.versions.gate import gate
from catalog.versions.trading import trade
from embeddings import encoder, vector_store
from shop_search.errors import InputError, ServiceError

log = logging.getLogger(__name__)

# A promote embeds so many pictures that came in since the build; with more, it is to be built again.
MOST_TO_CATCH_UP = 64
# Rolling back may leave so many of the pictures to be indexed again; with more, shoppers would miss them.
MOST_LACKING_SHARE = 0.5
WHY_LENGTH = 500


@dataclass(frozen=True, slots=True)
class _Move:
    """From which collection to which, and the encoder of the one that is left."""

    leaving: str
    entering: str
    leaving_encoder: str


def promote(version: Version, *, by: User | None, why: str, without_gate: bool = False) -> Switch:
    """Makes the version live, for every process within about a second, and returns the switch.

    Raises InputError: `why_missing`, `version_is_live`, `version_retired`, `version_not_built`, `gate_refused` with
    the failing lines, `switched_meanwhile`. Raises ServiceError when a model or the store fails; then nothing changed.
    """
    why = checked_why(why)
    version.refresh_from_db()
    if version.state == Version.State.LIVE:
        raise InputError("version_is_live", f"{version.name} is live already.")
    if version.state == Version.State.RETIRED:
        raise InputError("version_retired", f"{version.name} was retired. Propose it again.")
    if not version.is_built:
        raise InputError("version_not_built", f"{version.name} has no index yet. Build it first.")
    said = gate(version)
    if not said.passes and not without_gate:
        lines = " ".join(line.text for line in said.failing)
        raise InputError("gate_refused", f"The gate refuses {version.name}. {lines}")
    now = serving.read()
    move = None
    if version.has_index:
        move = _move(now, now.with_version(serving.InForce.of(version)))
        _catch_up(version, move.entering)
    gate_lines = [] if without_gate and said.comparison is None else said.as_json()
    details = {"gate": gate_lines, "without_gate": without_gate}
    return _switch(version.kind, now, version, move, by=by, why=why, details=details)


def rollback(kind: str, *, by: User | None, why: str) -> Switch:
    """Makes live again what was live before the last promote, at once, and returns the switch.

    Raises InputError: `why_missing`, `nothing_to_roll_back`, `version_not_built` when its collection is gone,
    `switched_meanwhile`. Raises ServiceError when a model or the store fails; then nothing changed.
    """
    why = checked_why(why)
    last = Switch.objects.filter(kind=kind, is_rollback=False, is_undone=False).select_related("before").first()
    if last is None:
        raise InputError("nothing_to_roll_back", f"No {kind} was promoted that could be rolled back.")
    now = serving.read()
    before = last.before
    if before is not None and before.state == Version.State.RETIRED:
        raise InputError("version_retired", f"{before.name} was retired; its index is gone.")
    move = None
    if kind in (Version.Kind.ENCODER, Version.Kind.DETECTOR):
        then = now.without(kind) if before is None else now.with_version(serving.InForce.of(before))
        move = _move(now, then)
        missing, shown = lacking(move.entering).count(), ProductImage.objects.indexable().count()
        if missing > MOST_LACKING_SHARE * shown:
            raise InputError(
                "version_not_built", f"{missing} of {shown} pictures are not in its index. Build it and promote it."
            )
    return _switch(kind, now, before, move, by=by, why=why, details={}, undone=last)


def retire(version: Version, *, by: User | None, why: str) -> None:
    """Takes a version away for good and deletes its collection. Raises InputError while anything needs it."""
    why = checked_why(why)
    with transaction.atomic():
        row = Version.objects.select_for_update().get(pk=version.pk)
        if row.state == Version.State.LIVE:
            raise InputError("version_is_live", f"{row.name} is live. Promote another or roll back first.")
        if Trial.objects.filter(version=row, state=Trial.State.RUNNING).exists():
            raise InputError("version_on_trial", f"{row.name} answers visitors of a trial. Stop it first.")
        row.state = Version.State.RETIRED
        row.save(update_fields=["state"])
        note(by, "retire", f"{row.kind}: {row.name}", why=why, by_name="a command")
    if row.has_index and row.fingerprint:
        # Its collection can be named without loading its model: no other has its fingerprint in the name.
        used = {collection_of(encoder().card)}
        for name in [one for one in vector_store().collections() if row.fingerprint in one.split("-")]:
            if name in used:
                continue
            vector_store().drop(name)
            SidePoint.objects.filter(collection=name).delete()
    version.refresh_from_db()


def checked_why(why: str) -> str:
    """Returns the reason, tidied. Raises InputError `why_missing` or `why_too_long`."""
    why = " ".join(why.split())
    if not why:
        raise InputError("why_missing", "Say why: others will read it.", fields={"why": "Say why."})
    if len(why) > WHY_LENGTH:
        message = f"At most {WHY_LENGTH} characters, not {len(why)}."
        raise InputError("why_too_long", message, fields={"why": message})
    return why


def _move(now: serving.Serving, then: serving.Serving) -> _Move:
    with serving.pinned(now):
        leaving = encoder().card
        left = collection_of(leaving)
    with serving.pinned(then):
        return _Move(left, collection_of(encoder().card), leaving.fingerprint)


def _catch_up(version: Version, collection: str) -> None:
    """Embeds the few pictures that came in since the version was built."""
    missing = lacking(collection).count()
    if missing > MOST_TO_CATCH_UP:
        raise InputError(
            "version_not_built", f"{missing} pictures are not in the index of {version.name} yet. Build it again."
        )
    while missing and fill(version):
        missing = lacking(collection).count()


def _switch(
    kind: str,
    now: serving.Serving,
    after: Version | None,
    move: _Move | None,
    *,
    by: User | None,
    why: str,
    details: dict[str, object],
    undone: Switch | None = None,
) -> Switch:
    LiveVersion.objects.get_or_create(kind=kind)
    with transaction.atomic():
        # All kinds: the collection depends on the encoder and on the detector.
        rows = {row.kind: row for row in LiveVersion.objects.select_for_update().order_by("kind")}
        if {one: row.version_id for one, row in rows.items() if row.version_id} != {
            one: version.pk for one, version in now.versions.items()
        }:
            raise InputError("switched_meanwhile", "Somebody else switched a moment ago. Look again.")
        before = rows[kind].version
        if undone is not None and not Switch.objects.filter(pk=undone.pk, is_undone=False).update(is_undone=True):
            raise InputError("switched_meanwhile", "Somebody else rolled back a moment ago. Look again.")
        if move is not None and move.leaving != move.entering:
            trade(move.leaving, move.entering, leaving_encoder=move.leaving_encoder)
        LiveVersion.objects.filter(pk=kind).update(version=after)
        # What a trial compares with is no longer live; a model's trial would ask a collection of another pair.
        Trial.objects.filter(state=Trial.State.RUNNING, version__kind__in=_tried_with(kind)).update(
            state=Trial.State.STOPPED, ended_at=timezone.now()
        )
        if before is not None:
            Version.objects.filter(pk=before.pk).update(state=Version.State.READY)
        if after is not None:
            Version.objects.filter(pk=after.pk).update(state=Version.State.LIVE)
        switch = Switch.objects.create(
            kind=kind,
            before=before,
            after=after,
            collection_before=move.leaving if move else "",
            collection_after=move.entering if move else "",
            is_rollback=undone is not None,
            by=by,
            why=why,
            gate=details.get("gate", []),
        )
        note(
            by,
            "rollback" if undone else "promote",
            f"{kind}: {after.name if after else 'as in the settings'}",
            why=why,
            details={"before": before.name if before else None, **details},
            by_name="a command",
        )
    serving.forget()
    _follow(move)
    return switch


def _tried_with(kind: str) -> tuple[str, ...]:
    with_index = (Version.Kind.ENCODER.value, Version.Kind.DETECTOR.value)
    return with_index if kind in with_index else (kind,)


def _follow(move: _Move | None) -> None:
    """Points the store's alias at what is live; if that fails now, whoever indexes does it."""
    if move is None:
        return
    try:
        point_alias()
    except ServiceError as error:
        log.warning("The alias does not follow yet: %s", error.message)
