"""Tokenizers of the decoder: trained here with SentencePiece, or taken from a hub or folder. Nothing is ever [UNK]."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from glyphline.settings import InputError
from glyphline.text import TextRules, normalise

LETTERS = TextRules("NFD", collapse_space=False, drop_invisible=False)
"""Syllables and accented letters come apart, nothing else changes."""
PAD, BOS, EOS, UNK, MASK = "<pad>", "<s>", "</s>", "<unk>", "<mask>"


@dataclass(frozen=True)
class TokenizerSettings:
    """Which tokenizer the decoder writes with."""

    kind: Literal["char", "unigram", "jamo", "hub"] = "char"
    """`char`, `unigram` and `jamo` are trained on the train split; `hub` takes `name` as it is. `jamo` writes every
    Hangul syllable as its two or three letters (and é as e and its accent): few tokens, long texts."""
    name: str | None = None
    """Hub name or folder of the tokenizer, for `hub`."""
    vocab_size: int = 8000
    """Pieces of a `unigram` tokenizer; `char` and `jamo` take every character of the corpus."""


def train_tokenizer(texts: Iterable[str], settings: TokenizerSettings) -> Any:  # noqa: ANN401
    """Train a SentencePiece model with byte fallback on texts and return it as a fast transformers tokenizer."""
    import sentencepiece
    from transformers import AddedToken

    is_jamo, has_breaks = settings.kind == "jamo", False
    lines: list[str] = []
    for text in texts:
        has_breaks = has_breaks or "\n" in text
        lines += [normalise(line, LETTERS) if is_jamo else line for line in text.split("\n") if line]
    if not lines:
        raise InputError("no text to train a tokenizer on: the train split is empty")
    characters = len({character for line in lines for character in line})
    sink = io.BytesIO()
    options: dict[str, Any] = {"model_type": settings.kind, "vocab_size": settings.vocab_size}
    if settings.kind != "unigram":
        options["model_type"], options["vocab_size"] = "char", characters + 256 + 8
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=sink,
        character_coverage=1.0,
        byte_fallback=True,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        split_digits=True,
        hard_vocab_limit=False,
        num_threads=1,  # more threads make the pieces depend on their timing
        minloglevel=2,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        **options,
    )
    tokenizer = _fast(sentencepiece.SentencePieceProcessor(model_proto=sink.getvalue()), is_jamo)
    if has_breaks:  # of pages: a token of its own, whatever stands around it
        tokenizer.add_tokens([AddedToken("\n", normalized=False)])
    return tokenizer


def _fast(model: Any, is_jamo: bool) -> Any:  # noqa: ANN401
    """Convert a SentencePiece model into a `tokenizers` Unigram: same pieces, scores and byte fallback."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = [(model.id_to_piece(i), model.get_score(i)) for i in range(model.get_piece_size())]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=model.unk_id(), byte_fallback=True))
    if is_jamo:
        tokenizer.normalizer = normalizers.NFD()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="never", split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A {EOS}", special_tokens=[(BOS, model.bos_id()), (EOS, model.eos_id())]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=BOS, eos_token=EOS, unk_token=UNK,
        clean_up_tokenization_spaces=False,
    )  # fmt: skip


def hub_tokenizer(name: str) -> Any:  # noqa: ANN401
    """Load a tokenizer by hub name or folder. InputError names it and the remedy where that fails."""
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(name)
    except (OSError, ValueError, ImportError) as error:
        raise InputError(f"tokenizer {name!r}: cannot be loaded ({_first_line(error)})") from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def start_and_end(tokenizer: Any) -> tuple[int, int, int]:  # noqa: ANN401
    """Return the ids (start, end, pad): bos or cls, eos or sep, pad. InputError where the tokenizer has none."""
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.cls_token_id
    end = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id
    if start is None or end is None or tokenizer.pad_token_id is None:
        raise InputError(f"tokenizer {tokenizer.name_or_path!r} needs start, end and padding tokens")
    return start, end, tokenizer.pad_token_id


def encode_labels(tokenizer: Any, texts: list[str]) -> list[list[int]]:  # noqa: ANN401
    """Return label ids of each text: its tokens and one end token; no start token, which the decoder adds itself."""
    end = start_and_end(tokenizer)[1]
    return [[*ids, end] for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]]


def is_by_character(tokenizer: Any, characters: str) -> bool:  # noqa: ANN401
    """Return whether a tokenizer writes one token for each of `characters`, and never one for several."""
    bytes_ = {f"<0x{value:02X}>" for value in range(256)}
    pieces = set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens) - bytes_
    ids = tokenizer(characters, add_special_tokens=False)["input_ids"]
    return all(len(piece) == 1 for piece in pieces) and len(ids) == len(characters)


def unknown_characters(tokenizer: Any, characters: str) -> str:  # noqa: ANN401
    """Return the characters that a tokenizer has no token for: it would write [UNK] or single bytes."""
    unknown = []
    for character, ids in zip(
        characters, tokenizer(list(characters), add_special_tokens=False)["input_ids"], strict=True
    ):
        tokens = tokenizer.convert_ids_to_tokens(ids)
        if tokenizer.unk_token_id in ids or any(_BYTE.fullmatch(token) for token in tokens):
            unknown.append(character)
    return "".join(unknown)


_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
