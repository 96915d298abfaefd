"""Small sets in the true layouts of what the readers read: `build(name, folder)` writes one and says what is in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from glyphline.images import encode

TEXTS = ["Au clair de la lune", "mon ami Pierrot", "prête-moi ta plume", "pour écrire un mot."]


def picture(seed: int, width: int = 240, height: int = 48) -> np.ndarray:
    """A line of strokes on paper, another one for each seed."""
    generator = np.random.default_rng(seed)
    image = np.full((height, width), 235, np.uint8)
    for x in generator.integers(6, width - 6, 24):
        image[10 : height - 10, x : x + 2] = generator.integers(10, 60)
    return image


def put(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(image, "jpeg" if path.suffix == ".jpg" else "png"))


def gt_tsv(root: Path) -> None:
    rows = ["file\ttext\tgroup"]
    for k, text in enumerate(TEXTS):
        put(root / f"lines/{k}.png", picture(k))
        rows.append(f"lines/{k}.png\t{text}\tw{k // 2}")
    (root / "labels.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def csv(root: Path) -> None:
    rows = ["text,name"]
    for k, text in enumerate(TEXTS):
        put(root / f"images/{k}.png", picture(k))
        rows.append(f'"{text}",{k}.png')
    (root / "train.csv").write_text("\n".join(rows), encoding="utf-8-sig")


def trdg(root: Path) -> None:
    for k in range(len(TEXTS)):
        put(root / f"{k}.jpg", picture(k))
    (root / "labels.txt").write_text("".join(f"{k}.jpg {text}\n" for k, text in enumerate(TEXTS)), encoding="utf-8")


def partitions(root: Path) -> None:
    ids = ["Rodrigo_00006_1", "Rodrigo_00007_10", "Rodrigo_00008_1", "Rodrigo_00009_2"]
    (root / "text").mkdir(parents=True)
    (root / "partitions").mkdir()
    for k, name in enumerate(ids):
        put(root / f"images/{name}.png", picture(k))
    rows = "".join(f"{name} {text}\n" for name, text in zip(ids, TEXTS, strict=True))
    (root / "text/transcriptions.txt").write_text(rows, encoding="utf-8")
    for split, names in {"train": ids[:2], "validation": ids[2:3], "test": ids[3:]}.items():
        (root / f"partitions/{split}.txt").write_text("\n".join(names) + "\n")


def iam(root: Path) -> None:
    """Two writers, two lines each, one of them marked err; bars, entities, a space inside a token."""
    lines = {
        "a01-000u": ("000", [("ok", "A MOVE to stop Mr. Gaitskell", "A|MOVE|to|stop|Mr.|Gaitskell"),
                             ("err", 'He said "no" & left.', 'He|said|&quot;|no|&quot;|&amp;|left|.')]),
        "b02-045": ("003", [("ok", "We'll go (soon), he said.", "We|'ll|go|(|soon|)|,|he|said|."),
                            ("ok", "the 5 0 men", "the|5 0|men")]),
    }  # fmt: skip
    ascii_lines, ascii_words, forms = ["#--- lines.txt ---#"], ["#--- words.txt ---#"], ["#--- forms.txt ---#"]
    (root / "xml").mkdir(parents=True)
    (root / "ascii").mkdir()
    for number, (form, (writer, items)) in enumerate(lines.items()):
        put(root / f"formsA-D/{form}.png", np.vstack([np.full((200, 300), 235, np.uint8), *map(_row, range(2))]))
        xml = []
        for k, (status, text, tokens) in enumerate(items):
            name = f"{form}-{k:02d}"
            put(root / f"lines/{form[:3]}/{form}/{name}.png", picture(10 * number + k))
            ascii_lines.append(f"{name} {status} 154 19 10 {200 + 60 * k} 280 50 {tokens}")
            escaped = text.replace("&", "&amp;").replace('"', "&quot;").replace("'", "&apos;")
            words = []
            for w, token in enumerate(tokens.split("|")):
                put(root / f"words/{form[:3]}/{form}/{name}-{w:02d}.png", picture(1000 * number + 100 * k + w, 60))
                ascii_words.append(f"{name}-{w:02d} {status} 154 {10 + 30 * w} {200 + 60 * k} 28 50 NN {token}")
                words.append(
                    f'<word id="{name}-{w:02d}" tag="NN" text="{token}">'
                    f'<cmp x="{10 + 30 * w}" y="{200 + 60 * k}" width="28" height="40"/></word>'
                )
            xml.append(
                f'<line id="{name}" segmentation="{status}" text="{escaped}" asy="{200 + 60 * k}" dsy="{245 + 60 * k}">'
                f"{''.join(words)}</line>"
            )
        body = f'<form id="{form}" writer-id="{writer}"><handwritten-part>{"".join(xml)}</handwritten-part></form>'
        (root / f"xml/{form}.xml").write_text(f'<?xml version="1.0" encoding="UTF-8"?>{body}', encoding="utf-8")
        forms.append(f"{form} {writer} 2 prt 2 2 10 10")
    for name, rows in {"lines": ascii_lines, "words": ascii_words, "forms": forms}.items():
        (root / f"ascii/{name}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (root / "part").mkdir()
    (root / "part/train.uttlist").write_text("a01-000u\n")
    (root / "part/test.uttlist").write_text("b02-045\n")


def _row(k: int) -> np.ndarray:
    return np.pad(picture(70 + k, 300, 50), ((0, 10), (0, 0)), constant_values=235)


def page_image() -> np.ndarray:
    """A page of four dark bars, 20 px high, at y = 40, 100, 160, 220."""
    image = np.full((280, 400), 240, np.uint8)
    for k in range(4):
        image[40 + 60 * k : 60 + 60 * k, 50 : 350 - 20 * k] = 30 + 10 * k
    return image


def box(k: int) -> tuple[int, int, int, int]:
    return 45, 35 + 60 * k, 355 - 20 * k, 65 + 60 * k


def alto(root: Path) -> None:
    put(root / "page1.png", page_image())
    lines = []
    for k, text in enumerate(TEXTS):
        left, top, right, bottom = box(k)
        words = text.split()
        strings = ("<SP/>" if k == 0 else "").join(f'<String CONTENT="{word}"/>' for word in words)
        strings += '<HYP CONTENT="¬"/>' if k == 3 else ""
        shape = f'<Shape><Polygon POINTS="{left} {top} {right} {top} {right} {bottom} {left} {bottom}"/></Shape>'
        lines.append(
            f'<TextLine ID="l{k}" TAGREFS="LT1" BASELINE="{left} {bottom - 5} {right} {bottom - 5}" HPOS="{left}" '
            f'VPOS="{top}" WIDTH="{right - left}" HEIGHT="{bottom - top}">{shape if k % 2 else ""}{strings}</TextLine>'
        )
    (root / "page1.xml").write_text(
        '<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#"><Description><sourceImageInformation>'
        "<fileName>page1.png</fileName></sourceImageInformation></Description>"
        '<Tags><OtherTag ID="LT1" LABEL="DefaultLine"/></Tags><Layout><Page WIDTH="400" HEIGHT="280"><PrintSpace>'
        f'<TextBlock ID="b2">{"".join(lines[2:])}</TextBlock><TextBlock ID="b1">{"".join(lines[:2])}</TextBlock>'
        "</PrintSpace></Page></Layout></alto>",
        encoding="utf-8",
    )


def page_xml(root: Path) -> None:
    """Regions out of order in the file, put right by ReadingOrder; lines put right by `custom`."""
    put(root / "img.png", page_image())
    regions = []
    for region, members in (("r2", (2, 3)), ("r1", (1, 0))):
        lines = []
        for k in members:
            left, top, right, bottom = box(k)
            lines.append(
                f'<TextLine id="l{k}" custom="readingOrder {{index:{k % 2};}} structure {{type:default;}}">'
                f'<Coords points="{left},{top} {right},{top} {right},{bottom} {left},{bottom}"/>'
                f'<Baseline points="{left},{bottom - 5} {right},{bottom - 5}"/>'
                f'<TextEquiv index="1"><Unicode>second reading</Unicode></TextEquiv>'
                f'<TextEquiv index="0"><Unicode>{TEXTS[k]}</Unicode></TextEquiv></TextLine>'
            )
        regions.append(f'<TextRegion id="{region}" type="paragraph">{"".join(lines)}</TextRegion>')
    (root / "page").mkdir(parents=True)
    (root / "page/img.xml").write_text(
        '<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15">'
        '<Page imageFilename="img.png" imageWidth="400" imageHeight="280"><ReadingOrder><OrderedGroup id="g">'
        '<RegionRefIndexed index="1" regionRef="r2"/><RegionRefIndexed index="0" regionRef="r1"/></OrderedGroup>'
        f"</ReadingOrder>{''.join(regions)}</Page></PcGts>",
        encoding="utf-8",
    )


def hub(root: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    root.mkdir(parents=True, exist_ok=True)
    for split, part in (("train", (0, 1, 2)), ("test", (3,))):
        images = [{"bytes": encode(picture(k)), "path": None} for k in part]
        table = pa.table({"image": images, "text": [TEXTS[k] for k in part]})
        pq.write_table(table, root / f"{split}-00000-of-00001.parquet", row_group_size=2)


def notary(root: Path) -> None:
    put(root / "Images/7.png", page_image())
    names = ["7_Invocatio", "R1,7_Reassurance", "R1,7_Reassurance", "7_Signatures"]
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>{left}</xmin><ymin>{top}</ymin><xmax>{right}</xmax>"
        f"<ymax>{bottom}</ymax></bndbox></object>"
        for name, (left, top, right, bottom) in zip(names, map(box, range(4)), strict=True)
    )
    (root / "Images/7.xml").write_text(
        f"<annotation><filename>7.jpg</filename><size><width>400</width><height>280</height></size>{objects}</annotation>"
    )
    topics = ["Invocatio", "Reassurance", "Reassurance", "Type of deed"]
    records = [
        {"id": str(k), "image_number": 7, "content": text, "class_label": [topic], "extended_class_label": [topic]}
        for k, (text, topic) in enumerate(zip(TEXTS, topics, strict=True))
    ]
    (root / "Labeled Data.json").write_text(json.dumps({"records": records}), encoding="utf-8")


BUILDERS = {
    function.__name__: function
    for function in (gt_tsv, csv, trdg, partitions, iam, alto, page_xml, hub, notary)
}  # fmt: skip


def build(name: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    BUILDERS[name](folder)
    return folder
