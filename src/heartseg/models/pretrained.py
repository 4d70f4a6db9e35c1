"""Starting an encoder from weights that somebody trained.

`weights = "imagenet"` asks the library's own loader, which needs the network; a file always works:
safetensors, or a torch state dict, which is read as weights only and never unpickled. Files of
torchvision, timm and segmentation-models-pytorch fit (`layouts.py`).

ImageNet's networks see three colours. Of grey images all three are equal, so the first
convolution's weights are summed over them, and the network answers a grey image as the original
answers its three equal colours. Any other number n of channels gets the sum divided by n: the same
answer when all n channels are equal. Three channels keep the colours.
"""

import pickle
import urllib.request
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from heartseg.core.errors import ConfigError, ModelError
from heartseg.models.layouts import encoder_names

IMAGENET = "imagenet"
LARGEST_WEIGHTS_BYTES = 2 * 2**30
"""EfficientNet-b7, the largest encoder here, has 0.3 GB."""

_COLOURS = 3
_ANSWER_S = 5.0
_COUNTER = "num_batches_tracked"
_WRAPPERS = ("state_dict", "model")
_SHOWN = 6


def start_encoder(
    network: nn.Module, weights: str, *, encoder: str, whole: Collection[str] = ()
) -> None:
    """Load pretrained weights into an encoder, in place.

    Args:
        network: the encoder, of any number of input channels.
        weights: "imagenet" or a file.
        encoder: the library's name of it, "resnet34" or "vgg16".
        whole: names of the untrimmed encoder's weights; those that it lost are not missed.

    Raises:
        ConfigError: there are no such weights for this encoder.
        ModelError: the weights cannot be had, or do not fit.
    """
    if weights == IMAGENET:
        load_encoder(network, fetched(encoder), encoder=encoder, source=IMAGENET, whole=whole)
    else:
        path = Path(weights)
        load_encoder(network, read_weights(path), encoder=encoder, source=path.name, whole=whole)


def load_encoder(
    network: nn.Module,
    weights: Mapping[str, Tensor],
    *,
    encoder: str,
    source: str,
    whole: Collection[str] = (),
) -> None:
    """Put weights by name into an encoder; see `start_encoder`. `source` is for messages.

    Raises:
        ModelError: a weight is missing, unknown or of another shape; nothing was changed then.
    """
    names = encoder_names(weights, encoder)
    given = {names[name]: value for name, value in weights.items() if name in names}
    wanted = network.state_dict()
    first = next(name for name, value in wanted.items() if value.ndim == 4)
    if first in given and given[first].ndim == 4:
        given[first] = for_channels(given[first], wanted[first].shape[1])
    missing = [k for k in wanted if k not in given and not k.endswith(_COUNTER)]
    unknown = [k for k in given if k not in wanted and k not in whole]
    shapes = [k for k, v in wanted.items() if k in given and given[k].shape != v.shape]
    for problem, keys in (("no", missing), ("unknown", unknown), ("another shape of", shapes)):
        if keys:
            raise ModelError(
                f"weights {source}",
                got=f"{problem} {_listed(keys)}",
                allowed=f"weights of {encoder} as torchvision, timm or smp name them",
            )
    network.load_state_dict({k: given[k] for k in wanted if k in given}, strict=False)


def for_channels(kernel: Tensor, channels: int) -> Tensor:
    """A first convolution's kernel (out, 3, y, x) for so many channels: (out, channels, y, x).

    Example:
        >>> for_channels(torch.ones(1, 3, 1, 1), 1).flatten().tolist()
        [3.0]
    """
    if kernel.shape[1] != _COLOURS or channels == _COLOURS:
        return kernel
    return (kernel.sum(1, keepdim=True) / channels).repeat(1, channels, 1, 1)


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a weights file by name, of the encoder alone where it holds a whole network.

    Raises:
        ConfigError: no such file, or another kind of file.
        ModelError: it holds something else, or is broken.
    """
    if not path.is_file():
        do = f'give "{IMAGENET}" or the path of a file'
        raise ConfigError("weights", got=f"no file {path.name}", do=do)
    if path.stat().st_size > LARGEST_WEIGHTS_BYTES:
        got = f"{path.stat().st_size} bytes"
        raise ModelError(
            f"weights {path.name}", got=got, allowed=f"at most {LARGEST_WEIGHTS_BYTES}"
        )
    if path.suffix == ".safetensors":
        return _of_encoder(_read_safetensors(path))
    if path.suffix in {".pt", ".pth"}:
        return _of_encoder(_read_torch(path))
    allowed = ".safetensors, or a torch state dict in .pt or .pth"
    raise ConfigError("weights", got=path.name, allowed=allowed)


def fetched(encoder: str) -> dict[str, Tensor]:
    """ImageNet weights by the library's own loader, from its cache or the network.

    The loader tries for half a minute and tells each attempt; so the network is asked first,
    once and briefly.

    Raises:
        ConfigError: the library has none for this encoder.
        ModelError: they are neither in the cache nor within reach.
    """
    import huggingface_hub as hub
    from segmentation_models_pytorch.encoders import encoders, get_encoder

    settings = encoders.get(encoder, {}).get("pretrained_settings", {}).get(IMAGENET)
    if settings is None:
        do = "leave `weights` out, or give a file"
        raise ConfigError("weights", got=f'"{IMAGENET}" for {encoder}', do=do)
    where = {"repo_id": settings["repo_id"], "revision": settings["revision"]}
    try:
        if not isinstance(hub.try_to_load_from_cache(filename="model.safetensors", **where), str):
            address = hub.hf_hub_url(filename="config.json", **where)
            urllib.request.urlopen(address, timeout=_ANSWER_S).close()
        loaded: dict[str, Tensor] = get_encoder(encoder, weights=IMAGENET).state_dict()
    except (OSError, ValueError) as fault:
        raise ModelError(
            f'weights "{IMAGENET}"',
            got=f"no answer from {hub.constants.ENDPOINT} for {settings['repo_id']}, and no copy "
            f"in its cache ({_reason(fault)})",
            do='use the network once, or a file: weights = "path/to/file.safetensors"',
        ) from fault
    return loaded


def _read_safetensors(path: Path) -> Any:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as fault:
        raise ModelError(f"weights {path.name}", got=str(fault)[:200]) from fault


def _read_torch(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, LookupError, pickle.UnpicklingError) as fault:
        got = f"no plain state dict: {_first_line(fault)[:160]}"
        do = "save network.state_dict(), or use safetensors"
        raise ModelError(f"weights {path.name}", got=got, do=do) from fault


def _of_encoder(content: Any) -> dict[str, Tensor]:
    for wrapper in _WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in content.items()
    ):
        raise ModelError(
            "weights", got="something else than tensors by name", do="save a state dict"
        )
    named = {name.removeprefix("module."): value for name, value in content.items()}
    own = {k.removeprefix("encoder."): v for k, v in named.items() if k.startswith("encoder.")}
    return own or named


def _listed(keys: list[str]) -> str:
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return ", ".join(keys[:_SHOWN]) + more


def _reason(fault: Exception) -> str:
    return _first_line(getattr(fault, "reason", fault))[:80]


def _first_line(fault: object) -> str:
    return next(iter(str(fault).splitlines()), type(fault).__name__)
