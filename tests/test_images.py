"""Pictures: every kind of file becomes uint8 on white, or an error that names it."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from glyphline import images
from glyphline.settings import InputError

PICTURES = st.one_of(
    arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=20)),
    arrays.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3))),
)


def drawing(colour=False):
    """A picture without symmetry: a dark bar above on the left, something lighter below."""
    picture = np.full((12, 30), 255, np.uint8)
    picture[1:4, 2:11] = 0
    picture[8:10, 20:28] = 128
    return np.stack([picture, picture // 2, 255 - picture], axis=2) if colour else picture


def saved(picture, format, **options):
    sink = io.BytesIO()
    picture.save(sink, format, **options)
    return sink.getvalue()


@given(PICTURES)
def test_png_loses_nothing(picture):
    data = images.encode(picture)
    assert np.array_equal(images.load(data), picture)
    assert np.array_equal(images.decode(data), picture)
    assert images.encode(picture) == data


@pytest.mark.parametrize("format", ["jpeg", "webp"])
@pytest.mark.parametrize("colour", [False, True])
def test_lossy_formats_stay_near(format, colour):
    smooth = cv2.GaussianBlur(drawing(colour), (5, 5), 2)
    data = images.encode(smooth, format, quality=95)
    for got in (images.decode(data), images.load(data)):
        same = got if got.ndim == smooth.ndim else images.to_grey(got)
        assert same.shape == smooth.shape
        assert np.abs(same.astype(int) - smooth).mean() < 6


@pytest.mark.parametrize("mode", ["L", "RGB", "1", "P", "CMYK", "YCbCr", "LAB", "HSV", "I;16", "I", "F"])
def test_every_mode_of_pillow(mode):
    grey = Image.fromarray(drawing())
    if mode == "I;16":
        picture = Image.fromarray(drawing().astype(np.uint16) * 257)
    elif mode in ("LAB", "YCbCr", "HSV"):
        picture = grey.convert("RGB").convert(mode) if mode != "LAB" else None
    else:
        picture = grey.convert(mode)
    if picture is None:
        from PIL import ImageCms

        lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        picture = ImageCms.applyTransform(grey.convert("RGB"), lab)
    got = images.to_array(picture)
    assert got.dtype == np.uint8 and got.shape[:2] == (12, 30)
    luma = images.to_grey(got).astype(int)
    assert luma[2, 5] < 12 and luma[0, 0] > 243
    assert mode == "1" or abs(luma[9, 25] - 128) < 12


@pytest.mark.parametrize("format", ["PNG", "TIFF", "BMP", "GIF", "WEBP", "PPM"])
def test_file_formats(tmp_path, format):
    path = tmp_path / f"x.{format.lower()}"
    Image.fromarray(drawing(colour=True)).save(path, format, **({"lossless": True} if format == "WEBP" else {}))
    assert np.abs(images.load(path).astype(int) - drawing(colour=True)).max() <= (3 if format == "GIF" else 0)


def test_sixteen_bits_are_scaled_not_cut(tmp_path):
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(1, -1).repeat(4, axis=0)
    cv2.imwrite(str(tmp_path / "x.png"), ramp)
    cv2.imwrite(str(tmp_path / "x.tif"), ramp)
    for name in ("x.png", "x.tif"):
        got = images.load(tmp_path / name)
        assert got.tolist() == np.rint(ramp / 257).astype(np.uint8).tolist()


def test_sixteen_bit_colour(tmp_path):
    colour = np.zeros((4, 6, 3), np.uint16)
    colour[:, :, 2] = 65535  # OpenCV writes BGR: red
    cv2.imwrite(str(tmp_path / "x.png"), colour)
    assert images.load(tmp_path / "x.png")[0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("top", [255, 4095, 65535])
def test_the_range_in_use_is_found(tmp_path, top):
    ramp = np.linspace(0, top, 32).astype(np.uint16).reshape(4, 8)
    cv2.imwrite(str(tmp_path / "x.png"), ramp)
    got = images.load(tmp_path / "x.png")
    assert (got.min(), got.max()) == (0, 255)
    assert np.abs(got - ramp * (255 / top)).max() <= 0.5


def test_floats_and_a_black_picture():
    assert images.to_array(Image.fromarray(np.full((2, 2), 0.5, np.float32))).tolist() == [[128, 128]] * 2
    assert images.to_array(Image.fromarray(np.zeros((2, 2), np.float32))).max() == 0
    assert images.to_array(Image.fromarray(np.full((2, 2), np.nan, np.float32))).dtype == np.uint8


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA"])
def test_transparency_is_paper(mode):
    ink = Image.new("RGBA", (30, 12), (0, 0, 0, 0))
    ink.paste((0, 0, 0, 255), (2, 1, 11, 4))
    ink.paste((0, 0, 0, 128), (20, 8, 28, 10))
    picture = ink if mode == "RGBA" else ink.convert("LA")
    if mode == "PA":
        picture = ink.convert("L").convert("P")
        picture.putalpha(ink.getchannel("A"))
        assert picture.mode == "PA"
    luma = images.to_grey(images.to_array(picture)).astype(int)
    assert luma[2, 5] == 0 and luma[0, 0] == 255
    assert abs(luma[9, 25] - 127) <= 1


def test_a_transparent_palette_and_a_transparent_colour(tmp_path):
    palette = Image.fromarray(np.where(drawing() < 255, 1, 0).astype(np.uint8), "P")
    palette.putpalette([0, 0, 0, 10, 10, 10])
    palette.save(tmp_path / "p.png", transparency=0)
    palette.save(tmp_path / "p.gif", transparency=0)
    grey = Image.fromarray(np.where(drawing() < 255, 7, 0).astype(np.uint8))
    grey.save(tmp_path / "l.png", transparency=0)
    for name in ("p.png", "p.gif", "l.png"):
        luma = images.to_grey(images.load(tmp_path / name))
        assert luma[0, 0] == 255 and luma[2, 5] <= 10, name


def turned(orientation):
    """The drawing stored so that the EXIF orientation brings it upright; the table of the EXIF standard."""
    upright = drawing()
    return {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.T,
        6: np.rot90(upright, 1),
        7: upright[::-1, ::-1].T,
        8: np.rot90(upright, -1),
    }[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["PNG", "TIFF", "packed TIFF"])
def test_rotation_by_exif(tmp_path, orientation, format):
    stored = Image.fromarray(np.ascontiguousarray(turned(orientation)))
    exif = stored.getexif()
    exif[0x0112] = orientation
    more = {"compression": "tiff_lzw"} if format.startswith("packed") else {}
    stored.save(tmp_path / "x", format.removeprefix("packed "), exif=exif, **more)
    assert np.array_equal(images.load(tmp_path / "x"), drawing())
    assert np.array_equal(images.load((tmp_path / "x").read_bytes()), drawing())


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP"])
def test_truncated_files_are_named(tmp_path, format):
    noise = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    data = saved(Image.fromarray(noise), format)
    for part in (1, 10, len(data) // 2, len(data) - 40):
        (tmp_path / "cut.x").write_bytes(data[:part])
        with pytest.raises(InputError, match=r"cut\.x: "):
            images.load(tmp_path / "cut.x")


@pytest.mark.parametrize(
    "content", [b"", b"not a picture", b"<html>404</html>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"]
)
def test_what_is_no_picture_is_named(tmp_path, content):
    path = tmp_path / "x.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.png: "):
        images.load(path)
    with pytest.raises(InputError, match="row 7: "):
        images.decode(content, "row 7")


def test_missing_files_and_folders_are_named(tmp_path):
    with pytest.raises(InputError, match=r"none\.png: no such file"):
        images.load(tmp_path / "none.png")
    with pytest.raises(InputError, match="directory"):
        images.load(tmp_path)


def test_a_decompression_bomb_is_refused():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0))
    with pytest.raises(InputError, match="bomb: larger than"):
        images.load(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""), "bomb")


@given(st.binary(max_size=200))
def test_no_bytes_bring_anything_but_a_picture_or_an_input_error(data):
    for prefix in (b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\x00", b"P6 2 2 255\n"):
        try:
            got = images.load(prefix + data)
        except InputError:
            continue
        assert got.dtype == np.uint8 and got.ndim in (2, 3)


def test_grey_and_colour():
    colour = drawing(colour=True)
    weights = colour @ np.array([0.299, 0.587, 0.114])
    assert np.abs(images.to_grey(colour) - weights).max() <= 1
    assert images.to_grey(drawing()) is not None and images.to_grey(drawing()).shape == (12, 30)
    assert np.array_equal(images.to_rgb(drawing())[:, :, 2], drawing())
    assert images.to_rgb(colour) is colour


def test_pictures_of_one_pixel_and_of_none():
    one = np.zeros((1, 1), np.uint8)
    assert np.array_equal(images.load(images.encode(one)), one)
    with pytest.raises((InputError, cv2.error)):
        images.encode(np.zeros((0, 5), np.uint8))


@pytest.mark.parametrize("shape", [(32, 200), (32, 200, 3)])
def test_light_writing_is_negated_and_dark_writing_is_not(shape):
    page = np.full(shape, 240, np.uint8)
    page[8:24, 20:60] = 30
    shaded = (page * np.linspace(0.35, 1.0, 200).reshape(1, -1, *[1] * (len(shape) - 2))).astype(np.uint8)
    for dark in (page, shaded, page // 2, np.full(shape, 20, np.uint8), np.full(shape, 250, np.uint8)):
        assert np.array_equal(images.dark_on_light(dark), dark)
    assert np.array_equal(images.dark_on_light(255 - page), page)
