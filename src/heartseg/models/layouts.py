"""How three libraries name the same encoder's weights.

torchvision, timm and segmentation-models-pytorch hold the same ResNets and VGG-16 under the same
names. Of MobileNetV2 timm names differ, of EfficientNet all three do. What is read is renamed to
the names of segmentation-models-pytorch, which are torchvision's but for EfficientNet.

Both others number blocks within a stage, the target numbers them throughout; so a block's number is
its place in the order of (stage, block).
"""

import re
from collections.abc import Iterable, Mapping

Renamed = dict[str, str]

HEADS = re.compile(r"(fc|_fc|classifier|head|head\.fc|pre_logits\.fc[12])(\.\d+)?\.(weight|bias)")
"""The classifier of an ImageNet network, by all its names."""

_BLOCK = re.compile(r"(?:blocks|features)\.(\d+)\.(\d+)\.(?:block\.)?(.+)")

_STEM = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head", "bn2": "_bn1"}
_STEM_TORCHVISION = {
    "features.0.0": "_conv_stem",
    "features.0.1": "_bn0",
    "features.8.0": "_conv_head",
    "features.8.1": "_bn1",
}
_SEPARABLE = {
    "conv_dw": "_depthwise_conv",
    "bn1": "_bn1",
    "se.conv_reduce": "_se_reduce",
    "se.conv_expand": "_se_expand",
    "conv_pw": "_project_conv",
    "bn2": "_bn2",
}
_INVERTED = {
    "conv_pw": "_expand_conv",
    "bn1": "_bn0",
    "conv_dw": "_depthwise_conv",
    "bn2": "_bn1",
    "se.conv_reduce": "_se_reduce",
    "se.conv_expand": "_se_expand",
    "conv_pwl": "_project_conv",
    "bn3": "_bn2",
}
_SEPARABLE_TORCHVISION = {
    "0.0": "_depthwise_conv",
    "0.1": "_bn1",
    "1.fc1": "_se_reduce",
    "1.fc2": "_se_expand",
    "2.0": "_project_conv",
    "2.1": "_bn2",
}
_INVERTED_TORCHVISION = {
    "0.0": "_expand_conv",
    "0.1": "_bn0",
    "1.0": "_depthwise_conv",
    "1.1": "_bn1",
    "2.fc1": "_se_reduce",
    "2.fc2": "_se_expand",
    "3.0": "_project_conv",
    "3.1": "_bn2",
}
_MOBILE_STEM = {
    "conv_stem": "features.0.0",
    "bn1": "features.0.1",
    "conv_head": "features.18.0",
    "bn2": "features.18.1",
}
_MOBILE_SEPARABLE = {"conv_dw": "0.0", "bn1": "0.1", "conv_pw": "1", "bn2": "2"}
_MOBILE_INVERTED = {
    "conv_pw": "0.0",
    "bn1": "0.1",
    "conv_dw": "1.0",
    "bn2": "1.1",
    "conv_pwl": "2",
    "bn3": "3",
}


def encoder_names(names: Iterable[str], encoder: str) -> Renamed:
    """Name in a file -> name in the encoder, classifiers left out.

    Names that no rule knows stay as they are, for the caller to complain about.

    Args:
        names: of a state dict.
        encoder: "resnet34", "efficientnet-b0", "mobilenet_v2", "vgg16" ...
    """
    kept = [name for name in names if not HEADS.fullmatch(name)]
    if encoder.startswith("efficientnet") and "conv_stem.weight" in kept:
        return _renamed(kept, _STEM, (_SEPARABLE, _INVERTED), "_blocks.{}.")
    if encoder.startswith("efficientnet") and "features.0.0.weight" in kept:
        tables = (_SEPARABLE_TORCHVISION, _INVERTED_TORCHVISION)
        return _renamed(kept, _STEM_TORCHVISION, tables, "_blocks.{}.")
    if encoder == "mobilenet_v2" and "conv_stem.weight" in kept:
        tables = (_MOBILE_SEPARABLE, _MOBILE_INVERTED)
        return _renamed(kept, _MOBILE_STEM, tables, "features.{}.conv.", first=1)
    return {name: name for name in kept}


def _renamed(
    names: list[str],
    stem: Mapping[str, str],
    tables: tuple[Mapping[str, str], Mapping[str, str]],
    block: str,
    first: int = 0,
) -> Renamed:
    """`tables` are of the first stage, whose blocks do not expand, and of the others."""
    places = _places(name for name in names if _split(name)[0] not in stem)
    first_stage = min((stage for stage, _ in places), default=0)
    out = {}
    for name in names:
        part, kind = _split(name)
        found = _BLOCK.fullmatch(part)
        out[name] = name
        if part in stem:
            out[name] = f"{stem[part]}.{kind}"
        elif found:
            place = (int(found[1]), int(found[2]))
            table = tables[0] if place[0] == first_stage else tables[1]
            if found[3] in table:
                out[name] = f"{block.format(places[place] + first)}{table[found[3]]}.{kind}"
    return out


def _places(names: Iterable[str]) -> dict[tuple[int, int], int]:
    found = (_BLOCK.fullmatch(name) for name in names)
    places = sorted({(int(match[1]), int(match[2])) for match in found if match})
    return {place: number for number, place in enumerate(places)}


def _split(name: str) -> tuple[str, str]:
    part, _, kind = name.rpartition(".")
    return part, kind
