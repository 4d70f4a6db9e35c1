"""What the pictures show, and where: lines must lie on the anatomy, upright and unmirrored."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Pillow

from heartseg.core.anatomy import Structure
from heartseg.core.finding import Report
from heartseg.core.geometry import Geometry, Orientation
from heartseg.core.image import Image, Segmentation
from heartseg.core.study import Phases, Study, View
from heartseg.report.drawing import Stretch, enlarge
from heartseg.report.mosaic import Mosaic, mosaics
from heartseg.report.overview import heart_picture, overview_picture, png_bytes
from heartseg.report.palette import COLOURS
from tests.report.cases import ED, ES, LV, MYO, RV, SPACING_MM, oblique_geometry

PIXELS = 200


def mosaic_of(report: Report, study: Study, segmentation: Segmentation) -> Mosaic:
    (made,) = mosaics(report, study, {View.SAX: segmentation}, pixels=PIXELS)
    return made


def place(tile: np.ndarray, structure: Structure) -> np.ndarray:
    """(row, column) middle of the box around a structure's line."""
    near = np.abs(tile.astype(int) - COLOURS[structure]).max(axis=-1) < 40
    rows, columns = np.nonzero(near)
    return np.array([(rows.min() + rows.max()) / 2, (columns.min() + columns.max()) / 2])


def extent(tile: np.ndarray, structure: Structure) -> np.ndarray:
    near = np.abs(tile.astype(int) - COLOURS[structure]).max(axis=-1) < 40
    rows, columns = np.nonzero(near)
    return np.array([np.ptp(rows) + 1, np.ptp(columns) + 1])


def stored_as(
    orientation: Orientation, study: Study, segmentation: Segmentation
) -> tuple[Study, Segmentation]:
    """The same patient in a file with other axes."""
    image = study.images[View.SAX]
    geometry = image.geometry.oriented(orientation)
    other = Image(orientation.apply(image.voxels), geometry, image.times_ms)
    labels = orientation.apply(segmentation.labels)
    return (
        replace(study, images={View.SAX: other}),
        replace(segmentation, labels=labels, geometry=geometry),
    )


@pytest.fixture
def mosaic(report: Report, study: Study, segmentation: Segmentation) -> Mosaic:
    return mosaic_of(report, study, segmentation)


def test_contours_lie_where_the_structures_are(mosaic: Mosaic) -> None:
    # In the patient: the RV's middle is 13 columns left of the LV's and 5 rows above it. The
    # fixture is stored as it is shown, so rows and columns are those of the file.
    tile = mosaic.rows[0].tiles[0]
    lv = place(tile, LV)
    whole = place(tile, MYO)
    assert lv == pytest.approx(whole, abs=3)
    left_mm, lv_mm = 13 - 11 / SPACING_MM[2], 26.0
    scale = extent(tile, LV)[1] / 32.0  # pixels a millimetre, from the LV's 32 mm
    rv_left = np.nonzero(np.abs(tile.astype(int) - COLOURS[RV]).max(-1) < 40)[1].min()
    assert (lv[1] - rv_left) / scale == pytest.approx((lv_mm - left_mm) * SPACING_MM[2], abs=2.5)


def test_pixels_are_square_though_voxels_are_not(mosaic: Mosaic) -> None:
    rows, columns = extent(mosaic.rows[0].tiles[0], LV)
    assert rows == pytest.approx(columns, abs=4)


def test_the_rv_is_left_of_and_above_the_lv(mosaic: Mosaic) -> None:
    tile = mosaic.rows[0].tiles[0]
    assert place(tile, RV)[1] < place(tile, LV)[1] - 20
    assert place(tile, RV)[0] < place(tile, LV)[0] - 5


@pytest.mark.parametrize(
    "orientation",
    [
        Orientation((0, 1, 2), (True, False, False)),
        Orientation((0, 1, 2), (False, True, False)),
        Orientation((0, 1, 2), (False, False, True)),
        Orientation((0, 2, 1), (True, False, True)),
        Orientation((0, 2, 1), (False, True, True)),
    ],
)
def test_the_picture_does_not_depend_on_how_the_file_stores_it(
    orientation: Orientation,
    report: Report,
    study: Study,
    segmentation: Segmentation,
    mosaic: Mosaic,
) -> None:
    turned = mosaic_of(report, *stored_as(orientation, study, segmentation))
    for row, other in zip(mosaic.rows, turned.rows, strict=True):
        assert np.abs(row.tiles.astype(int) - other.tiles).max() <= 2


def test_a_wrongly_mirrored_mask_is_seen(
    report: Report, study: Study, segmentation: Segmentation, mosaic: Mosaic
) -> None:
    mirrored = segmentation.like(np.ascontiguousarray(segmentation.labels[..., ::-1]))
    tile = mosaic_of(report, study, mirrored).rows[0].tiles[0]
    assert place(tile, RV)[1] > place(tile, LV)[1]


def test_rows_are_ed_and_es_and_es_is_smaller(mosaic: Mosaic) -> None:
    assert [(row.title, row.frame) for row in mosaic.rows] == [("ED", ED), ("ES", ES)]
    ed, es = (extent(row.tiles[0], LV)[0] for row in mosaic.rows)
    assert es / ed == pytest.approx(0.7, abs=0.06)


def test_slices_run_from_base_to_apex(mosaic: Mosaic) -> None:
    tiles = mosaic.rows[0].tiles
    heights = [extent(tile, LV)[0] for tile in tiles[:4]]
    assert heights == sorted(heights, reverse=True)
    assert heights[0] > heights[3] + 5
    assert mosaic.slices == (1, 2, 3, 4, 5)


def test_the_heart_shows_its_base_where_the_file_knows_no_patient(
    report: Report, study: Study, segmentation: Segmentation
) -> None:
    # As ACDC's: spacings only. The grid's own idea of the head must not decide.
    for labels in (segmentation.labels, segmentation.labels[:, ::-1]):
        geometry = Geometry.from_pixels(segmentation.geometry.shape, SPACING_MM)
        image = Image(study.images[View.SAX].voxels, geometry)
        made = mosaic_of(
            report,
            replace(study, images={View.SAX: image}),
            Segmentation(np.ascontiguousarray(labels), geometry, (LV, MYO, RV)),
        )
        tiles = made.rows[0].tiles
        assert extent(tiles[0], LV)[0] > extent(tiles[3], LV)[0]
        assert place(tiles[0], RV)[1] < place(tiles[0], LV)[1]  # the order turns, no picture does


def test_image_and_contours_are_of_the_same_slice_and_frame(
    report: Report, study: Study, segmentation: Segmentation
) -> None:
    blood = np.where(segmentation.labels == LV, 900, 100)
    bright = replace(study, images={View.SAX: study.images[View.SAX].like(blood)})
    for row in mosaic_of(report, bright, segmentation).rows:
        for tile in row.tiles[:4]:
            pool = np.nonzero((tile > 160).all(axis=-1))
            size = [np.ptp(axis) + 1 for axis in pool]
            assert size == pytest.approx(extent(tile, LV), abs=7)
        assert row.tiles[4].max() < 160  # nothing of the heart in the last slice


def test_small_pictures_of_large_images_average_fine_detail() -> None:
    stripes = np.broadcast_to(np.arange(80) % 2 * 10.0, (1, 80, 80))
    axis = Stretch(80, 40.0, 4.0, 16)  # every pixel meets a dark column
    middle = enlarge(stripes, axis, axis, smooth=False)[0, 4:12, 4:12]
    assert middle == pytest.approx(np.full((8, 8), 5.0), abs=0.7)


def test_a_lone_voxel_is_still_drawn() -> None:
    mask = np.zeros((1, 9, 9))
    mask[0, 4, 4] = 1
    axis = Stretch(9, 4.0, 9 / 200, 200)
    assert enlarge(mask, axis, axis, smooth=True).max() > 0.5


def test_enlarging_keeps_intensities_and_places() -> None:
    ramp = np.broadcast_to(np.arange(20.0), (1, 20, 20))
    wide = enlarge(ramp, Stretch(20, 9.5, 0.1, 100), Stretch(20, 9.5, 0.1, 100), smooth=False)
    assert wide[0, 50] == pytest.approx(9.5 + (np.arange(100) - 49.5) * 0.1, abs=1e-3)
    thick = enlarge(ramp, Stretch(20, 9.5, 4.0, 5), Stretch(20, 9.5, 4.0, 5), smooth=False)
    assert thick[0, 2] == pytest.approx([1.5, 5.5, 9.5, 13.5, 17.5], abs=0.7)


def test_beyond_the_image_the_picture_is_black() -> None:
    bright = np.full((1, 10, 10), 7.0)
    wide = enlarge(bright, Stretch(10, 4.5, 0.5, 60), Stretch(10, 4.5, 0.5, 60), smooth=False)
    assert wide[0, 30, 30] == pytest.approx(7.0)
    assert wide[0, 30, 39] == pytest.approx(7.0)  # at voxel 9.25: the last one reaches to 9.5
    assert wide[0, 30, 40] == 0.0
    assert wide[0, 0].max() == 0.0
    assert wide[0, :, -1].max() == 0.0


def test_intensities_span_black_to_white(
    report: Report, study: Study, segmentation: Segmentation
) -> None:
    ramp = np.broadcast_to(np.linspace(-300, 900, 44), segmentation.labels.shape)
    image = study.images[View.SAX].like(ramp)
    empty = segmentation.like(np.zeros_like(segmentation.labels))
    tile = mosaic_of(report, replace(study, images={View.SAX: image}), empty).rows[0].tiles[0]
    inside = tile[100, 45:155, 0].astype(int)
    assert inside[0] < 70
    assert inside[-1] > 190
    assert (np.diff(inside) >= 0).all()


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf, 1e30])
def test_odd_images_still_give_a_picture(
    value: float, report: Report, study: Study, segmentation: Segmentation
) -> None:
    voxels = np.full(segmentation.labels.shape, value, np.float32)
    odd = replace(study, images={View.SAX: study.images[View.SAX].like(voxels)})
    tile = mosaic_of(report, odd, segmentation).rows[0].tiles[0]
    assert extent(tile, LV)[0] > 30


def test_one_phase_or_none_gives_one_row(
    report: Report, study: Study, segmentation: Segmentation
) -> None:
    single = replace(report, phases={View.SAX: Phases(ed=2, es=None, how="given")})
    assert [r.frame for r in mosaic_of(single, study, segmentation).rows] == [2]
    none = replace(report, phases={})
    assert [r.title for r in mosaic_of(none, study, segmentation).rows] == [""]


def test_a_large_volume_shows_some_slices_through_the_heart(report: Report, study: Study) -> None:
    labels = np.zeros((1, 90, 12, 14), np.uint8)
    labels[:, 20:70, 4:8, 5:9] = LV
    geometry = Geometry.from_pixels(labels.shape[1:], (1.0, 1.0, 1.0))
    volume = replace(study, images={View.SAX: Image(labels.astype(float), geometry)})
    single = replace(report, phases={View.SAX: Phases(ed=0, es=None, how="given")})
    made = mosaic_of(single, volume, Segmentation(labels, geometry, (LV,)))
    assert len(made.slices) == 21
    assert made.of == 90
    assert {made.slices[0], made.slices[-1]} == {21, 70}


def test_the_overview_is_a_png_with_title_and_mosaic(
    report: Report, study: Study, segmentation: Segmentation
) -> None:
    heart, structures = heart_picture(report, study, {View.SAX: segmentation})
    assert structures == (LV, MYO, RV)
    data = png_bytes(overview_picture(report, heart, structures))
    picture = np.asarray(Pillow.open(io.BytesIO(data)))
    assert picture.shape[1] >= heart.width
    assert (picture[:90] < 100).all(axis=-1).sum() > 500  # letters
    other = replace(report, findings=(replace(report.findings[2], value=0.31),))
    changed = np.asarray(overview_picture(other, heart, structures))
    assert (changed[:90] != picture[:90]).any()
    assert (changed[100:] == picture[100:]).all()


def test_two_views_without_millimetres_share_a_picture(report: Report, study: Study) -> None:
    geometry = Geometry.from_pixels((1, 50, 70))
    labels = np.zeros((2, 1, 50, 70), np.uint8)
    labels[:, :, 10:30, 20:35] = LV
    labels[:, :, 32:44, 20:35] = Structure.LEFT_ATRIUM
    image = Image(np.zeros(labels.shape, np.uint8), geometry)
    seg = Segmentation(labels, geometry, (LV, Structure.LEFT_ATRIUM))
    views = (View.LAX_2CH, View.LAX_4CH)
    phases = dict.fromkeys(views, Phases(ed=0, es=1, how="given"))
    heart, structures = heart_picture(
        replace(report, views=views, phases=phases),
        replace(study, images=dict.fromkeys(views, image)),
        dict.fromkeys(views, seg),
    )
    assert structures == (LV, Structure.LEFT_ATRIUM)
    made = np.asarray(heart)
    half = made.shape[0] // 2
    assert extent(made[:half], Structure.LEFT_ATRIUM)[0] > 20
    assert extent(made[half:], Structure.LEFT_ATRIUM)[0] > 20
    assert made.shape[0] == pytest.approx(made.shape[1], abs=4)  # two views, two phases


@pytest.mark.parametrize("turn", [Orientation(), Orientation((0, 2, 1), (False, True, False))])
def test_the_long_axis_is_drawn_where_it_was_measured(
    report: Report, study: Study, turn: Orientation
) -> None:
    shape = (1, 60, 44)
    labels = np.zeros((1, *shape), np.uint8)
    labels[0, 0, 8:38, 12:26] = LV
    labels[0, 0, 38:52, 12:26] = Structure.LEFT_ATRIUM
    upright = Geometry(shape, Geometry.from_pixels(shape, (3.0, 1.25, 1.75)).affine)
    marks = {"apex": (0, 7.5, 14), "hinge_1": (0, 37.5, 11.5), "hinge_2": (0, 37.5, 25.5)}
    placed = {f"4ch_ed_{name}": turn.place(mark, shape) for name, mark in marks.items()}
    seg = Segmentation(turn.apply(labels), upright.oriented(turn), (LV, Structure.LEFT_ATRIUM))
    view = {View.LAX_4CH: seg}
    image = Image(np.zeros(seg.labels.shape, np.uint8), seg.geometry)
    phases = {View.LAX_4CH: Phases(ed=0, es=None, how="given")}
    shown = replace(report, phases=phases, landmarks=placed)
    bare = replace(shown, landmarks={})
    study = replace(study, images={View.LAX_4CH: image})

    (drawn,), (without,) = (mosaics(r, study, view, pixels=PIXELS) for r in (shown, bare))

    changed = (drawn.rows[0].tiles[0] != without.rows[0].tiles[0]).any(axis=-1)
    lv = place(without.rows[0].tiles[0], LV)
    rows, columns = np.nonzero(changed)
    tall, wide = extent(without.rows[0].tiles[0], LV)
    assert np.ptp(rows) == pytest.approx(tall, abs=6)  # from the apex down to the base
    assert np.ptp(columns) == pytest.approx(wide, abs=6)  # from hinge to hinge
    assert (rows.min() + rows.max()) / 2 == pytest.approx(lv[0], abs=4)
    # The apex lies left of the middle.
    assert columns[rows == rows.min()].mean() < lv[1] - wide / 5


def test_flat_views_stand_side_by_side_four_chamber_first(report: Report, study: Study) -> None:
    geometry = Geometry.from_pixels((1, 50, 70))
    labels = np.zeros((2, 1, 50, 70), np.uint8)
    labels[:, :, 10:30, 20:35] = LV
    four = labels.copy()
    four[:, :, 32:44, 20:35] = Structure.LEFT_ATRIUM  # in the 4-chamber view only
    masks = {
        view: Segmentation(seen, geometry, (LV, Structure.LEFT_ATRIUM))
        for view, seen in ((View.LAX_2CH, labels), (View.LAX_4CH, four))
    }
    image = Image(np.zeros(labels.shape, np.uint8), geometry)
    phases = dict.fromkeys(masks, Phases(ed=0, es=1, how="given"))

    picture, _ = heart_picture(
        replace(report, phases=phases, landmarks={}),
        replace(study, images=dict.fromkeys(masks, image)),
        masks,
    )

    made = np.asarray(picture)
    half, middle = made.shape[0] // 2, made.shape[1] // 2
    for part in (made[:half, :middle], made[:half, middle:]):  # ED and ES
        assert extent(part, Structure.LEFT_ATRIUM)[0] > 20
    assert not (np.abs(made[half:].astype(int) - COLOURS[Structure.LEFT_ATRIUM]).max(-1) < 20).any()


def test_long_and_hostile_ids_do_not_spill_over_the_legend(
    report: Report, study: Study, segmentation: Segmentation
) -> None:
    heart, structures = heart_picture(report, study, {View.SAX: segmentation})
    odd = replace(report, study="W\x00\x1b" * 80)
    width = overview_picture(report, heart, structures).width
    usual, long = (
        np.asarray(overview_picture(r, heart, structures))[:48, width - 420 :]
        for r in (report, odd)
    )
    assert (usual == long).all()


def test_the_fixture_is_stored_as_it_is_shown() -> None:
    orientation = oblique_geometry().canonical()
    assert orientation.order == (0, 1, 2)
    assert orientation.flip == (True, False, False)
