"""What nightly learning found, each run, also those that proposed nothing."""

from django.db import models


class LearningRun(models.Model):
    """One run of `learn_ranking`: from what, what it learned, and what became of it."""

    class Outcome(models.TextChoices):
        TOO_LITTLE = "too_little", "Too little to learn from"
        NO_BETTER = "no_better", "No better than today's weights"
        PROPOSED = "proposed", "Proposed"
        PROMOTED = "promoted", "Went live"
        SIMULATED = "simulated", "Learned from simulated shoppers, so not proposed"

    created_at = models.DateTimeField(auto_now_add=True, db_index=True)
    is_simulated = models.BooleanField(default=False)
    outcome = models.CharField(max_length=12, choices=Outcome)
    why = models.CharField(max_length=300, blank=True)
    searches = models.PositiveIntegerField(default=0, help_text="With a click or with verdicts that differ.")
    clicks = models.PositiveIntegerField(default=0)
    verdicts = models.PositiveIntegerField(default=0)
    before = models.JSONField(default=dict, help_text="Part of the score -> weight.")
    after = models.JSONField(default=dict)
    report = models.JSONField(
        default=dict, help_text="Gains on held-out searches with intervals; propensities by rank."
    )
    version = models.CharField(max_length=120, blank=True, help_text="Name of the version that was proposed.")

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.outcome}, {self.created_at:%Y-%m-%d %H:%M}"
