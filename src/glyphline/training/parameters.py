"""Which weights move, and how fast: frozen parts, rates by part and layer, low-rank adapters."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

import torch
from torch import nn

from glyphline.optional import need
from glyphline.settings import InputError
from glyphline.training.optimisers import is_matrix
from glyphline.training.settings import LoraSettings, OptimisationSettings

_LAYER = re.compile(r"^(.*?\.layers?)\.(\d+)\.")
_EMBEDDINGS = re.compile(r"^(.*?)\.?embeddings\.")


def prepare(model: nn.Module, settings: OptimisationSettings) -> None:
    """Insert adapters and freeze what shall not move. InputError for names that no parameter begins with."""
    names = [name for name, _ in model.named_parameters()]
    for key, prefixes in (("freeze", settings.freeze), ("rates", settings.rates)):
        for prefix in prefixes:
            if not any(_begins(name, prefix) for name in names):
                parts = sorted({".".join(name.split(".")[:2]) for name in names})
                raise InputError(f"optimisation.{key}: no weights begin with {prefix!r}; there are {', '.join(parts)}")
    if settings.lora.rank:
        insert_lora(model, settings.lora)
    for name, parameter in model.named_parameters():
        if any(_begins(name, prefix) for prefix in settings.freeze):
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise InputError("optimisation.freeze: nothing is left to train")


def _begins(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def insert_lora(model: nn.Module, settings: LoraSettings) -> None:
    """Put low-rank adapters (Hu et al., ICLR 2022) beside the named linear layers; of the rest only the CTC head moves.

    The head is small, and its characters may be new to the model.
    """
    peft = need("peft", "lora")
    config = peft.LoraConfig(
        r=settings.rank, lora_alpha=settings.alpha, lora_dropout=settings.dropout, target_modules=settings.targets
    )
    linear = sorted({name.rsplit(".", 1)[-1] for name, part in model.named_modules() if isinstance(part, nn.Linear)})
    if not set(settings.targets) & set(linear):
        raise InputError(f"optimisation.lora.targets {settings.targets}: there are {', '.join(linear)}")
    peft.inject_adapter_in_model(config, model)
    for name, parameter in model.named_parameters():
        parameter.requires_grad_("lora_" in name or _begins(name, "ctc_head"))


def merge_lora(model: nn.Module) -> None:
    """Add the adapters to the weights they stand beside and remove them: the model's shape is the old one again."""
    for name, part in list(model.named_modules()):
        if hasattr(part, "get_base_layer") and hasattr(part, "merge"):
            part.merge()
            setattr(model.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2], part.get_base_layer())


def moving_weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Return the parameters that training changes, by name."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def parameter_groups(
    model: nn.Module, settings: OptimisationSettings, decayed: Collection[str]
) -> list[dict[str, Any]]:
    """Return the optimiser's groups: a learning rate a part and layer, weight decay only for `decayed` names, and with
    `muon` whether the group's weights are matrices that it moves."""
    names = list(moving_weights(model))
    factors = rate_factors(names, settings.rates, settings.layer_decay)
    groups: dict[tuple[float, bool, bool], list[nn.Parameter]] = {}
    for name, parameter in moving_weights(model).items():
        orthogonal = settings.optimiser == "muon" and is_matrix(name, parameter)
        groups.setdefault((factors[name], name in decayed, orthogonal), []).append(parameter)
    return [
        {
            "params": parameters,
            "lr": (settings.matrix_rate if orthogonal else settings.learning_rate) * factor,
            "weight_decay": settings.weight_decay if is_decayed else 0.0,
            **({"orthogonal": True} if orthogonal else {}),
        }
        for (factor, is_decayed, orthogonal), parameters in sorted(groups.items(), key=itemgetter(0), reverse=True)
    ]


def rate_factors(names: Sequence[str], rates: Mapping[str, float], layer_decay: float) -> dict[str, float]:
    """Return each parameter's factor of the learning rate: that of the longest prefix in `rates`, times `layer_decay`
    for every layer between it and the top of its stack (Clark et al., ELECTRA, ICLR 2020)."""
    depths: dict[str, int] = {}
    for name in names:
        if found := _LAYER.match(name):
            depths[found[1]] = max(depths.get(found[1], 0), int(found[2]) + 1)
    factors = {}
    for name in names:
        matching = [prefix for prefix in rates if _begins(name, prefix)]
        factor = rates[max(matching, key=len)] if matching else 1.0
        factors[name] = factor * layer_decay ** _layers_above(name, depths)
    return factors


def _layers_above(name: str, depths: Mapping[str, int]) -> int:
    """Return how many layers lie between a parameter and the top: all of its stack for embeddings, 0 for heads."""
    if found := _LAYER.match(name):
        return depths[found[1]] - 1 - int(found[2])
    if found := _EMBEDDINGS.match(name):
        return max((depth for stack, depth in depths.items() if _begins(stack, found[1])), default=0)
    return 0
