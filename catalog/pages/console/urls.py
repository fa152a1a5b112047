"""The console's addresses, all for staff."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from catalog.pages.console import (
    audit,
    categories,
    corrections,
    curation,
    curation_blocked,
    operations,
    quality,
    review,
    signing_in,
)

app_name = "console"
urlpatterns = [
    path("", signing_in.home, name="home"),
    path("login/", signing_in.login, name="login"),
    path("logout/", LogoutView.as_view(next_page="console:login"), name="logout"),
    path("review/", review.home, name="review"),
    path("review/undo/", review.take_back, name="undo"),
    path("review/<uuid:search_id>/", review.search, name="search"),
    path("review/<uuid:search_id>/next/", review.after, name="after"),
    path("review/<uuid:search_id>/verdict/", review.verdict, name="verdict"),
    path("review/<uuid:search_id>/sight/", review.sight, name="sight"),
    path("review/<uuid:search_id>/skip/", review.skip, name="skip"),
    path("quality/", quality.home, name="quality"),
    path("quality.csv", quality.as_csv, name="quality_csv"),
    path("operations/", operations.home, name="operations"),
    path("operations/state.json", operations.state, name="operations_state"),
    path("operations/start/", operations.start, name="operations_start"),
    path("operations/jobs/<uuid:job_id>/cancel/", operations.cancel_job, name="operations_cancel"),
    path("audit/", audit.home, name="audit"),
    path("audit.csv", audit.as_csv, name="audit_csv"),
    path("crops/<uuid:search_id>.jpg", review.crop, name="crop"),
    path("review/<uuid:search_id>/correct/", corrections.correct_crop, name="correct_search"),
    path("categories/", categories.home, name="categories"),
    path("categories/new/", categories.new, name="category_new"),
    path("categories/edit/", categories.edit, name="category_edit"),
    path("categories/<str:slug>/label/", categories.label, name="category_label"),
    path("curation/", curation.home, name="curation"),
    path("curation/new/", curation.new, name="curation_new"),
    path("curation/<int:rule_id>/", curation.effect, name="curation_effect"),
    path("curation/<int:rule_id>/remove/", curation.take_back, name="curation_remove"),
    path("blocked/", curation_blocked.home, name="blocked"),
    path("blocked/<int:photo_id>/let-in/", curation_blocked.let_in, name="let_in"),
    path("blocked/<int:photo_id>/picture/", curation_blocked.picture, name="blocked_picture"),
    path("products/", corrections.products, name="products"),
    path("products/<int:product_id>/", corrections.product, name="product"),
    path("products/<int:product_id>/block/", curation_blocked.product, name="block_product"),
    path("products/<int:product_id>/correct/", corrections.correct_product, name="correct_product"),
    path("pictures/<int:image_id>/block/", curation_blocked.photo, name="block_photo"),
    path("pictures/<int:image_id>/correct/", corrections.correct_image, name="correct_image"),
    path("corrections/<int:correction_id>/apply/", corrections.apply_one, name="apply"),
]
