"""open_clip's tokenizers as a tokenizer.json with the same ids: serving needs neither open_clip nor transformers."""

from typing import Any

from open_clip.tokenizer import HFTokenizer, SigLipTokenizer, SimpleTokenizer
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

from shop_search.errors import InputError

# SimpleTokenizer's own pattern, less the special tokens.
PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
CLEANING = {"_clean_lower": "lower", "_clean_whitespace": "whitespace", "_clean_canonicalize": "canonicalize"}


def converted(tokenizer: Any) -> tuple[Tokenizer, str]:
    """Returns the tokenizer with padding and truncation, and the name of its cleaning step.

    Raises InputError for a tokenizer that can't be converted.
    """
    if isinstance(tokenizer, SimpleTokenizer):
        return _simple(tokenizer), CLEANING[tokenizer.clean_fn.__name__]
    if isinstance(tokenizer, SigLipTokenizer):
        return _fast(tokenizer), "canonicalize"
    if isinstance(tokenizer, HFTokenizer) and not tokenizer.tokenizer_mode and not tokenizer.strip_sep_token:
        return _fast(tokenizer), CLEANING[tokenizer.clean_fn.__name__]
    raise InputError("tokenizer_unknown", f"Can't convert a {type(tokenizer).__name__}: only BPE and fast ones.")


def _simple(tokenizer: SimpleTokenizer) -> Tokenizer:
    sot, eot = "<start_of_text>", "<end_of_text>"
    merges = sorted(tokenizer.bpe_ranks, key=tokenizer.bpe_ranks.__getitem__)
    made = Tokenizer(
        models.BPE(vocab=dict(tokenizer.encoder), merges=merges, end_of_word_suffix="</w>", fuse_unk=False)
    )
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    made.add_special_tokens([sot, eot])
    made.post_processor = processors.TemplateProcessing(
        single=f"{sot} $A {eot}",
        special_tokens=[(sot, tokenizer.encoder[sot]), (eot, tokenizer.encoder[eot])],
    )
    made.enable_truncation(int(tokenizer.context_length or 77))
    made.enable_padding(length=int(tokenizer.context_length or 77), pad_id=0, pad_token="!")
    return made


def _fast(tokenizer: Any) -> Tokenizer:
    """From transformers' fast tokenizers, whose core is this very library."""
    inner = tokenizer.tokenizer
    if not getattr(inner, "is_fast", False):
        raise InputError("tokenizer_unknown", f"{type(inner).__name__} has no fast version that could be stored.")
    made = Tokenizer.from_str(inner.backend_tokenizer.to_str())
    length = int(tokenizer.context_length)
    made.enable_truncation(length)
    made.enable_padding(
        length=length, pad_id=int(inner.pad_token_id), pad_token=str(inner.pad_token), direction=inner.padding_side
    )
    return made
