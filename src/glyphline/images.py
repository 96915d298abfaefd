"""Pictures in and out: every kind of file becomes a uint8 array on white, or an error that names the file."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from glyphline.settings import InputError

ImageFormat = Literal["png", "jpeg", "webp"]


def load(source: str | Path | bytes, name: str = "") -> np.ndarray:
    """Read a picture as uint8 `(H, W)` grey or `(H, W, 3)` RGB.

    Rotation by EXIF is applied, transparency is laid on white, palettes, CMYK, bilevel and 16-bit pictures are
    converted. InputError names the file where it is missing, truncated, empty or no picture.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    label = name or (str(source) if not isinstance(source, bytes) else "image")
    try:
        # Always a handle: given a file's name, Pillow 13 maps an uncompressed turned TIFF with its sides exchanged.
        with warnings.catch_warnings(), _opened(source) as handle:
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(handle)
            picture.load()
    except FileNotFoundError as error:
        raise InputError(f"{label}: no such file") from error
    except (IsADirectoryError, PermissionError) as error:
        raise InputError(f"{label}: cannot be read ({error.strerror})") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{label}: not a picture in a known format") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(f"{label}: larger than {Image.MAX_IMAGE_PIXELS} pixels; cut it into lines first") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise InputError(f"{label}: truncated or damaged ({error})") from error
    return to_array(ImageOps.exif_transpose(picture))


def _opened(source: str | Path | bytes) -> BinaryIO:
    return io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb")


def to_array(picture: object) -> np.ndarray:
    """Turn a PIL image of any mode into uint8 `(H, W)` or `(H, W, 3)`, transparency on white."""
    from PIL import Image

    if picture.mode.startswith(("I", "F")):
        return _to_eight_bits(np.asarray(picture))
    if picture.mode in ("1", "L") and "transparency" not in picture.info:
        return np.asarray(picture.convert("L"))
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        above = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
    return np.asarray(picture.convert("RGB"))


def _to_eight_bits(values: np.ndarray) -> np.ndarray:
    """Scale deep grey to 0-255 by the smallest usual range that holds it: 0-1, 8, 12 or 16 bits, else its own."""
    values = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
    top = values.max(initial=0.0)
    scale = next((limit for limit in (1.0, 255.0, 4095.0, 65535.0) if top <= limit), top)
    return np.clip(np.rint(values * (255.0 / scale)), 0, 255).astype(np.uint8)


def encode(image: np.ndarray, format: ImageFormat = "png", quality: int = 92) -> bytes:
    """Encode a uint8 `(H, W)` or `(H, W, 3)` array; `quality` is for JPEG and WebP. The same bytes each time."""
    import cv2

    flags = {
        "png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
        "jpeg": [cv2.IMWRITE_JPEG_QUALITY, quality],
        "webp": [cv2.IMWRITE_WEBP_QUALITY, quality],
    }
    extension = ".jpg" if format == "jpeg" else f".{format}"
    pixels = image if image.ndim == 2 else image[:, :, ::-1]
    done, buffer = cv2.imencode(extension, np.ascontiguousarray(pixels), flags[format])
    if not done:
        raise InputError(f"a picture of shape {image.shape} cannot be written as {format}")
    return buffer.tobytes()


def decode(data: bytes, name: str = "") -> np.ndarray:
    """Decode what `encode` wrote: the fast way for our own shards. InputError where the bytes are damaged."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if pixels is None or pixels.dtype != np.uint8 or (pixels.ndim == 3 and pixels.shape[2] != 3):
        return load(data, name)
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[:, :, ::-1])


def size_of(data: bytes, name: str = "") -> tuple[int, int]:
    """Return (width, height) in pixels of an encoded picture, from its head alone. InputError where it is damaged."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as picture:
            return picture.size
    except (UnidentifiedImageError, OSError) as error:
        raise InputError(f"{name or 'a picture'}: cannot be opened ({error})") from error


def to_grey(image: np.ndarray) -> np.ndarray:
    """Return `(H, W)` luma (Rec. 601) of an image."""
    import cv2

    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def to_rgb(image: np.ndarray) -> np.ndarray:
    """Return `(H, W, 3)`; grey is repeated."""
    return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)


def dark_on_light(image: np.ndarray) -> np.ndarray:
    """Return a line's picture with dark writing on light paper: its negative where the writing is the lighter of both.

    Paper is what most pixels show (their median), writing what lies farthest from it.
    """
    import cv2

    channels = 1 if image.ndim == 2 else image.shape[2]
    if sum(cv2.mean(image)[:channels]) > 150 * channels:  # most pictures: paper is most of it
        return image
    darkest, paper, lightest = np.percentile(to_grey(image), (0.5, 50, 99.5))
    return 255 - image if paper < 140 and lightest - paper > 1.5 * (paper - darkest) else image
