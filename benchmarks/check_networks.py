"""Every network of the table, checked whole: what the tests do for a few, for all.

    python benchmarks/check_networks.py [--only PATTERN] [--again]

One process a network, so that one which breaks or fills the memory takes nothing along. Each gives
one line of results/checks/networks.csv as soon as it is done; started again, the script goes on
with those that did not pass. Two planes of the smallest legal size, seed 3, four classes:

- *gradient*: weights that no gradient reached in eight training steps (regularisation drops
  blocks at random, so one step does not tell);
- *loaded*: the logits of a fresh network with the saved weights are the same, to the bit;
- *engine*: OpenVINO in f32 on the exported file, at another size and number of planes than the
  file was made with: largest difference, as a share of the largest |logit|;
- *bundle*: the bundle of the float16 file loads, and the torch runtime rebuilds the same network
  from `model.toml` and the file alone: largest difference from the rounded weights' own logits;
- *halved*: steps of Adam at 1e-3 until the loss on two images is half of the first.

A line passes with no weight without gradient, equal logits, both differences below 1e-4, and the
loss halved within the `overfit_steps` of the network's description.
"""

import argparse
import os
import tempfile
import time
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
from network_lines import in_own_process, write_line
from rows import RESULTS, commit, csv_lines, today

CLOSE = 1e-4
HALF = 0.5
CLASSES = 4
SEED = 3


@dataclass(frozen=True, kw_only=True)
class Line:
    """A network's line; the columns are explained above."""

    date: str
    commit: str
    network: str
    parameters: str = "-"
    size: str = "-"
    gradient: str = "-"
    loaded: str = "-"
    engine: str = "-"
    bundle: str = "-"
    halved: str = "-"
    seconds: str
    passed: str


FILE = RESULTS / "checks" / "networks.csv"


def main() -> None:
    """Check what has no line yet."""
    options = _options()
    if options.one:
        write_line(FILE, _line(options.one))
        return
    from heartseg.models import ARCHITECTURES

    done = set() if options.again else _passed()
    left = [n for n in ARCHITECTURES if fnmatch(n, options.only) and n not in done]
    for number, name in enumerate(left, start=1):
        print(f"{number}/{len(left)} {name}", flush=True)
        _checked(name)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="check every network of the table")
    parser.add_argument("--only", default="*", help="names, with * and ?")
    parser.add_argument("--again", action="store_true", help="those that passed, too")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


def _passed() -> set[str]:
    return {line["network"] for line in csv_lines(FILE) if line["passed"] == "yes"}


def _checked(name: str) -> None:
    """In a process of its own; a line that says why where that wrote none."""
    began = time.monotonic()
    reason = in_own_process(__file__, name)
    if reason:
        seconds = f"{time.monotonic() - began:.0f}"
        said = f"no: {reason}"
        line = Line(date=today(), commit=commit(), network=name, seconds=seconds, passed=said)
        write_line(FILE, line)


def _line(name: str) -> Line:
    from heartseg.models import ARCHITECTURES

    began = time.monotonic()
    described = ARCHITECTURES[name]
    count = sum(weight.numel() for weight in _fresh(described).parameters())
    dead = _without_gradient(described)
    loaded = _loads_again(described)
    engine, bundle = _exported(name, described)
    halved = _steps_to_halve(described)
    good = not dead and loaded and max(engine, bundle) < CLOSE and halved is not None
    return Line(
        date=today(),
        commit=commit(),
        network=name,
        parameters=str(count),
        size="x".join(map(str, described.smallest_size)),
        gradient=str(len(dead)) if len(dead) != 1 else f"1 ({dead[0]})",
        loaded="equal" if loaded else "different",
        engine=f"{engine:.1e}",
        bundle=f"{bundle:.1e}",
        halved="never" if halved is None else str(halved),
        seconds=f"{time.monotonic() - began:.0f}",
        passed="yes" if good else "no",
    )


def _fresh(described: Any, seed: int = SEED) -> Any:
    import torch

    torch.manual_seed(seed)
    return described.build(1, CLASSES)


def _pixels(count: int, size: tuple[int, ...], seed: int = 1) -> Any:
    import torch

    noise = np.random.default_rng(seed).random((count, 1, *size), dtype=np.float32)
    return torch.from_numpy(noise)


def _outputs(answer: Any) -> tuple[Any, ...]:
    from heartseg.models.answer import edges_of, regions_of

    edges = edges_of(answer)
    return regions_of(answer) if edges is None else (*regions_of(answer), edges)


def _without_gradient(described: Any) -> list[str]:
    network = _fresh(described).train()
    left = dict(network.named_parameters())
    for step in range(8):
        network.zero_grad()
        outputs = _outputs(network(_pixels(2, described.smallest_size, seed=step)))
        sum((logits * 7 + 1).cos().sum() for logits in outputs).backward()
        for name in list(left):
            reached = left[name].grad
            if reached is not None and reached.abs().max() > 0:
                del left[name]
        if not left:
            break
    return list(left)


def _settled(described: Any) -> Any:
    """With batch statistics that matter, ready to infer."""
    import torch

    network = _fresh(described).train()
    with torch.no_grad():
        network(_pixels(4, described.smallest_size) * 3)
    return network.eval()


def _loads_again(described: Any) -> bool:
    import torch

    network, other = _settled(described), _fresh(described, seed=9).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "weights.pt"
        torch.save(network.state_dict(), path)
        other.load_state_dict(torch.load(path, weights_only=True))
    planes = _pixels(1, described.smallest_size)
    with torch.inference_mode():
        return bool(torch.equal(network(planes), other(planes)))


def _exported(name: str, described: Any) -> tuple[float, float]:
    """Differences of the engine, and of the network rebuilt from a bundle."""
    import torch

    from heartseg.models.architecture import legal_size
    from heartseg.segment.openvino_runtime import import_openvino
    from heartseg.train.export import compress_to_float16, export_onnx

    network = _settled(described)
    axes, free = described.dimensions, described.free_export
    made = legal_size(described, (1,) * axes) if free else described.native_size
    onnx = export_onnx(network, 1, made, free=free)
    planes = _pixels(3, legal_size(described, tuple(range(axes))) if free else made)
    with torch.inference_mode():
        wanted = network(planes).numpy()
    core = import_openvino().Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    found = core.compile_model(core.read_model(onnx), "CPU", exact)({"pixels": planes.numpy()})[0]
    engine = float(np.abs(found - wanted).max() / np.abs(wanted).max())
    return engine, _bundled(name, described, compress_to_float16(onnx), planes)


def _bundled(name: str, described: Any, onnx: bytes, planes: Any) -> float:
    """Largest difference between a bundle in torch and in OpenVINO, both f32 from float16."""
    import torch

    from heartseg.config import to_table
    from heartseg.core.anatomy import Structure
    from heartseg.core.study import Modality, View
    from heartseg.models.architecture import per_axis
    from heartseg.prepare import Preparation
    from heartseg.segment import Description, load_bundle, write_bundle
    from heartseg.segment.openvino_runtime import import_openvino
    from heartseg.segment.torch_runtime import load_network
    from heartseg.train.shown import window_of

    description = Description(
        name="check",
        version="0",
        licence="CC0",
        modality=Modality.MR,
        view=View.SAX,
        structures=tuple(Structure)[:CLASSES],
        architecture={"name": name, **to_table(described.deployed)},
        preparation=Preparation(stride=max(per_axis(described.stride, described.dimensions)[-2:])),
        window=window_of(described),
    )
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(Path(folder) / "check", onnx, description)
        bundle = load_bundle(Path(folder) / "check")
        network = load_network(bundle).eval()
    with torch.inference_mode():
        wanted = network(planes).numpy()
    core = import_openvino().Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(bundle.onnx), "CPU", exact)
    found = compiled({"pixels": planes.numpy()})[0]
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def _steps_to_halve(described: Any) -> int | None:
    """Steps until two images are half learnt; None when `overfit_steps` are not enough."""
    import torch

    from heartseg.models.architecture import output_size

    size = output_size(described, described.smallest_size)
    network = _fresh(described).train()
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    truth = _discs(size)
    planes = _pixels(2, described.smallest_size) * 0.2
    inner = tuple(
        slice((whole - part) // 2, (whole - part) // 2 + part)
        for whole, part in zip(described.smallest_size, size, strict=True)
    )
    planes[(slice(None), 0, *inner)] += 0.3 * truth
    first = float("nan")
    for step in range(described.overfit_steps + 1):
        outputs = _outputs(network(planes))
        loss = _loss(outputs, truth)
        if step == 0:
            first = float(loss.detach())
        elif float(loss.detach()) <= HALF * first:
            return step
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return None


def _loss(outputs: tuple[Any, ...], truth: Any) -> Any:
    """Cross-entropy, averaged over the depths that are supervised."""
    import torch

    total = 0
    for logits in outputs:
        size = logits.shape[2:]
        smaller = torch.nn.functional.interpolate(truth[:, None].float(), size=size)[:, 0].long()
        total = total + torch.nn.functional.cross_entropy(logits, smaller)
    return total / len(outputs)


def _discs(size: tuple[int, ...]) -> Any:
    """Two label images: rings about another middle in each, classes 0 to 2."""
    import torch

    axes = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in size), indexing="ij")
    images = []
    for shift in (-0.2, 0.3):
        radius = sum((axis - shift) ** 2 for axis in axes) ** 0.5
        images.append((radius < 0.7).long() + (radius < 0.4).long())
    return torch.stack(images)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
