"""Exports a trained model of ours with its card, beside the checkpoint that it can be trained on from."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from embeddings.training import model
from embeddings.training.export import Export, export
from embeddings.training.train import Trained
from shop_search.model_card import ModelCard

NAME = "shop-search-encoder"
LICENSE = "AGPL-3.0"  # the project's own; the trunk's Apache-2.0 allows it


def ship(trained: Trained, folder: Path, *, version: str, data: Sequence[str], notes: str = "") -> ModelCard:
    """Returns the card of the exported model in `folder`. Raises ServiceError when it can't be converted."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (model.CONFIG_NAME, model.CHECKPOINT_NAME):
        shutil.copyfile(trained.folder / name, folder / name)
    # Read back, so that what is exported are the FP16 numbers of the checkpoint.
    made, config = model.load(folder)
    return export(
        Export(
            model=made.eval(),
            tokenizer=trained.tokenizer,
            clean="none",  # case, accents and width are the tokenizer's own business
            preprocessing=model.preprocessing_of(config),
            dim=int(config["model_cfg"]["embed_dim"]),
            name=NAME,
            version=version,
            license=LICENSE,
            data=tuple(data),
            training=trained.facts,
            notes=notes,
            also={"config": model.CONFIG_NAME, "checkpoint": model.CHECKPOINT_NAME},
        ),
        folder,
    )
