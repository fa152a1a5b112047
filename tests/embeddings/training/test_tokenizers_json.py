"""CLIP's tokenizer as a file makes the same ids as open_clip's own."""

import pytest

open_clip = pytest.importorskip("open_clip", reason="open_clip comes with the 'train' extra")

from embeddings.tokenization import Tokenizer  # noqa: E402
from embeddings.training.tokenizers_json import converted  # noqa: E402
from shop_search.errors import InputError  # noqa: E402

TEXTS = [
    "",
    "a photo of a cat",
    "Red  DRESS\n\twith\u00a0polka dots",
    "café cafe\u0301",
    "it's the dog's, we'll see what they've got; I'M 'S 'LL",
    "&amp;lt;b&amp;gt; &eacute; &#39; &amp;",
    "\u201ccurly\u201d \u2018quotes\u2019 \u2026",
    "漢字 かな 한글 עברית عربى",
    "👠👗 heels!!! $19.90 50% 1234",
    "\u00c3\u00a9 is mojibake",
    "İstanbul ẞ STRASSE \ufb01ne",
    "x" * 400,
    "word " * 200,
    "<start_of_text> hi <end_of_text>",
    "١٢٣ ² Ⅷ",
    "zero\u200dwidth\u200bspaces",
    "semi;colon,comma.dot--dash__under/slash",
    "\x00\x07 control",
]


@pytest.fixture(scope="module", params=["lower", "whitespace", "canonicalize"])
def both(request, tmp_path_factory):
    theirs = open_clip.SimpleTokenizer(clean=request.param)
    stored, clean = converted(theirs)
    path = tmp_path_factory.mktemp("clip") / "tokenizer.json"
    stored.save(str(path))
    return theirs, Tokenizer(path, clean=clean)


@pytest.mark.parametrize("text", TEXTS)
def test_clips_tokenizer_as_json_makes_the_same_ids(both, text):
    theirs, ours = both
    assert ours([text])[0].tolist() == theirs([text])[0].tolist()


def test_a_model_name_has_its_context_length(tmp_path):
    stored, clean = converted(open_clip.get_tokenizer("ViT-B-32"))
    stored.save(str(tmp_path / "tokenizer.json"))
    assert Tokenizer(tmp_path / "tokenizer.json", clean=clean)([]).shape == (0, 77)


def test_a_tokenizer_of_another_kind_is_refused():
    with pytest.raises(InputError, match="str"):
        converted("not a tokenizer")
