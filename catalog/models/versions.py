"""Versions of what answers searches: which there are, which is live, how it came to be, and how they compared.

Version 1─* Switch       LiveVersion: one row a kind        Version 1─* Comparison
   draft ─build─> building ──> ready ─promote─> live ─another is promoted, or rollback─> ready ─retire─> retired

Rankings and bands have no index to build: they are ready at once. No LiveVersion, or one without a version, means that
the settings' value is live.
"""

from django.conf import settings
from django.db import models

from catalog.models.products import ProductImage


class Version(models.Model):
    """One way to answer searches, in one respect: an encoder, a detector, ranking weights or thresholds of bands."""

    class Kind(models.TextChoices):
        ENCODER = "encoder", "Encoder"
        DETECTOR = "detector", "Detector"
        RANKING = "ranking", "Ranking weights"
        BANDS = "bands", "Band thresholds"

    class State(models.TextChoices):
        DRAFT = "draft", "Proposed"
        BUILDING = "building", "Being built"
        READY = "ready", "Ready"
        LIVE = "live", "Live"
        RETIRED = "retired", "Retired"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=80)
    options = models.JSONField(help_text="A model's card, ranking weights, or thresholds.")
    fingerprint = models.CharField(max_length=12, blank=True, help_text="Of the model, when it was proposed.")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="one_version_per_kind_and_name")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def is_built(self) -> bool:
        """Whether it has all that a search with it needs."""
        return self.state in (self.State.READY, self.State.LIVE)

    @property
    def has_index(self) -> bool:
        """Whether searches with it need points of their own."""
        return self.kind in (self.Kind.ENCODER, self.Kind.DETECTOR)


class LiveVersion(models.Model):
    """What is live of one kind. The row is the truth: processes read it each second, the store's alias follows it."""

    kind = models.CharField(max_length=10, primary_key=True, choices=Version.Kind)
    version = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.kind}: {self.version or 'as in the settings'}"


class Switch(models.Model):
    """One change of what is live. Rollbacks go back along those that weren't undone."""

    kind = models.CharField(max_length=10, choices=Version.Kind)
    # None is what the settings say.
    before = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, related_name="switches_away")
    after = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, related_name="switches_to")
    collection_before = models.CharField(max_length=80, blank=True, help_text="What was searched until then.")
    collection_after = models.CharField(max_length=80, blank=True)
    is_rollback = models.BooleanField(default=False)
    is_undone = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    why = models.CharField(max_length=500)
    gate = models.JSONField(default=list, help_text="What the gate said; empty where it wasn't asked.")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name_plural = "switches"

    def __str__(self) -> str:
        return f"{self.kind}: {self.before or 'settings'} -> {self.after or 'settings'}"


class SidePoint(models.Model):
    """What a collection that is not the live one holds of a picture: ProductImage tells this of the live one."""

    collection = models.CharField(max_length=80)
    image = models.ForeignKey(ProductImage, on_delete=models.CASCADE, related_name="side_points")
    sha256 = models.CharField("SHA-256", max_length=64)
    category = models.CharField(max_length=80, help_text="The product's, by which was cropped.")
    state = models.CharField(max_length=10, choices=ProductImage.State)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True)
    box = models.JSONField(null=True, blank=True)
    detected_category = models.CharField(max_length=80, blank=True)
    detected_confidence = models.FloatField(null=True, blank=True)
    detector = models.CharField(max_length=12, blank=True)
    encoder = models.CharField(max_length=12, blank=True)
    palette = models.JSONField(default=list, blank=True)
    seen_colors = models.JSONField(default=list, blank=True)
    seen_attributes = models.JSONField(default=dict, blank=True)
    index_format = models.PositiveSmallIntegerField(default=1)
    indexed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["collection", "image"], name="one_side_point_per_collection_and_image")
        ]

    def __str__(self) -> str:
        return f"{self.image_id} in {self.collection} ({self.state})"


class Comparison(models.Model):
    """How a version fared beside what was live, on the same queries."""

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="comparisons")
    against = models.ForeignKey(Version, on_delete=models.SET_NULL, null=True, related_name="+")
    against_label = models.CharField(max_length=160, help_text="What was live, also where the settings said so.")
    created_at = models.DateTimeField(auto_now_add=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    seed = models.PositiveIntegerField(default=0)
    queries = models.PositiveIntegerField(help_text="That both were asked.")
    report = models.JSONField(help_text="Measures with interval and n, by category too; latency and memory of each.")
    outcomes = models.JSONField(default=list, help_text="The queries with what each found, losses first.")

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.version} against {self.against_label}, {self.created_at:%Y-%m-%d %H:%M}"


class Trial(models.Model):
    """A live A/B: a share of the visitors is answered by a version that is not live."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        STOPPED = "stopped", "Stopped by a person"
        WORSE = "worse", "Ended by itself: clearly worse"

    version = models.ForeignKey(Version, on_delete=models.CASCADE, related_name="trials")
    share = models.FloatField(help_text="Of the visitors that the version answers, in (0, 1).")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    why = models.CharField(max_length=500)
    result = models.JSONField(default=dict, help_text="The click rates as they were at the end.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="running"), name="one_running_trial_at_a_time"
            ),
            models.CheckConstraint(condition=models.Q(share__gt=0, share__lt=1), name="trial_share_between_0_and_1"),
        ]

    def __str__(self) -> str:
        return f"{self.version}, {self.share:.0%} since {self.started_at:%Y-%m-%d}"


class TrialVisit(models.Model):
    """One visitor of a trial: which side answered her, and whether she clicked. Her id is of this trial alone."""

    trial = models.ForeignKey(Trial, on_delete=models.CASCADE, related_name="visits")
    visitor = models.CharField(max_length=32, help_text="Hash of the trial and the visitor's cookie.")
    is_challenger = models.BooleanField()
    first_at = models.DateTimeField()
    has_clicked = models.BooleanField(default=False, help_text="Within the time that counts.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["trial", "visitor"], name="one_visit_per_trial_and_visitor")]

    def __str__(self) -> str:
        return f"{self.visitor[:8]} in {self.trial_id}"
