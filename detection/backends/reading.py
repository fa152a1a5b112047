"""How a card says its detector's input is prepared and its output read: shared by all backends."""

from dataclasses import dataclass

from detection.letterbox import Letterboxed
from detection.suppression import Kept, Known
from detection.types import Detection
from shop_search.errors import ServiceError
from shop_search.model_card import ModelCard

HEAD = "yolov8"  # the raw output that detection/suppression.py reads
# From here on, a thing of the category that a picture is known to show is believed: of 655 catalog photos 629 get their
# box, with the usual confidence 604.
KNOWN_CONFIDENCE = 0.05
MIN_SIDE = 2.0  # pixels; thinner is a rounding accident at the picture's edge


@dataclass(frozen=True, slots=True)
class Reading:
    """The preprocessing block of a detector's card, checked."""

    side: int  # pixels of the square input
    confidence: float
    iou: float
    max_detections: int
    classes: tuple[str, ...]

    @classmethod
    def of(cls, card: ModelCard, *, confidence: float | None = None) -> "Reading":
        """Returns what the card says, with another confidence if given. Raises ServiceError for an unfit card."""
        steps = card.preprocessing
        if card.kind != "detector" or steps.get("head") != HEAD:
            raise ServiceError(
                "model_card_unreadable",
                f"{card.name} is a {card.kind} with head {steps.get('head')!r}; expected a detector with {HEAD!r}.",
            )
        try:
            return cls(
                side=int(steps["side"]),
                confidence=float(steps["confidence"] if confidence is None else confidence),
                iou=float(steps["iou"]),
                max_detections=int(steps["max_detections"]),
                classes=card.classes,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ServiceError("model_card_unreadable", f"The card of {card.name} lacks {error}.") from error

    def known(self, category: str | None) -> Known | None:
        """Returns what a picture is known to show, None when that is nothing this detector knows."""
        if category not in self.classes:
            return None
        return Known(self.classes.index(category), min(KNOWN_CONFIDENCE, self.confidence))

    def detections(self, square: Letterboxed, kept: Kept) -> list[Detection]:
        """Returns what was kept, in the picture's own pixels."""
        boxes = square.unmap(kept.boxes)
        return [
            Detection(
                xyxy=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
                category=self.classes[index],
                confidence=float(confidence),
            )
            for box, index, confidence in zip(boxes, kept.classes, kept.confidences, strict=True)
            if min(box[2] - box[0], box[3] - box[1]) >= MIN_SIDE
        ]
