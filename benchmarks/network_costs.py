"""What every network of the table costs: time and memory, forward and in training.

    python benchmarks/network_costs.py [--only PATTERN] [--again] [--device cuda] [--precision bf16]
                                       [--compile]

One process a network, so that each is measured from a clean start and one that fills the memory
takes nothing along. Each gives a line of results/costs/networks.csv when it is done; started
again, the script goes on with those that have none for this device, precision and hardware.

Padded networks for planes see 256 x 256 pixels; all others their smallest legal input that is no
smaller than 256 x 256, or their paper's own where they lose a margin. Milliseconds are those of an
*image*: 256 x 256 pixels of the answer, so a volume of 16 such slices counts as 16.

- *forward_ms*: torch, one input, in evaluation mode; *openvino_ms*: the same input through the
  exported file, in f32; on the processor only.
- *training_ms*: forward, cross-entropy and backward of as many inputs as the network needs at
  least, but 2 planes (they are divided again).
- *forward_mb*, *training_mb*: most memory above what the process held before the network was
  built: weights, activations, gradients (no optimiser).
- *share*: of the matrix peak, operations of the forward pass a second (two for a multiply-add)
  over what a product of two large matrices reaches in the same precision, just before.

Times are the least of several passes. On a processor they are those of the process's own clock,
with one thread: what other work takes on the machine is no cost of the network. The median stands
beside the least of the forward pass, to tell a disturbed line.
"""

import argparse
import gc
import math
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from statistics import median
from typing import Any

from network_lines import in_own_process, write_line
from rows import RESULTS, commit, csv_lines, hardware, today

SIDE = 256
CLASSES = 4
SEED = 0
PASSES = 7
ENOUGH_S = 2.0
"""No further pass is begun after this long."""
FILE = RESULTS / "costs" / "networks.csv"


@dataclass(frozen=True, kw_only=True)
class Line:
    """A network's line; the columns are explained above."""

    date: str
    commit: str
    network: str
    device: str
    precision: str
    compiled: str
    input: str = "-"
    forward_ms: str = "-"
    forward_median_ms: str = "-"
    openvino_ms: str = "-"
    training_ms: str = "-"
    forward_mb: str = "-"
    training_mb: str = "-"
    peak_gflops: str = "-"
    share: str = "-"
    hardware: str
    problem: str = ""


def main() -> None:
    """Measure what has no line yet, volumes last."""
    options = _options()
    if options.one:
        write_line(FILE, _measured(options.one, options))
        return
    from heartseg.models import ARCHITECTURES

    done = set() if options.again else _done(options)
    left = [n for n in ARCHITECTURES if fnmatch(n, options.only) and n not in done]
    left.sort(key=lambda name: ARCHITECTURES[name].dimensions)
    for number, name in enumerate(left, start=1):
        print(f"{number}/{len(left)} {name}", flush=True)
        _costed(name, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="time and memory of every network of the table")
    parser.add_argument("--only", default="*", help="names, with * and ?")
    parser.add_argument("--again", action="store_true", help="those that have a line, too")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--compile", action="store_true", help="through torch.compile")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


def _conditions(options: argparse.Namespace) -> dict[str, str]:
    """What two lines must share to be compared."""
    return {
        "device": options.device,
        "precision": options.precision,
        "compiled": "yes" if options.compile else "no",
        "hardware": _machine(options),
    }


def _machine(options: argparse.Namespace) -> str:
    if options.device == "cuda":
        import torch

        return str(torch.cuda.get_device_name())
    processor, _, _ = hardware().rpartition(", ")
    return f"{processor}, 1 thread"


def _done(options: argparse.Namespace) -> set[str]:
    wanted = _conditions(options)
    return {
        line["network"]
        for line in csv_lines(FILE)
        if not line["problem"] and all(line[key] == value for key, value in wanted.items())
    }


def _costed(name: str, options: argparse.Namespace) -> None:
    """In a process of its own; a line that says why where that wrote none."""
    problem = in_own_process(__file__, name, sys.argv[1:])
    if problem:
        here = _conditions(options)
        line = Line(date=today(), commit=commit(), network=name, problem=problem, **here)
        write_line(FILE, line)


def _measured(name: str, options: argparse.Namespace) -> Line:
    import torch

    from heartseg.models import ARCHITECTURES
    from heartseg.train.memory_format import memory_format

    torch.set_num_threads(1)
    described = ARCHITECTURES[name]
    size = _input_size(described)
    operations = 2 * _multiply_adds(described, size)  # imports all that the network is made with
    peak = _matrix_peak(options)
    _Memory.forget(options.device)
    held = _Memory.most(options.device)
    torch.manual_seed(SEED)
    network = described.build(1, CLASSES)
    order = memory_format(network, torch.device(options.device))
    network = network.to(options.device, memory_format=order)
    run = torch.compile(network) if options.compile else network
    forward = _forward_seconds(run.eval(), size, options)
    forward_mb = _Memory.most(options.device) - held
    _Memory.forget(options.device)
    training = _training_seconds(run.train(), described, size, options)
    training_mb = _Memory.most(options.device) - held
    images = _images(described, size)
    return Line(
        date=today(),
        commit=commit(),
        network=name,
        **_conditions(options),
        input="x".join(map(str, size)),
        forward_ms=f"{min(forward) * 1e3 / images:.4g}",
        forward_median_ms=f"{median(forward) * 1e3 / images:.4g}",
        openvino_ms=_openvino_ms(network, described, size, options, images),
        training_ms=f"{training * 1e3 / images:.4g}",
        forward_mb=f"{forward_mb:.0f}",
        training_mb=f"{training_mb:.0f}",
        peak_gflops=f"{peak / 1e9:.4g}",
        share=f"{operations / min(forward) / peak:.2f}",
    )


def _input_size(described: Any) -> tuple[int, ...]:
    from heartseg.models.architecture import legal_size, per_axis

    if any(per_axis(described.margin, described.dimensions)):
        return tuple(described.native_size)
    strides = per_axis(described.stride, described.dimensions)
    least = (1,) * (described.dimensions - 2) + (SIDE, SIDE)
    steps = [
        max(0, math.ceil((wanted - smallest) / stride))
        for wanted, smallest, stride in zip(least, described.smallest_size, strides, strict=True)
    ]
    return legal_size(described, steps)


def _images(described: Any, size: tuple[int, ...]) -> float:
    """How many images of 256 x 256 pixels the answer to one input is."""
    from heartseg.models.architecture import output_size

    return math.prod(output_size(described, size)) / SIDE**2


def _multiply_adds(described: Any, size: tuple[int, ...]) -> int:
    from heartseg.models.survey import multiply_adds, weightless

    return multiply_adds(weightless(described, 1, CLASSES), (1, *size))


def _pixels(count: int, size: tuple[int, ...], options: argparse.Namespace) -> Any:
    import torch

    noise = torch.rand((count, 1, *size), generator=torch.Generator().manual_seed(SEED))
    return noise.to(options.device)


def _autocast(options: argparse.Namespace) -> AbstractContextManager[Any]:
    import torch

    if options.precision == "f32":
        return nullcontext()
    return torch.autocast(options.device, torch.bfloat16)


def _forward_seconds(
    network: Any, size: tuple[int, ...], options: argparse.Namespace
) -> list[float]:
    import torch

    pixels = _pixels(1, size, options)

    def once() -> None:
        with torch.inference_mode(), _autocast(options):
            network(pixels)

    return _timed(once, options)


def _training_seconds(
    network: Any, described: Any, size: tuple[int, ...], options: argparse.Namespace
) -> float:
    """Of one input, though a step may need more of them."""
    import torch

    from heartseg.models.answer import regions_of
    from heartseg.models.architecture import output_size

    count = max(described.smallest_batch, 2 if described.dimensions == 2 else 1)
    pixels = _pixels(count, size, options)
    truth = torch.zeros((count, *output_size(described, size)), dtype=torch.long)
    truth = truth.to(options.device)

    def once() -> None:
        network.zero_grad(set_to_none=True)
        with _autocast(options):
            answer = network(pixels)
        finest = regions_of(answer)[0]
        torch.nn.functional.cross_entropy(finest.float(), truth).backward()

    return min(_timed(once, options)) / count


def _openvino_ms(
    network: Any, described: Any, size: tuple[int, ...], options: argparse.Namespace, images: float
) -> str:
    if options.device != "cpu" or options.precision != "f32" or options.compile:
        return "-"
    from heartseg.segment.openvino_runtime import import_openvino
    from heartseg.train.export import export_onnx

    onnx = export_onnx(network.eval(), 1, size, free=described.free_export)
    core = import_openvino().Core()
    exact = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}
    compiled = core.compile_model(core.read_model(onnx), "CPU", exact)
    inputs = {"pixels": _pixels(1, size, options).contiguous().numpy()}
    return f"{min(_timed(lambda: compiled(inputs), options)) * 1e3 / images:.4g}"


def _matrix_peak(options: argparse.Namespace) -> float:
    """Operations a second of a product of two large matrices."""
    import torch

    side = 8192 if options.device == "cuda" else 1536
    kind = torch.float32 if options.precision == "f32" else torch.bfloat16
    a, b = (torch.rand(side, side, device=options.device, dtype=kind) for _ in range(2))
    return 2 * side**3 / min(_timed(lambda: a @ b, options))


def _timed(work: Callable[[], object], options: argparse.Namespace) -> list[float]:
    """Seconds of each pass after a first one that counts for nothing."""
    import torch

    settle = torch.cuda.synchronize if options.device == "cuda" else lambda: None
    work()
    settle()
    seconds: list[float] = []
    clock = time.perf_counter if options.device == "cuda" else time.process_time
    while len(seconds) < PASSES and sum(seconds) < ENOUGH_S:
        began = clock()
        work()
        settle()
        seconds.append(clock() - began)
    return seconds


class _Memory:
    """The most memory since `forget`, in MB: of the card, or of the process."""

    @staticmethod
    def forget(device: str) -> None:
        gc.collect()
        if device == "cuda":
            import torch

            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        else:
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")

    @staticmethod
    def most(device: str) -> float:
        if device == "cuda":
            import torch

            return float(torch.cuda.max_memory_allocated()) / 1e6
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM"):
                return float(line.split()[1]) * 1024 / 1e6
        raise OSError("the system does not tell the most memory of a process")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
