"""What the text tower reads: its tokenizer, and the captions that pictures are paired with."""

from collections.abc import Iterable

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from embeddings.training.dataset import Picture

PAD, BOS, EOS = "<|pad|>", "<|bos|>", "<|eos|>"  # ids 0, 1, 2: text_cfg's pad_id and eos_id
TOKENIZER_NAME = "tokenizer.json"
CONTEXT_LENGTH = 32  # the longest of 4,019 titles has 21 tokens


def train_tokenizer(texts: Iterable[str], *, vocabulary: int = 4096) -> Tokenizer:
    """Returns a byte-level BPE learned from the texts: new words fall apart into known pieces, none is lost.

    Case, accents and compatibility forms are dropped. Ids are padded and cut to CONTEXT_LENGTH.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=[PAD, BOS, EOS],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A {EOS}", special_tokens=[(BOS, 1), (EOS, 2)]
    )
    tokenizer.enable_truncation(CONTEXT_LENGTH)
    tokenizer.enable_padding(length=CONTEXT_LENGTH, pad_id=0, pad_token=PAD)
    return tokenizer


def caption(picture: Picture, dice: np.random.Generator) -> str:
    """Returns one way to say what the picture shows: its title, a part of it, or its attributes as people search."""
    title = picture.title.split()
    words = [word for word in picture.words if word]
    style = dice.random()
    if not title or (words and style < 0.3):
        some = [word for word in words if dice.random() < 0.8] or words or [picture.category]
        if dice.random() < 0.3 and picture.category:
            some = [*some[:-1], picture.category]
        return " ".join(some)
    if style < 0.6 and len(title) > 3:
        kept = [word for word in title if dice.random() < 0.75]
        return " ".join(kept or title)
    return picture.title
