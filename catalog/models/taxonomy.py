"""Names that lead to a category of the shop: slugs it once had, words of merchants, classes of the detector."""

from django.db import models


class CategoryName(models.Model):
    """One name. Without a row a name means what `catalog.words` and the detector say by themselves."""

    class Kind(models.TextChoices):
        SLUG = "slug", "Former slug"
        WORD = "word", "Merchants' word"
        DETECTED = "detected", "Detector class"

    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(max_length=120, help_text="Words in the singular and lower case; slugs as they are.")
    category = models.ForeignKey("catalog.Category", on_delete=models.CASCADE, related_name="names")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["kind", "name"]
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="a_name_leads_to_one_category")]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
