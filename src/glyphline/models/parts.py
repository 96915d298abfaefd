"""Encoders and decoders by name or by size: what the trocr family is put together from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, DeiTConfig, RobertaConfig

from glyphline.models.canvas import Canvas
from glyphline.models.card import Card
from glyphline.models.positions import fit_positions, grid_of, sinusoids
from glyphline.models.tokenizer import start_and_end
from glyphline.settings import InputError

if TYPE_CHECKING:
    from glyphline.models.families.trocr import Settings


POSITION_SCALE = 0.3
"""Amplitude of the sinusoids that positions start from, beside patches of about 0.6."""


def make_encoder(settings: Settings, canvas: Canvas) -> nn.Module:
    """Return the vision encoder that trocr's `settings` ask for, fitted to the canvas."""
    if settings.encoder:
        encoder = pretrained(AutoModel, settings.encoder)
        fit_positions(encoder, canvas)
        return encoder
    if canvas.height % settings.patch_height or canvas.width % settings.patch_width:
        raise InputError(
            f"canvas {canvas.height}x{canvas.width} is no multiple of the patch "
            f"{settings.patch_height}x{settings.patch_width}; change canvas or patch"
        )
    config = DeiTConfig(
        image_size=[canvas.height, canvas.width],
        patch_size=[settings.patch_height, settings.patch_width],
        hidden_size=settings.encoder_size,
        num_hidden_layers=settings.encoder_layers,
        num_attention_heads=settings.encoder_heads,
        intermediate_size=4 * settings.encoder_size,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=0.0,
    )
    return _start_well(AutoModel.from_config(config))


def _start_well(encoder: nn.Module) -> nn.Module:
    """Give random weights a start from which lines are learnt: positions as sinusoids, patches at full scale."""
    embeddings = encoder.embeddings
    rows, columns = grid_of(encoder.config)
    with torch.no_grad():
        table = sinusoids(rows, columns, encoder.config.hidden_size)
        embeddings.position_embeddings[:, -rows * columns :] = POSITION_SCALE * table
        nn.init.xavier_uniform_(embeddings.patch_embeddings.projection.weight.flatten(1))
    return encoder


def make_decoder(settings: Settings, card: Card, tokenizer: Any) -> nn.Module:  # noqa: ANN401
    """Return the text decoder that trocr's `settings` ask for, with cross attention and room for the limit."""
    start, end, pad = start_and_end(tokenizer)
    if settings.decoder:
        config = pretrained(AutoConfig, settings.decoder)
        config.is_decoder, config.add_cross_attention = True, True
        decoder = pretrained(AutoModelForCausalLM, settings.decoder, config=config)
        if len(tokenizer) > decoder.config.vocab_size:
            decoder.resize_token_embeddings(len(tokenizer))
        room = decoder.config.max_position_embeddings - pad - 1
        if card.max_length > room:
            raise InputError(f"max_length {card.max_length}: {settings.decoder} has positions for {room} tokens")
        return decoder
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=settings.decoder_size,
        num_hidden_layers=settings.decoder_layers,
        num_attention_heads=settings.decoder_heads,
        intermediate_size=4 * settings.decoder_size,
        max_position_embeddings=card.max_length + pad + 2,
        type_vocab_size=1,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=0.0,
        bos_token_id=start,
        eos_token_id=end,
        pad_token_id=pad,
        is_decoder=True,
        add_cross_attention=True,
    )
    return AutoModelForCausalLM.from_config(config)


def pretrained(loader: Any, name: str, **kwargs: Any) -> Any:  # noqa: ANN401
    """Load a checkpoint by hub name or folder. InputError names it and the remedy where that fails."""
    try:
        return loader.from_pretrained(name, **kwargs)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise InputError(f"checkpoint {name!r}: cannot be loaded ({first}); give a folder or a hub name") from error
