"""Losses: plain functions of one mode each.

Logits (n, classes, y, x), probabilities (n, classes, y, x), truth (n, y, x) of class indices.
"""

from heartseg.losses.overlap import soft_dice_loss

__all__ = ["soft_dice_loss"]
