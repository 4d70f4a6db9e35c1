"""`heartseg train`."""

from collections.abc import Sequence
from pathlib import Path

from heartseg.core.errors import MissingExtraError


def run_training(
    run_toml: Path, out: Path, changes: Sequence[str], resume: bool, device: str
) -> None:
    """Train, then write `OUT/bundle`.

    Raises:
        MissingExtraError: torch is not installed.
        HeartsegError: as training says.
    """
    try:
        from heartseg.train.artefact import train_model
    except ModuleNotFoundError as fault:
        raise MissingExtraError("train", "train") from fault
    bundle = train_model(run_toml, out, changes=changes, resume=resume, device=device, watch=_say)
    print(f"wrote the model {bundle.name} {bundle.version} to {out / 'bundle'}")


def _say(step: int, numbers: object) -> None:
    said = "  ".join(f"{k} {v:.4f}" for k, v in dict(numbers).items())  # type: ignore[call-overload]
    print(f"{step:6d}  {said}", flush=True)
