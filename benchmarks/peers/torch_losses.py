"""The losses of the method `attent` in plain PyTorch: those of `attent_tf/losses`, as means over the batch, in float32."""

import math

import torch
from torch.nn import functional


def adversarial_loss(logits: torch.Tensor, label: float, kind: str) -> torch.Tensor:
    """What logits cost that do not say `label`: 1 for genuine, 0 for imitated."""
    logits = logits.float()
    if kind == "least_squares":
        return ((logits - label) ** 2).mean()
    return functional.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def self_information_map(logits: torch.Tensor) -> torch.Tensor:
    """−p log p / log C of each class, [batch, classes, height, width]."""
    log_p = functional.log_softmax(logits.float(), dim=1)
    return -log_p.exp() * log_p / math.log(logits.shape[1])


def entropy_map(logits: torch.Tensor) -> torch.Tensor:
    """Eq. 6, [batch, 1, height, width]."""
    return self_information_map(logits).sum(1, keepdim=True)


def cross_entropy_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Eq. 5, for labels [batch, height, width]."""
    return functional.cross_entropy(logits.float(), labels)


def dice_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """One minus the soft Dice coefficient, averaged over the structures that each example shows."""
    probabilities = functional.softmax(logits.float(), dim=1)[:, 1:]
    classes = torch.arange(1, logits.shape[1], device=logits.device).view(1, -1, 1, 1)
    truth = (labels.unsqueeze(1) == classes).float()
    overlap, area = (probabilities * truth).sum((2, 3)), truth.sum((2, 3))
    shown = (area > 0).float()
    lost = shown * (1 - 2 * overlap / (probabilities.sum((2, 3)) + area))
    return (lost.sum(1) / shown.sum(1).clamp(min=1)).mean()
