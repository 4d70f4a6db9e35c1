"""One kind of image made of another, from unpaired examples: training, applying, and the proof.

`task = "translate"` of a RUN.toml. `run` trains in the same loop as segmentation, `translator` is
what comes out, `apply` makes a labelled set of one kind of a set of the other, and `report` says of
every image whether its anatomy stayed. Applying needs no torch.
"""
