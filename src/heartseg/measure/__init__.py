"""Segmentation -> numbers. numpy and scipy only."""
