"""Muon and AdamW in one optimiser, against torch's two kept apart, and through a checkpoint."""

import copy

import torch
from torch import nn

from glyphline.training.optimisers import MuonAdamW
from glyphline.training.parameters import parameter_groups
from glyphline.training.settings import OptimisationSettings

SETTINGS = OptimisationSettings(optimiser="muon", learning_rate=0.01, matrix_rate=0.03, weight_decay=0.1)


class Stack(nn.Module):
    """Two layers between an embedding and a head."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.embeddings = nn.Embedding(7, 6)
        self.layers = nn.ModuleList([nn.Linear(6, 6), nn.Linear(6, 6)])
        self.head = nn.Linear(6, 2)

    def forward(self, ids):
        states = self.embeddings(ids)
        for layer in self.layers:
            states = layer(states).tanh()
        return self.head(states).square().sum()


def ours(model):
    decayed = {name for name, weight in model.named_parameters() if weight.ndim == 2}
    return MuonAdamW(parameter_groups(model, SETTINGS, decayed), betas=(0.9, 0.99))


def train(model, optimisers, steps):
    for step in range(steps):
        model(torch.tensor([step % 7, (2 * step) % 7])).backward()
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_as_the_two_optimisers_of_torch():
    mine, theirs = Stack(), Stack()
    matrices = [layer.weight for layer in theirs.layers]
    decayed = [theirs.embeddings.weight, theirs.head.weight]
    plain = [theirs.layers[0].bias, theirs.layers[1].bias, theirs.head.bias]
    muon = torch.optim.Muon(matrices, lr=0.03, weight_decay=0.1, adjust_lr_fn="original")
    adamw = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}], lr=0.01, betas=(0.9, 0.99)
    )
    train(mine, [ours(mine)], 8)
    train(theirs, [muon, adamw], 8)
    assert same(mine, theirs)
    assert not same(mine, Stack())


def test_goes_on_from_its_state():
    whole, halves = Stack(), Stack()
    train(whole, [ours(whole)], 8)
    first = ours(halves)
    train(halves, [first], 7)
    second = ours(halves)
    second.load_state_dict(copy.deepcopy(first.state_dict()))
    train_from = torch.tensor([0, 0])  # the eighth step's input: 7 % 7 and 14 % 7
    halves(train_from).backward()
    second.step()
    assert same(whole, halves)


def test_only_matrices_of_layers_are_orthogonal():
    groups = parameter_groups(Stack(), SETTINGS, set())
    assert [(len(group["params"]), group["lr"]) for group in groups if group.get("orthogonal")] == [(2, 0.03)]
