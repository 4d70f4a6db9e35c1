"""The metrics against other implementations, on hundreds of random and hostile masks.

MONAI, SimpleITK, and a third each: scikit-image, or brute force written here over all voxels.
Where a tool means something else, the test says what; docs/explanation/metrics.md explains why.
"""

import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from heartseg.measure.metrics import METRICS
from heartseg.measure.overlap import components, holes
from heartseg.measure.pair import Pair

SHAPE = (4, 7, 9)
MONAI_EVERY, ITK_EVERY, BRUTE_EVERY = 5, 4, 5
"""They take from 10 ms to 100 ms a pair, so that not all are compared; no kind is left out."""

SPACINGS_MM = ((8.0, 1.5, 1.25), (1.0, 1.0, 1.0), (0.7, 3.1, 2.3))


def masks(seed: int) -> Iterator[np.ndarray]:
    """Of every kind: noise of every density, blobs, boxes, one voxel, frames, empty, full."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(seed)
    for density in (0.02, 0.3, 0.7, 0.98):
        yield rng.random(SHAPE) < density
    for sigma in (0.7, 1.5):
        yield gaussian_filter(rng.normal(size=SHAPE), sigma) > 0
    for _ in range(2):
        box = np.zeros(SHAPE, bool)
        low = [rng.integers(0, n) for n in SHAPE]
        box[tuple(slice(a, rng.integers(a, n) + 1) for a, n in zip(low, SHAPE, strict=True))] = True
        yield box
    one = np.zeros(SHAPE, bool)
    one[tuple(rng.integers(0, n) for n in SHAPE)] = True
    yield one
    yield ~one
    corner = np.zeros(SHAPE, bool)
    corner[0, 0, 0] = corner[-1, -1, -1] = True
    yield corner
    frame = np.ones(SHAPE, bool)
    frame[1:-1, 1:-1, 1:-1] = False
    yield frame
    yield np.zeros(SHAPE, bool)
    yield np.ones(SHAPE, bool)


def pairs(spacing: tuple[float, float, float], seed: int) -> list[Pair]:
    """Each kind against each, 196 in all."""
    return [Pair(a, b, spacing) for a in masks(seed) for b in masks(seed + 100)]


def values(key: str, cases: list[Pair]) -> np.ndarray:
    """Ours; NaN where there is none."""
    found = [METRICS[key].value(case)[0] for case in cases]
    return np.array([np.nan if value is None else value for value in found])


@pytest.fixture(scope="module", params=range(len(SPACINGS_MM)))
def cases(request: pytest.FixtureRequest) -> list[Pair]:
    return pairs(SPACINGS_MM[request.param], request.param)


def as_tensors(cases: list[Pair]) -> tuple[Any, Any]:
    torch = pytest.importorskip("torch")
    pred, truth = (
        torch.from_numpy(np.stack(side)[:, None].astype(np.float32))
        for side in zip(*((c.pred, c.truth) for c in cases), strict=True)
    )
    return pred, truth


def plain(found: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {key: value.numpy().ravel().astype(float) for key, value in found.items()}


def monai_overlap(cases: list[Pair]) -> Mapping[str, np.ndarray]:
    monai = pytest.importorskip("monai.metrics")
    pred, truth = as_tensors(cases)
    confusion = monai.get_confusion_matrix(pred, truth)
    rates = ("recall", "specificity", "precision", "accuracy")
    return plain({
        "dice": monai.compute_dice(pred, truth, ignore_empty=False),
        "jaccard": monai.compute_iou(pred, truth, ignore_empty=False),
        **{key: monai.compute_confusion_matrix_metric(key, confusion) for key in rates},
    })  # fmt: skip


def monai_distances(cases: list[Pair]) -> Mapping[str, np.ndarray]:
    monai = pytest.importorskip("monai.metrics")
    pred, truth = as_tensors(cases)
    far = {"include_background": True, "spacing": list(cases[0].spacing_mm or ())}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of every empty mask
        return plain({
            "hausdorff_mm": monai.compute_hausdorff_distance(pred, truth, **far),
            "hausdorff95_mm": monai.compute_hausdorff_distance(pred, truth, percentile=95, **far),
            "assd_mm": monai.compute_average_surface_distance(pred, truth, symmetric=True, **far),
            "surface_dice_2mm": monai.compute_surface_dice(pred, truth, [2.0], **far),
        })  # fmt: skip


def test_overlap_is_monais(cases: list[Pair]) -> None:
    """Everywhere, if it is asked not to ignore what is empty; rates of nothing are its 0 or NaN."""
    for key, theirs in monai_overlap(cases).items():
        ours = values(key, cases)
        there = np.isfinite(ours)
        assert there.sum() > 160
        assert ours[there] == pytest.approx(theirs[there], rel=1e-5, abs=1e-6), key


def test_distances_are_monais(cases: list[Pair]) -> None:
    """Wherever neither mask is empty; there it says NaN or infinity, and we None."""
    some = cases[::MONAI_EVERY]
    empty = np.array([bool(c.empty) for c in some])
    assert 4 < empty.sum() < 0.3 * len(some)
    for key, theirs in monai_distances(some).items():
        ours = values(key, some)
        assert ours[~empty] == pytest.approx(theirs[~empty], rel=1e-5, abs=1e-6), key
        if key != "surface_dice_2mm":
            assert not np.isfinite(theirs[empty]).any(), key
            assert np.isnan(ours[empty]).all(), key


def itk_values(case: Pair) -> dict[str, float]:
    """Overlap by its own filter; distances from its contours and its distance maps."""
    sitk = pytest.importorskip("SimpleITK")
    images = []
    for mask in (case.pred, case.truth):
        image = sitk.GetImageFromArray(np.pad(mask, 1).astype(np.uint8))
        image.SetSpacing((case.spacing_mm or ())[::-1])
        images.append(image)
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*images)
    contours = [sitk.LabelContour(image, fullyConnected=False) for image in images]
    farthest = sitk.HausdorffDistanceImageFilter()
    farthest.Execute(*contours)
    maps = [sitk.SignedMaurerDistanceMap(c, squaredDistance=False, useImageSpacing=True)
            for c in contours]  # fmt: skip
    lines = [sitk.GetArrayViewFromImage(c) > 0 for c in contours]
    to_truth = np.abs(sitk.GetArrayViewFromImage(maps[1]))[lines[0]]
    to_pred = np.abs(sitk.GetArrayViewFromImage(maps[0]))[lines[1]]
    both = np.concatenate([to_truth, to_pred])
    return {
        "dice": overlap.GetDiceCoefficient(),
        "jaccard": overlap.GetJaccardCoefficient(),
        "recall": 1 - overlap.GetFalseNegativeError(),
        "hausdorff_mm": farthest.GetHausdorffDistance(),
        "hausdorff95_mm": max(np.percentile(to_truth, 95), np.percentile(to_pred, 95)),
        "assd_mm": both.mean(),
        "surface_dice_2mm": (both <= 2.0 + 1e-5).mean(),
        "volume similarity": overlap.GetVolumeSimilarity(),
    }


def test_simpleitk(cases: list[Pair]) -> None:
    """Its distances are single precision. Its volume similarity is of the mean of both volumes."""
    some = [c for c in cases if not c.empty][::ITK_EVERY]
    found = [itk_values(c) for c in some]
    for key in set(found[0]) - {"volume similarity"}:
        theirs = np.array([one[key] for one in found])
        assert values(key, some) == pytest.approx(theirs, rel=1e-4, abs=1e-5), key
    relative = values("volume_difference", some)
    similarity = np.array([one["volume similarity"] for one in found])
    assert similarity == pytest.approx(2 * relative / (2 + relative))


def surface_places(mask: np.ndarray) -> np.ndarray:
    """(n, 3), voxel by voxel: a neighbour by a face is outside of the mask or of the image."""
    inside = {tuple(p) for p in np.argwhere(mask).tolist()}
    steps = np.vstack([np.eye(3, dtype=int), -np.eye(3, dtype=int)]).tolist()
    return np.array([
        place for place in sorted(inside)
        if any(tuple(a + b for a, b in zip(place, s, strict=True)) not in inside for s in steps)
    ])  # fmt: skip


def near(places: np.ndarray, surface: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Distance of each place to the nearest surface voxel, over all pairs."""
    gaps = (places[:, None] - surface[None]) * np.array(spacing)
    return np.sqrt((gaps**2).sum(axis=-1)).min(axis=1)


def brute_values(case: Pair) -> dict[str, float]:
    pred, truth, spacing = case.pred, case.truth, tuple(case.spacing_mm or ())
    lines = [surface_places(m) for m in (pred, truth)]
    to_truth, to_pred = near(lines[0], lines[1], spacing), near(lines[1], lines[0], spacing)
    both = np.concatenate([to_truth, to_pred])
    bands = [
        {tuple(p) for p in np.argwhere(m)[near(np.argwhere(m), line, spacing) <= 2 + 1e-9].tolist()}
        for m, line in zip((pred, truth), lines, strict=True)
    ]
    wrong, wanted = sum(p != t for p, t in zip(pred.flat, truth.flat, strict=True)), truth.sum()
    return {
        "hausdorff_mm": both.max(),
        "hausdorff95_mm": max(np.quantile(to_truth, 0.95), np.quantile(to_pred, 0.95)),
        "assd_mm": both.mean(),
        "surface_dice_2mm": (both <= 2.0 + 1e-9).mean(),
        "boundary_iou_2mm": len(bands[0] & bands[1]) / len(bands[0] | bands[1]),
        "sa_pixels": (wanted - wrong) / wanted,
        "sa_areas": 1 - abs(int(pred.sum()) - int(wanted)) / wanted,
        "volume_difference_ml": (int(pred.sum()) - int(wanted)) * np.prod(spacing) / 1000,
    }


def test_brute_force(cases: list[Pair]) -> None:
    some = [c for c in cases if not c.empty][::BRUTE_EVERY]
    found = [brute_values(c) for c in some]
    for key in found[0]:
        theirs = np.array([one[key] for one in found])
        assert values(key, some) == pytest.approx(theirs, rel=1e-9, abs=1e-12), key


def test_scikit_image_counts_the_same_pieces_and_holes() -> None:
    """Its Euler number of a plane with 4 neighbours is pieces less holes by corners."""
    measure = pytest.importorskip("skimage.measure")
    for seed in range(8):
        for mask in masks(seed):
            assert components(mask) == measure.label(mask, connectivity=1).max()
            planes = [np.pad(plane, 1) for plane in mask]
            expected = sum(components(p) - measure.euler_number(p, connectivity=1) for p in planes)
            assert holes(mask) == expected


def test_scikit_image_knows_one_hausdorff_distance() -> None:
    """Of the points it is given, in voxels: those of both surfaces give ours at 1 mm."""
    metrics = pytest.importorskip("skimage.metrics")
    from heartseg.measure.surfaces import surface

    for case in pairs((1.0, 1.0, 1.0), 7)[::5]:
        if not case.empty:
            theirs = metrics.hausdorff_distance(*(surface(m, (0, 1, 2)) for m in
                                                  (case.pred, case.truth)))  # fmt: skip
            assert METRICS["hausdorff_mm"].value(case)[0] == pytest.approx(theirs)


def test_boundary_iou_of_a_square_is_its_authors() -> None:
    """Cheng et al. erode by 3 x 3, n times; ours within n - 1 pixels of the outline is the same
    for a shape without curves."""
    from scipy.ndimage import binary_erosion

    pred, truth = np.zeros((1, 40, 40), bool), np.zeros((1, 40, 40), bool)
    pred[0, 5:25, 4:30] = True
    truth[0, 7:26, 6:31] = True
    inner = [binary_erosion(np.pad(m[0], 1), np.ones((3, 3)), 3)[1:-1, 1:-1] for m in (pred, truth)]
    bands = [m[0] & ~i for m, i in zip((pred, truth), inner, strict=True)]
    theirs = (bands[0] & bands[1]).sum() / (bands[0] | bands[1]).sum()

    assert METRICS["boundary_iou_2mm"].value(Pair(pred, truth, (8.0, 1.0, 1.0)))[0] == (
        pytest.approx(theirs)
    )
