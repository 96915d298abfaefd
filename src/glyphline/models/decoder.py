"""A transformer decoder for long texts: layers that norm first, positions by line, keys and values kept (cached)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import nn


@dataclass(frozen=True)
class Sizes:
    """What a decoder is made of; `break_id` is the line break's token, -1 where lines are not counted."""

    vocabulary: int
    hidden: int = 256
    layers: int = 6
    heads: int = 4
    inner: int = 1024
    dropout: float = 0.0
    break_id: int = -1


@dataclass
class Cache:
    """What the decoder has computed of a batch so far, one entry a layer; grows with every step."""

    memory: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)
    """Keys and values of the page, `(B, heads, places, D / heads)`."""
    text: list[tuple[torch.Tensor, torch.Tensor]] = field(default_factory=list)
    """Keys and values of the tokens so far, `(B, heads, steps, D / heads)`."""
    steps: int = 0
    breaks: torch.Tensor | None = None
    """Line breaks so far, `(B,)`."""
    since: torch.Tensor | None = None
    """Tokens since the last break, `(B,)`."""
    looks: list[torch.Tensor] | None = None
    """How much each token looks at each place of the page, one `(B, heads, T, places)` a layer; None: not kept."""

    def select(self, rows: torch.Tensor) -> None:
        """Go on with these rows of the batch, in this order; a row may come more than once."""
        self.memory = [(keys[rows], values[rows]) for keys, values in self.memory]
        self.text = [(keys[rows], values[rows]) for keys, values in self.text]
        self.breaks, self.since = self.breaks[rows], self.since[rows]


def encode_places(places: torch.Tensor, size: int) -> torch.Tensor:
    """Return sinusoids `(…, size)` of integer places `(…)`, for any place (Vaswani et al., 2017)."""
    rates = torch.exp(torch.arange(0, size, 2, device=places.device) * (-math.log(10000.0) / size))
    angles = places[..., None].float() * rates
    return torch.cat([angles.sin(), angles.cos()], -1)[..., :size]


class Attention(nn.Module):
    """Attention of several heads whose keys and values may have been computed before."""

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.q_proj, self.k_proj = nn.Linear(size, size), nn.Linear(size, size)
        self.v_proj, self.o_proj = nn.Linear(size, size), nn.Linear(size, size)

    def _split(self, states: torch.Tensor) -> torch.Tensor:
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def keys_values(self, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return keys and values `(B, heads, S, D / heads)` of states `(B, S, D)`."""
        return self._split(self.k_proj(states)), self._split(self.v_proj(states))

    def forward(self, states: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, causal: bool) -> torch.Tensor:
        """Return `(B, T, D)`; with `causal` a token sees itself and those before it."""
        dropped = self.dropout if self.training else 0.0
        queries = self._split(self.q_proj(states))
        mixed = nn.functional.scaled_dot_product_attention(queries, keys, values, dropout_p=dropped, is_causal=causal)
        return self.o_proj(mixed.transpose(1, 2).flatten(2))

    def look(self, states: torch.Tensor, keys: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the same without `causal`, and how much each token looks at each place, `(B, heads, T, S)`."""
        queries = self._split(self.q_proj(states))
        weights = (queries @ keys.transpose(2, 3) / math.sqrt(queries.shape[-1])).softmax(-1)
        mixed = nn.functional.dropout(weights, self.dropout, self.training) @ values
        return self.o_proj(mixed.transpose(1, 2).flatten(2)), weights


class Layer(nn.Module):
    """Self-attention, attention to the page, and two linear layers, each after its norm (Xiong et al., ICML 2020)."""

    def __init__(self, size: int, heads: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.self_attention, self.cross_attention = Attention(size, heads, dropout), Attention(size, heads, dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(size) for _ in range(3))
        self.inner = nn.Sequential(nn.Linear(size, inner), nn.GELU(), nn.Dropout(dropout), nn.Linear(inner, size))
        self.dropout = nn.Dropout(dropout)

    def forward(self, states: torch.Tensor, cache: Cache, number: int) -> torch.Tensor:
        """Return `(B, T, D)`; what layer `number` has in the cache is used and added to."""
        normed = self.norms[0](states)
        keys, values = self.self_attention.keys_values(normed)
        if cache.steps:
            before = cache.text[number]
            keys, values = torch.cat([before[0], keys], 2), torch.cat([before[1], values], 2)
            cache.text[number] = (keys, values)
        else:
            cache.text.append((keys, values))
        states = states + self.dropout(self.self_attention(normed, keys, values, causal=not cache.steps))
        normed = self.norms[1](states)
        if cache.looks is None:
            seen = self.cross_attention(normed, *cache.memory[number], causal=False)
        else:
            seen, weights = self.cross_attention.look(normed, *cache.memory[number])
            cache.looks.append(weights)
        states = states + self.dropout(seen)
        return states + self.dropout(self.inner(self.norms[2](states)))


class TextDecoder(nn.Module):
    """From the tokens so far and the page to the scores of the next token.

    With a `break_id` a token also knows its line and its place in that line, counted by line breaks (the optional
    line-number encoding of Singh and Karayev, ICDAR 2021, and the column beside it).
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        size = sizes.hidden
        self.size, self.break_id = size, sizes.break_id
        self.embedding = nn.Embedding(sizes.vocabulary, size)
        self.layers = nn.ModuleList(Layer(size, sizes.heads, sizes.inner, sizes.dropout) for _ in range(sizes.layers))
        self.norm = nn.LayerNorm(size)
        self.output = nn.Linear(size, sizes.vocabulary)
        self.dropout = nn.Dropout(sizes.dropout)
        if sizes.break_id >= 0:
            self.line_place = nn.Linear(2 * size, size)
        nn.init.normal_(self.embedding.weight, std=1.0 / math.sqrt(size))

    def begin(self, memory: torch.Tensor) -> Cache:
        """Return a cache for pages `(B, places, D)`: their keys and values, computed once."""
        zeros = torch.zeros(memory.shape[0], dtype=torch.long, device=memory.device)
        pairs = [layer.cross_attention.keys_values(memory) for layer in self.layers]
        return Cache(pairs, [], 0, zeros, zeros)

    def embed(self, ids: torch.Tensor, cache: Cache) -> torch.Tensor:
        """Return `(B, T, D)`: tokens, their places, and where in which line they stand; counts lines in the cache."""
        steps = torch.arange(cache.steps, cache.steps + ids.shape[1], device=ids.device)
        states = self.embedding(ids) * math.sqrt(self.size) + encode_places(steps, self.size)
        if self.break_id >= 0:
            lines, columns = self._lines_and_columns(ids, cache)
            states = states + self.line_place(
                torch.cat([encode_places(lines, self.size), encode_places(columns, self.size)], -1)
            )
        return self.dropout(states)

    def _lines_and_columns(self, ids: torch.Tensor, cache: Cache) -> tuple[torch.Tensor, torch.Tensor]:
        """Return line and place in the line of each token `(B, T)`: a break is place 0 of the line that it begins."""
        is_break = ids == self.break_id
        lines = cache.breaks[:, None] + is_break.cumsum(1)
        steps = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        last = torch.where(is_break, steps, -1).cummax(1).values
        columns = torch.where(last < 0, cache.since[:, None] + steps, steps - last)
        cache.breaks, cache.since = lines[:, -1], columns[:, -1] + 1
        return lines, columns

    def forward(self, ids: torch.Tensor, cache: Cache) -> torch.Tensor:
        """Return logits `(B, T, vocabulary)` of the tokens after `ids` `(B, T)`.

        All at once on a fresh cache (teacher forcing), or one token a call: the logits are the same.
        """
        states = self.embed(ids, cache)
        for number, layer in enumerate(self.layers):
            states = layer(states, cache, number)
        cache.steps += ids.shape[1]
        return self.output(self.norm(states))

    @torch.no_grad()
    def attention(self, ids: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
        """Return how much each token looks at each place of the page `(layers, B, heads, T, places)`."""
        cache = self.begin(memory)
        cache.looks = []
        self(ids, cache)
        return torch.stack(cache.looks)
