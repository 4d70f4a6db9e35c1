"""Segmentation -> numbers: volumes, function, agreement, plausibility. numpy and scipy only.

Each module is imported by its name: what begins with a model, or measures one study, does not wait
for the others.
"""
