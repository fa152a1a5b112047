"""The tokenizer and the captions."""

import numpy as np
import pytest

from embeddings.training.dataset import read_products
from embeddings.training.text import CONTEXT_LENGTH, EOS, caption, train_tokenizer

TITLES = ["Nike Men White Running Shoes", "Puma Women Red Dress", "Nike Women Black Leather Handbag"] * 3


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(TITLES, vocabulary=400)


@pytest.mark.parametrize("text", ["", "xylophone", "Müller & Söhne", "👠 鞋", "a\tb\n c", "<|pad|>", "x" * 500])
def test_every_text_is_read_to_an_end_and_padded_to_length(tokenizer, text):
    ids = tokenizer.encode(text).ids
    assert len(ids) == CONTEXT_LENGTH
    assert ids[0] == 1
    assert ids.count(tokenizer.token_to_id(EOS)) == 1


def test_known_words_are_single_tokens_and_unknown_ones_fall_apart(tokenizer):
    known, unknown = tokenizer.encode("nike"), tokenizer.encode("qwertz")
    assert sum(known.attention_mask) == 3
    assert sum(unknown.attention_mask) > 4


def test_unknown_words_have_ids_of_their_own(tokenizer):
    assert tokenizer.encode("鞋").ids != tokenizer.encode("靴").ids


def test_case_accents_and_width_do_not_matter(tokenizer):
    assert tokenizer.encode("NIKE \uff37\uff48\uff49\uff54\uff45 drèss").ids == tokenizer.encode("nike white dress").ids


def test_captions_say_only_what_is_known_of_the_picture(products):
    picture, dice = read_products(products)[5], np.random.default_rng(0)
    allowed = {word.casefold() for word in (*picture.title.split(), *picture.words, picture.category)}
    captions = {caption(picture, dice) for _ in range(200)}
    assert picture.title in captions
    assert len(captions) > 5
    assert all(text and {word.casefold() for word in text.split()} <= allowed for text in captions)
