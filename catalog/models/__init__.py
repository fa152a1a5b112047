"""The catalog's tables.

    Merchant 1─* Product 1─* ProductImage        Category 1─* Product
             1─* ApiKey          │
          pending ──index──> indexed             SearchRecord: one answered search
             └─────fail────> failed ──retry──> pending

The database is the truth; the vector store holds one point per indexed image and can be rebuilt from here. What the
store has yet to hear of is kept in the same transaction that changed it: `ProductImage.payload_due`, `DroppedPoint`.
"""

from catalog.models.agreements import AgreedSearch
from catalog.models.allowances import FeedMapping, MerchantQuota
from catalog.models.audit import AuditEntry
from catalog.models.bands import BandCalibration
from catalog.models.corrections import Correction
from catalog.models.curation import Curation
from catalog.models.doctor import Checkup, Finding, PictureCheck
from catalog.models.insights import Impression
from catalog.models.jobs import Job, Night
from catalog.models.learning import LearningRun
from catalog.models.merchants import ApiKey, Member, Merchant, WidgetKey
from catalog.models.moderation import BlockedFile, BlockedPhoto, TakenPicture
from catalog.models.operations import Backup, Worker
from catalog.models.pauses import Pause
from catalog.models.products import Category, DroppedPoint, Product, ProductImage
from catalog.models.review import Measurement, SightVerdict, Verdict
from catalog.models.searches import Feedback, SearchRecord
from catalog.models.simulation import KnownAnswer
from catalog.models.summaries import SearchSummary
from catalog.models.taxonomy import CategoryName
from catalog.models.uploads import AwaitedImage, RemotePicture, Upload, UploadError
from catalog.models.versions import Comparison, LiveVersion, SidePoint, Switch, Trial, TrialVisit, Version
from catalog.models.webhooks import Delivery, Webhook

__all__ = [
    "AgreedSearch",
    "ApiKey",
    "AuditEntry",
    "AwaitedImage",
    "Backup",
    "BandCalibration",
    "BlockedFile",
    "BlockedPhoto",
    "Category",
    "CategoryName",
    "Checkup",
    "Comparison",
    "Correction",
    "Curation",
    "Delivery",
    "DroppedPoint",
    "FeedMapping",
    "Feedback",
    "Finding",
    "Impression",
    "Job",
    "KnownAnswer",
    "LearningRun",
    "LiveVersion",
    "Measurement",
    "Member",
    "Merchant",
    "MerchantQuota",
    "Night",
    "Pause",
    "PictureCheck",
    "Product",
    "ProductImage",
    "RemotePicture",
    "SearchRecord",
    "SearchSummary",
    "SidePoint",
    "SightVerdict",
    "Switch",
    "TakenPicture",
    "Trial",
    "TrialVisit",
    "Upload",
    "UploadError",
    "Verdict",
    "Version",
    "Webhook",
    "WidgetKey",
    "Worker",
]
