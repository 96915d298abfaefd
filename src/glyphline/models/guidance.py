"""CTC's alignment as a teacher of the decoder's attention.

A decoder from random weights learns the language long before it learns where to look. CTC knows where each character
is, so a further loss draws the cross attention there: guided attention (Tachibana et al., ICASSP 2018) with the
alignment of a CTC branch (Inaguma and Kawahara, IEEE/ACM TASLP 2021) instead of a diagonal.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn.functional import pad

from glyphline.models.ctc import BLANK

REACH = 1.5
"""Columns beside a character's middle that count as being there."""


@torch.no_grad()
def best_alignment(log_probs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the state of each frame on the likeliest alignment (Viterbi), `(B, frames)`.

    `log_probs` `(B, frames, V)`, `labels` `(B, U)` padded with -100. State 2u + 1 is label u, even states are blanks.
    Lines that do not fit their frames have no alignment; what is returned for them means nothing.
    """
    lengths = (labels >= 0).sum(1, keepdim=True)
    states = labels.new_full((len(labels), 2 * labels.shape[1] + 1), BLANK)
    states[:, 1::2] = labels.clamp_min(0)
    emitted = log_probs.gather(2, states[:, None].expand(-1, log_probs.shape[1], -1))
    no_skip = (states[:, 2:] == BLANK) | (states[:, 2:] == states[:, :-2])
    score = emitted[:, 0].clone()
    score[:, 2:] = -torch.inf
    moves = []
    for frame in range(1, log_probs.shape[1]):
        jump = pad(score[:, :-2].masked_fill(no_skip, -torch.inf), (2, 0), value=-torch.inf)
        ways = torch.stack([score, pad(score[:, :-1], (1, 0), value=-torch.inf), jump])
        score, move = ways.max(0)
        score = score + emitted[:, frame]
        moves.append(move)
    last = (2 * lengths - 1).clamp_min(0)
    place = torch.where(score.gather(1, 2 * lengths) >= score.gather(1, last), 2 * lengths, last)
    path = [place]
    for move in reversed(moves):
        path.append(path[-1] - move.gather(1, path[-1]))
    return torch.cat(path[::-1], 1)


def middles(path: torch.Tensor, count: int) -> torch.Tensor:
    """Return the mean frame of each of `count` labels on a path `(B, frames)`, `(B, count)`; NaN where it has none."""
    wanted = 2 * torch.arange(count, device=path.device) + 1
    at = (path[:, None, :] == wanted[None, :, None]).float()
    frames = torch.arange(path.shape[1], device=path.device, dtype=torch.float)
    return (at * frames).sum(2) / at.sum(2)


def attention_loss(
    attentions: Sequence[torch.Tensor],
    log_probs: torch.Tensor,
    labels: torch.Tensor,
    tokens: torch.Tensor,
    rows: int = 1,
) -> torch.Tensor:
    """Return minus the log of the attention at the right columns, summed over characters, averaged over layers.

    `attentions`: one `(B, heads, tokens, rows * columns)` a layer, without special patches; `log_probs`
    `(B, frames, V)` and `labels` `(B, U)` are CTC's, `tokens` `(B, T)` the decoder's, with an end; both are padded with
    -100. Lines that have not one token for each label are passed by.
    """
    told = (tokens != -100).sum(1) - 1 == (labels >= 0).sum(1)
    columns = attentions[0].shape[-1] // rows
    per_column = log_probs.shape[1] // columns
    centres = middles(best_alignment(log_probs, labels), labels.shape[1]) / per_column
    known = (labels >= 0) & told[:, None] & centres.isfinite()
    there = torch.arange(columns, device=labels.device)[None, None] + 0.5 / per_column - 0.5
    near = ((there - centres[..., None]).abs() <= REACH).float()
    total = log_probs.new_zeros(())
    for attention in attentions:
        by_column = attention.float().mean(1)[:, : labels.shape[1]].unflatten(-1, (rows, columns)).sum(2)
        mass = (by_column * near[:, : by_column.shape[1]]).sum(-1)
        total = total - mass.clamp_min(1e-6).log()[known[:, : by_column.shape[1]]].sum()
    return total / len(attentions)
