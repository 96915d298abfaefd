"""Cutting, masking, straightening, deskewing: against known pixels and known angles."""

import cv2
import numpy as np
import pytest
from layouts import put

from glyphline.handwriting.crops import Cropping, PagePicture, cut, page_picture, parse_points, straightened
from glyphline.handwriting.pictures import (
    Shape,
    deskewed,
    paper,
    prepared,
    scaled,
    skew_degrees,
    stored,
    with_margin,
)
from glyphline.handwriting.raw import BytesPicture, FilePicture
from glyphline.images import encode, load
from glyphline.settings import InputError


def strokes(width=400, height=60):
    """Upright strokes on a common baseline, as writing has them."""
    image = np.full((height, width), 230, np.uint8)
    for x in range(20, width - 20, 12):
        image[height // 2 - 10 : height // 2 + 8, x : x + 3] = 30
    return image


def test_cut_without_mask_is_the_box():
    image = np.arange(200 * 300, dtype=np.uint32).reshape(200, 300).astype(np.uint8)
    polygon = np.asarray([(50, 40), (120, 45), (118, 90), (52, 88)], float)
    assert np.array_equal(cut(image, polygon, 3, False), image[37:94, 47:124])


def test_mask_paints_neighbours_over_and_keeps_the_inside():
    image = np.full((100, 200), 220, np.uint8)
    image[20:40, 10:190] = 20  # the line
    image[44:60, 10:190] = 60  # its neighbour, within the box of a slanted polygon
    polygon = np.asarray([(5, 15), (195, 15), (195, 42), (100, 42), (5, 70)], float)
    part = cut(image, polygon, 0, True)
    assert part[5:25, 5:].min() == 20
    right = part[31:, 150:]  # outside the polygon
    assert (right == 220).all()
    assert (cut(image, polygon, 0, False)[31:, 150:] == 60).any()


def test_cut_at_the_pages_edge_and_beyond():
    image = np.full((50, 50, 3), 200, np.uint8)
    assert cut(image, np.asarray([(-20, -20), (30, -20), (30, 30), (-20, 30)], float), 5, True).shape == (36, 36, 3)
    with pytest.raises(InputError, match="outside the page"):
        cut(image, np.asarray([(60, 60), (90, 60), (90, 90)], float), 2, True)


@pytest.mark.parametrize("degrees", [-8.0, -3.0, 0.0, 4.0, 10.0])
def test_a_slanted_line_comes_out_level(degrees):
    line = strokes()
    page = np.full((300, 500), 230, np.uint8)
    page[120:180, 50:450] = line
    turn = cv2.getRotationMatrix2D((250, 150), -degrees, 1.0)
    page = cv2.warpAffine(page, turn, (500, 300), borderValue=230)

    def moved(points):
        return np.asarray(points, float) @ turn[:, :2].T + turn[:, 2]

    polygon = moved([(50, 125), (450, 125), (450, 175), (50, 175)])
    baseline = moved([(60, 158), (250, 158), (440, 158)])
    part = straightened(page, polygon, baseline, 0, mask=True)
    dark = part < 130
    rows = np.flatnonzero(dark.sum(axis=1) > 20)
    assert rows[-1] - rows[0] + 1 == pytest.approx(18, abs=2)  # the strokes' own height, not their slant's
    assert part.shape == pytest.approx((51, 401), abs=3)


def test_a_curved_line_comes_out_straight():
    page = np.full((200, 500), 230, np.uint8)
    xs = np.arange(20, 480)
    ys = 100 + 25 * np.sin(xs / 80)
    for x, y in zip(xs, ys, strict=True):
        page[int(y) - 12 : int(y), x] = 30
    baseline = np.stack([xs[::20], ys[::20]], axis=1)
    outline = np.concatenate([baseline - (0, 18), (baseline + (0, 8))[::-1]])
    part = straightened(page, outline, baseline, 2, mask=True)
    rows = np.flatnonzero((part < 130).mean(axis=1) > 0.5)
    assert 9 <= len(rows) <= 13
    assert part.shape[0] < 55


def test_right_to_left_and_upright_baselines_are_not_turned_over():
    page = np.full((100, 300), 230, np.uint8)
    page[40:60, 20:60] = 30  # something at the left end only
    polygon = np.asarray([(10, 30), (290, 30), (290, 70), (10, 70)], float)
    part = straightened(page, polygon, np.asarray([(290, 60), (10, 60)], float), 0, True)
    assert (part[:, :60] < 100).any()
    assert not (part[:, 100:] < 100).any()


def test_level_lines_are_not_resampled():
    generator = np.random.default_rng(0)
    page = generator.integers(0, 255, (100, 200, 3)).astype(np.uint8)
    polygon = np.asarray([(20, 30), (180, 30), (180, 60), (20, 60)], float)
    part = straightened(page, polygon, np.asarray([(20, 55), (180, 55)], float), 0, False)
    assert np.array_equal(part, page[30:61, 20:181])


def test_page_pictures_name_the_page_in_errors(tmp_path):
    with pytest.raises(InputError, match="nowhere.png: no such file"):
        PagePicture("nowhere.png", ((0, 0), (1, 0), (1, 1))).load()
    put(tmp_path / "p.png", np.full((40, 40), 9, np.uint8))
    with pytest.raises(InputError, match=r"p\.png: the line lies outside"):
        PagePicture(str(tmp_path / "p.png"), ((100, 100), (110, 100), (110, 110))).load()


def test_how_lines_are_cut():
    polygon, baseline = ((0.0, 5.0), (10.0, 0.0), (10.0, 9.0)), ((0.0, 8.0), (10.0, 8.0))
    picture = page_picture("p", polygon, baseline, (1.0, 1.0), Cropping(outline="box", straighten=False, margin_px=1))
    assert picture.polygon == ((0.0, 0.0), (10.0, 0.0), (10.0, 9.0), (0.0, 9.0))
    assert (picture.baseline, picture.mask, picture.margin_px) == ((), False, 1)
    with pytest.raises(InputError, match="margin_px"):
        Cropping(margin_px=-1)


def test_points():
    assert parse_points("1,2 3,4.5") == parse_points("1 2 3 4.5") == ((1.0, 2.0), (3.0, 4.5))
    with pytest.raises(ValueError, match="3 numbers"):
        parse_points("1 2 3")


@pytest.mark.parametrize("degrees", [-4.0, -1.5, 0.0, 2.0, 4.0])
def test_skew_is_found_and_taken_out(degrees):
    slope = np.tan(np.radians(degrees))
    line = cv2.warpAffine(
        np.pad(strokes(500, 60), ((40, 40), (0, 0)), constant_values=230),
        np.float32([[1, 0, 0], [slope, 1, -slope * 250]]),
        (500, 140),
        borderValue=230,
    )
    assert skew_degrees(line) == pytest.approx(degrees, abs=0.5)
    level = deskewed(line)
    rows = np.flatnonzero((level < 130).sum(axis=1) > 10)
    assert rows[-1] - rows[0] < 24
    assert level.min() <= 60  # no ink was lost


def test_short_lines_keep_their_direction():
    image = np.full((64, 90), 230, np.uint8)
    image[20:50, 30:34] = 20
    assert skew_degrees(image) == 0.0
    assert deskewed(image) is image


def test_margin_and_scale_use_paper():
    image = np.full((40, 80, 3), (240, 230, 200), np.uint8)
    image[10:30, 10:70] = 10
    assert paper(image) == (240, 230, 200)
    grown = with_margin(image, 5)
    assert grown.shape == (50, 90, 3)
    assert (grown[0, 0] == (240, 230, 200)).all()
    assert scaled(image, 20).shape == (20, 40, 3)


def test_files_are_kept_only_where_they_are_the_picture(tmp_path):
    from PIL import Image

    plain = tmp_path / "plain.jpg"
    Image.fromarray(strokes()).save(plain, quality=70)
    assert stored(FilePicture(str(plain)), Shape()) == plain.read_bytes()
    assert stored(FilePicture(str(plain)), Shape(format="png")) != plain.read_bytes()
    assert stored(FilePicture(str(plain)), Shape(margin_px=2)) != plain.read_bytes()
    awkward = {
        "turned.jpg": lambda path: Image.fromarray(strokes()).save(path, exif=_turned()),
        "cmyk.jpg": lambda path: Image.fromarray(strokes()).convert("CMYK").save(path),
        "alpha.png": lambda path: Image.fromarray(strokes()).convert("RGBA").save(path),
        "palette.png": lambda path: Image.fromarray(strokes()).convert("P").save(path),
        "deep.png": lambda path: Image.fromarray(strokes().astype(np.uint16) * 257).save(path),
        "scan.tif": lambda path: Image.fromarray(strokes()).convert("1").save(path),
    }
    for name, write in awkward.items():
        write(tmp_path / name)
        data = stored(FilePicture(str(tmp_path / name)), Shape())
        assert data[:4] == b"\x89PNG", name
        image = load(data)
        assert np.array_equal(image, prepared(FilePicture(str(tmp_path / name)), Shape())), name
        assert image.shape[:2] == ((400, 60) if name == "turned.jpg" else (60, 400)), name
        assert image.min() < 80 < 200 < image.max(), name


def _turned():
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def test_bytes_pictures_name_themselves():
    assert np.array_equal(BytesPicture(encode(strokes()), "a").load(), strokes())
    with pytest.raises(InputError, match="row 7: not a picture"):
        BytesPicture(b"nothing", "row 7").load()
