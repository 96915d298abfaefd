"""Fetch the fonts (SIL Open Font Licence) that the shipped Korean model learnt from beside Nanum's and BM's.

    python benchmarks/ko_lines/fonts.py --output runs/fonts_ko

Takes the packages of Fontsource (https://fontsource.org) with `npm pack`, joins each family's Korean and Latin parts
into one TrueType file, and writes its licence beside it. Families that are here already are not fetched again.
"""

from __future__ import annotations

import argparse
import subprocess
import tarfile
import tempfile
from pathlib import Path

from fontTools.merge import Merger
from fontTools.ttLib import TTFont
from tqdm import tqdm

HANDS = ["gamja-flower", "poor-story", "single-day", "cute-font", "east-sea-dokdo", "black-and-white-picture",
         "dongle", "grandiflora-one"]  # fmt: skip
PRINT = ["gowun-dodum", "gowun-batang", "noto-serif-kr", "noto-sans-kr", "gothic-a1", "hahmlet", "sunflower",
         "stylish", "gugi", "ibm-plex-sans-kr", "orbit", "black-han-sans"]  # fmt: skip


def fetch(family: str, folder: Path) -> None:
    """Write FAMILY.ttf and FAMILY.licence.txt into the folder. RuntimeError where npm has no such package."""
    with tempfile.TemporaryDirectory() as beside:
        done = subprocess.run(
            ["npm", "pack", "--silent", f"@fontsource/{family}"],
            cwd=beside,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{family}: npm pack failed: {done.stderr.strip()}")
        with tarfile.open(next(Path(beside).glob("*.tgz"))) as package:
            package.extractall(beside, filter="data")
        files, parts = Path(beside) / "package" / "files", []
        for script in ("korean", "latin"):
            weights = sorted(files.glob(f"{family}-{script}-?00-normal.woff"), key=lambda p: abs(_weight(p) - 400))
            if not weights:
                raise RuntimeError(f"{family}: the package has no {script} part")
            parts.append(Path(beside) / f"{script}.ttf")
            font = TTFont(weights[0])
            font.flavor = None
            font.save(parts[-1])
        merged = Merger().merge(list(map(str, parts)))
        merged.save(folder / f"{family}.ttf.part")
        licence = (Path(beside) / "package" / "LICENSE").read_text(encoding="utf-8")
        (folder / f"{family}.licence.txt").write_text(licence, encoding="utf-8")
        (folder / f"{family}.ttf.part").replace(folder / f"{family}.ttf")


def _weight(path: Path) -> int:
    return int(path.stem.split("-")[-2])


def main() -> None:
    """Fetch all families that the folder lacks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", required=True, help="folder for the fonts: hand/ and print/ are made in it")
    asked = parser.parse_args()
    for kind, families in (("hand", HANDS), ("print", PRINT)):
        folder = Path(asked.output) / kind
        folder.mkdir(parents=True, exist_ok=True)
        for family in tqdm([name for name in families if not (folder / f"{name}.ttf").exists()], desc=kind):
            fetch(family, folder)


if __name__ == "__main__":
    main()
