"""TRDG's flags for the native engine: the same wishes, said as a recipe."""

from __future__ import annotations

import re
from typing import Any

from glyphline.render.recipe import TrdgSettings
from glyphline.settings import InputError

ALIASES = {
    "-i": "--corpus", "--input_file": "--corpus", "-l": "--language", "-c": "--count", "-t": "--workers",
    "--thread_count": "--workers", "-f": "--height_px", "-e": "--format", "--extension": "--format",
    "-na": "--naming", "--name_format": "--naming", "--output_dir": "--output",
    "-ft": "--fonts", "--font": "--fonts", "-fd": "--fonts", "--font_dir": "--fonts",
    "-k": "--trdg.skew_angle", "--skew_angle": "--trdg.skew_angle",
    "-rk": "--trdg.random_skew=true", "--random_skew": "--trdg.random_skew=true",
    "-bl": "--trdg.blur", "--blur": "--trdg.blur", "-rbl": "--trdg.random_blur=true",
    "--random_blur": "--trdg.random_blur=true", "-b": "--trdg.background", "--background": "--trdg.background",
    "-d": "--trdg.distorsion", "--distorsion": "--trdg.distorsion", "-do": "--trdg.distorsion_orientation",
    "--distorsion_orientation": "--trdg.distorsion_orientation", "-wd": "--trdg.width", "--width": "--trdg.width",
    "-al": "--trdg.alignment", "--alignment": "--trdg.alignment", "-or": "--trdg.orientation",
    "--orientation": "--trdg.orientation", "-tc": "--trdg.text_color", "--text_color": "--trdg.text_color",
    "-sw": "--trdg.space_width", "--space_width": "--trdg.space_width", "-cs": "--trdg.character_spacing",
    "--character_spacing": "--trdg.character_spacing", "-m": "--trdg.margins", "--margins": "--trdg.margins",
    "-fi": "--trdg.fit=true", "--fit": "--trdg.fit=true", "-id": "--trdg.image_dir", "--image_dir": "--trdg.image_dir",
    "-ca": "--trdg.case", "--case": "--trdg.case", "-ws": "--trdg.word_split=true",
    "--word_split": "--trdg.word_split=true", "-stw": "--trdg.stroke_width", "--stroke_width": "--trdg.stroke_width",
    "-stf": "--trdg.stroke_fill", "--stroke_fill": "--trdg.stroke_fill", "-im": "--trdg.image_mode",
    "--image_mode": "--trdg.image_mode",
}  # fmt: skip
"""TextRecognitionDataGenerator's options and ours."""


def overrides(flags: TrdgSettings, height_px: int) -> dict[str, Any]:
    """Return what TRDG's options change in a recipe of the native engine."""
    top, left, bottom, right = margins(flags.margins)
    room = top + bottom if flags.orientation == 0 else left + right
    if room > 0.8 * height_px:
        raise InputError(f"-m {flags.margins}: leaves no room in {height_px} px")
    return {
        "fit": "ink" if flags.fit else "font",
        "fill": max(0.1, (height_px - room) / height_px),
        "orientation": "vertical" if flags.orientation else "horizontal",
        "color": flags.image_mode == "RGB" and (flags.background > 1 or _is_colored(flags)),
        "width_px": max(0, flags.width),
        "align": ("left", "center", "right")[flags.alignment],
        "paper": [255, 255] if flags.background == 1 else [235, 235],
        "stroke_px": flags.stroke_width,
        "stroke_color": flags.stroke_fill,
        "effects": _effects(flags, (top, left, bottom, right)),
    }


def margins(text: str) -> tuple[int, int, int, int]:
    """Return top, left, bottom, right of `-m`: four numbers, or one for all."""
    try:
        values = [int(value) for value in text.split(",")]
    except ValueError as error:
        raise InputError(f"-m {text}: four whole numbers, top,left,bottom,right, or one") from error
    values = values * 4 if len(values) == 1 else values
    if len(values) != 4 or min(values) < 0:
        raise InputError(f"-m {text}: four whole numbers, top,left,bottom,right, or one")
    return values[0], values[1], values[2], values[3]


def colors(text: str) -> list[str]:
    """Return the one or two colours of `-tc`. InputError for anything else."""
    found = text.split(",")
    if len(found) > 2 or not all(re.fullmatch(r"#[0-9a-fA-F]{6}", color) for color in found):
        raise InputError(f"-tc {text}: a colour such as #282828, or two as a range: #000000,#888888")
    return found


def _is_colored(flags: TrdgSettings) -> bool:
    """Tell whether ink or outline has a hue."""
    return any(len({c[1:3], c[3:5], c[5:7]}) > 1 for c in (*colors(flags.text_color), flags.stroke_fill))


def _effects(flags: TrdgSettings, around: tuple[int, int, int, int]) -> list[dict[str, Any]]:
    found = colors(flags.text_color)
    uses: list[dict[str, Any]] = [{"name": "color", "settings": {"low": found[0], "high": found[-1]}}]
    if flags.character_spacing:
        uses.append(
            {"name": "tracking", "settings": {"low_px": flags.character_spacing, "high_px": flags.character_spacing}}
        )
    if flags.space_width != 1.0:
        uses.append({"name": "spaces", "settings": {"low": flags.space_width, "high": flags.space_width}})
    if flags.skew_angle:
        low = -flags.skew_angle if flags.random_skew else flags.skew_angle
        uses.append({"name": "skew", "settings": {"low": low, "high": flags.skew_angle, "max_rise": 1000.0}})
    if flags.distorsion:
        shape = ("sine", "cosine", "random")[flags.distorsion - 1]
        axis = ("vertical", "horizontal", "both")[flags.distorsion_orientation]
        uses.append({"name": "wave", "settings": {"shape": shape, "axis": axis}})
    names = ("top", "left", "bottom", "right")
    uses.append({"name": "frame", "settings": dict(zip(names, around, strict=True))})
    uses += _papers(flags)
    if flags.blur:
        uses.append({"name": "blur", "settings": {"low": 0.0 if flags.random_blur else flags.blur, "high": flags.blur}})
    return uses


def _papers(flags: TrdgSettings) -> list[dict[str, Any]]:
    """Return the background: TRDG's noise has a mean of 235 and a deviation of 10."""
    if flags.background == 0:
        return [{"name": "noise", "stage": "paper", "settings": {"low": 10.0, "high": 10.0}}]
    if flags.background == 2:
        return [{"name": "quasicrystal"}]
    if flags.background == 3:
        return [{"name": "photograph", "settings": {"folder": flags.image_dir}}]
    return []


def translate(arguments: list[str]) -> list[str]:
    """Return a command line with what needs more than another name put right.

    `--fonts A B` becomes a list (the last one counts), `-e jpg` is JPEG, and `-w N` goes: it counts the words of random
    texts and has no effect on texts that are given, in TRDG as here.
    """
    result: list[str] = []
    taking, skipping = False, False
    for argument in arguments:
        if skipping or argument in ("-w", "--length"):
            skipping = not skipping
            continue
        if argument in FONT_OPTIONS:
            taking = True
            result = [kept for kept in result if not kept.startswith("--fonts+=")]
        elif taking and not argument.startswith("-"):
            result.append(f"--fonts+={argument}")
        else:
            taking = False
            result.append(
                {"jpg": "jpeg"}.get(argument, argument) if result and result[-1] in FORMAT_OPTIONS else argument
            )
    return result


FONT_OPTIONS = ("--fonts", "-ft", "--font", "-fd", "--font_dir")
FORMAT_OPTIONS = ("-e", "--extension", "--format")
