"""What each layout means, line by line."""

import numpy as np
import pytest
from layouts import TEXTS, box, build, page_image, picture, put

from glyphline.handwriting.raw import RawLine, read_table, read_text
from glyphline.handwriting.readers import alto, csv, gt_tsv, hub, iam, notary, page_xml, partitions, trdg
from glyphline.records import Drop
from glyphline.settings import InputError


def read(module, root, **more):
    found = list(module.samples(module.Settings(root=str(root), **more)))
    return [item for item in found if isinstance(item, RawLine)], [item for item in found if isinstance(item, Drop)]


def test_table_with_groups(tmp_path):
    lines, drops = read(gt_tsv, build("gt_tsv", tmp_path))
    assert [(line.text, line.group) for line in lines] == list(zip(TEXTS, ("w0", "w0", "w1", "w1"), strict=True))
    assert drops == []
    (tmp_path / "lines/2.png").unlink()
    _, drops = read(gt_tsv, tmp_path)
    assert drops == [Drop("no picture", "lines/2.png", TEXTS[2])]


def test_list_without_header_and_quotes_taken_literally(tmp_path):
    put(tmp_path / "a.png", picture(1))
    put(tmp_path / "b.png", picture(2))
    (tmp_path / "gt_train.txt").write_bytes(b'a.png\t"Oui", dit-il\r\nno tab here\r\n')
    (tmp_path / "gt_test.txt").write_text("b.png\tNon\n")
    lines, drops = read(gt_tsv, tmp_path)
    assert [(line.text, line.split) for line in lines] == [("Non", "test"), ('"Oui", dit-il', "train")]
    assert [(drop.reason, drop.item) for drop in drops] == [("no tab between file and text", "gt_train.txt:2")]


def test_pairs_take_their_page_as_group(tmp_path):
    for name in ("p1_0001", "p1_0002", "p2_0001"):
        put(tmp_path / f"{name}.png", picture(len(name)))
        (tmp_path / f"{name}.gt.txt").write_text(f"text of {name}\n")
    (tmp_path / "p9_0001.gt.txt").write_text("lonely")
    lines, drops = read(gt_tsv, tmp_path)
    assert [line.group for line in lines] == ["p1", "p1", "p2"]
    assert lines[0].text == "text of p1_0001"
    assert [drop.item for drop in drops] == ["p9_0001"]
    lines, _ = read(gt_tsv, tmp_path, group_pattern=r"^(p\d_000\d)")
    assert [line.group for line in lines] == ["p1_0001", "p1_0002", "p2_0001"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
@pytest.mark.parametrize("mark", [",", "\t", ";"])
def test_csv_in_every_encoding_and_with_every_separator(tmp_path, encoding, mark):
    put(tmp_path / "images/1.jpg", picture(1))
    rows = [["name", "text"], ["1.jpg", "한국어 손글씨"], ["2.jpg", "없음"]]
    (tmp_path / "train.csv").write_bytes("\r\n".join(mark.join(row) for row in rows).encode(encoding))
    lines, drops = read(csv, tmp_path)
    assert [line.text for line in lines] == ["한국어 손글씨"]
    assert [drop.detail for drop in drops] == ["없음"]


def test_csv_columns_splits_and_faults(tmp_path):
    for k in range(3):
        put(tmp_path / f"{k}.png", picture(k))
    (tmp_path / "train.csv").write_text('file,label,who\n0,"a, b",w1\n1,c,w2\n')
    (tmp_path / "val.csv").write_text("file,label,who\n2.png,d,w3\n")
    names = {"images": ".", "text_column": "label", "name_column": "file", "group_column": "who"}
    lines, _ = read(csv, tmp_path, **names)
    assert [(line.text, line.group, line.split) for line in lines] == [
        ("a, b", "w1", "train"),
        ("c", "w2", "train"),
        ("d", "w3", "validation"),
    ]
    with pytest.raises(InputError, match=r"train\.csv: no column 'name'; it has 'file', 'label', 'who'"):
        read(csv, tmp_path, images=".", text_column="label")
    (tmp_path / "train.csv").write_bytes(b"file,label\n0,\xff\xfe\xfd\n")
    with pytest.raises(InputError, match=r"train\.csv: not utf-8-sig or cp949 \(byte 13\)"):
        read(csv, tmp_path, **names)
    (tmp_path / "train.csv").write_text("")
    with pytest.raises(InputError, match="empty; a header line is needed"):
        read(csv, tmp_path, **names)


def test_partition_ids_are_matched_whole(tmp_path):
    root = build("partitions", tmp_path)
    # An id that begins another one must not take it along; one without transcription is listed.
    put(root / "images/Rodrigo_00006_10.png", picture(9))
    with (root / "text/transcriptions.txt").open("a") as handle:
        handle.write("Rodrigo_00006_10 otra linea\n")
    with (root / "partitions/test.txt").open("a") as handle:
        handle.write("\nRodrigo_00099_1\n")
    lines, drops = read(partitions, root)
    splits = {line.id: line.split for line in lines}
    assert splits["Rodrigo_00006_1"] == "train"
    assert splits["Rodrigo_00006_10"] == ""
    assert splits["Rodrigo_00008_1"] == "validation"
    assert {line.group for line in lines if line.id.startswith("Rodrigo_00006")} == {"Rodrigo_00006"}
    assert [(drop.reason, drop.item) for drop in drops] == [
        ("in a partition, without transcription", "Rodrigo_00099_1")
    ]
    (root / "partitions/validation.txt").write_text("Rodrigo_00006_1\n")
    with pytest.raises(InputError, match="'Rodrigo_00006_1' is also in t"):
        read(partitions, root)


def test_iam_lines(tmp_path):
    lines, drops = read(iam, build("iam", tmp_path))
    assert [(line.id, line.group, line.split) for line in lines] == [
        ("a01-000u-00", "writer 000", "train"),
        ("a01-000u-01", "writer 000", "train"),
        ("b02-045-00", "writer 003", "test"),
        ("b02-045-01", "writer 003", "test"),
    ]
    assert lines[1].text == 'He said "no" & left.'
    assert lines[1].provenance["segmentation"] == "err"
    assert np.array_equal(lines[2].picture.load(), picture(10))
    lines, drops = read(iam, tmp_path, errors="drop")
    assert [drop.item for drop in drops] == ["a01-000u-01"]


def test_iam_ascii_conventions(tmp_path):
    build("iam", tmp_path)
    natural, _ = read(iam, tmp_path, text="ascii")
    assert [line.text for line in natural] == [
        "A MOVE to stop Mr. Gaitskell",
        'He said "no" & left.',
        "We'll go (soon), he said.",
        "the 5 0 men",  # the field with a space inside
    ]
    tokens, _ = read(iam, tmp_path, text="ascii", spacing="tokens")
    assert tokens[2].text == "We 'll go ( soon ) , he said ."


def test_iam_words_leave_out_err(tmp_path):
    lines, drops = read(iam, build("iam", tmp_path), level="word")
    assert [line.text for line in lines][:6] == ["A", "MOVE", "to", "stop", "Mr.", "Gaitskell"]
    assert len(drops) == 8
    assert all(line.split for line in lines)


def test_iam_forms_are_cut_below_the_printed_header(tmp_path):
    lines, _ = read(iam, build("iam", tmp_path), level="form", header_margin_px=20)
    assert lines[0].text == 'A MOVE to stop Mr. Gaitskell\nHe said "no" & left.'
    image = lines[0].picture.load()
    assert image.shape[1] == 300
    assert 100 < image.shape[0] < 180  # the 200 rows of print above are gone but for the margin


def test_iam_lines_are_cut_from_forms_where_there_are_no_line_files(tmp_path):
    import shutil

    shutil.rmtree(build("iam", tmp_path) / "lines")
    lines, drops = read(iam, tmp_path)
    assert drops == []
    assert 40 < lines[0].picture.load().shape[0] < 70


def test_alto_order_strings_hyphen_and_boxes(tmp_path):
    lines, _ = read(alto, build("alto", tmp_path))
    assert [line.text for line in lines] == [TEXTS[2], TEXTS[3] + "¬", TEXTS[0], TEXTS[1]]  # the file's order
    assert lines[0].provenance["type"] == "DefaultLine"
    # The bar of each line is in its picture and nothing else dark is.
    for line, k in zip(lines, (2, 3, 0, 1), strict=True):
        image = line.picture.load()
        assert image.min() == 30 + 10 * k
        assert image.shape[0] == pytest.approx(30 + 8, abs=3)
    text = (tmp_path / "page1.xml").read_text()
    order = '<ReadingOrder><OrderedGroup><ElementRef REF="b1"/><ElementRef REF="b2"/></OrderedGroup></ReadingOrder>'
    (tmp_path / "page1.xml").write_text(text.replace("<Layout>", order + "<Layout>"))
    assert [line.text for line in read(alto, tmp_path)[0]][:2] == TEXTS[:2]
    _, drops = read(alto, tmp_path, skip_types=["DefaultLine"])
    assert [drop.reason for drop in drops] == ["type is left out"] * 4


def test_alto_in_other_units_gives_the_same_pixels(tmp_path):
    """Twice the numbers on a page twice as large in its units: the same crop of the same picture."""
    import re

    before = [line.picture.load() for line in read(alto, build("alto", tmp_path))[0]]
    text = (tmp_path / "page1.xml").read_text()

    def double(found):
        return re.sub(r"\d+", lambda number: str(2 * int(number[0])), found[0])

    text = re.sub(r'(?:POINTS|BASELINE|HPOS|VPOS|WIDTH|HEIGHT)="[^"]*"', double, text)
    (tmp_path / "page1.xml").write_text(text)
    for one, other in zip(before, (line.picture.load() for line in read(alto, tmp_path)[0]), strict=True):
        assert np.array_equal(one, other)


def test_twin_files_are_read_once(tmp_path):
    build("alto", tmp_path)
    (tmp_path / "page1.clean.xml").write_text((tmp_path / "page1.xml").read_text())
    (tmp_path / "mets.xml").write_text("<mets/>")
    lines, drops = read(alto, tmp_path)
    assert len(lines) == 4
    assert [(drop.reason, drop.item) for drop in drops] == [
        ("not an ALTO", "mets.xml"),
        ("page described twice", "page1.clean.xml"),
    ]


def test_page_xml_reading_order_and_first_text(tmp_path):
    lines, _ = read(page_xml, build("page_xml", tmp_path))
    assert [line.text for line in lines] == TEXTS
    assert lines[0].provenance["region_type"] == "paragraph"
    assert lines[0].group == "page/img"


def test_page_xml_of_before_2013(tmp_path):
    root = build("page_xml", tmp_path)
    text = (root / "page/img.xml").read_text()
    left, top, right, bottom = box(0)
    points = f"{left},{top} {right},{top} {right},{bottom} {left},{bottom}"
    corners = "".join(f'<Point x="{x}" y="{y}"/>' for x, y in (p.split(",") for p in points.split()))
    old = text.replace(f'<Coords points="{points}"/>', f"<Coords>{corners}</Coords>").replace(
        "2019-07-15", "2010-03-19"
    )
    assert old != text
    before = read(page_xml, root)[0][0].picture.load()
    (root / "page/img.xml").write_text(old)
    assert np.array_equal(read(page_xml, root)[0][0].picture.load(), before)


def test_hub_rows_and_splits(tmp_path):
    lines, _ = read(hub, build("hub", tmp_path))
    assert [(line.text, line.split) for line in lines] == [(TEXTS[3], "test")] + [(t, "train") for t in TEXTS[:3]]
    assert np.array_equal(lines[3].picture.load(), picture(2))
    with pytest.raises(InputError, match="no column 'txt'; it has image, text"):
        read(hub, tmp_path, text_column="txt")


def test_hub_reads_what_datasets_writes(tmp_path):
    """A set written by Hugging Face datasets itself, with PIL pictures."""
    datasets = pytest.importorskip("datasets")
    from PIL import Image

    rows = {"image": [Image.fromarray(picture(k)) for k in range(3)], "text": TEXTS[:3]}
    features = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string")})
    datasets.Dataset.from_dict(rows, features=features).to_parquet(str(tmp_path / "train.parquet"))
    lines, _ = read(hub, tmp_path / "train.parquet")
    assert [line.text for line in lines] == TEXTS[:3]
    assert np.array_equal(lines[1].picture.load(), picture(1))


def test_trdg_labels(tmp_path):
    lines, _ = read(trdg, build("trdg", tmp_path))
    assert [line.text for line in lines] == TEXTS
    (tmp_path / "2.jpg").unlink()
    assert [drop.item for drop in read(trdg, tmp_path)[1]] == ["labels.txt:3"]


def test_notary_pairs_only_what_is_sure(tmp_path, caplog):
    lines, drops = read(notary, build("notary", tmp_path))
    assert [(line.text, line.provenance["box"]) for line in lines] == [(TEXTS[0], "7_Invocatio")]
    assert sorted(drop.reason for drop in drops) == ["box without a sure text"] * 3 + ["text without a sure box"] * 3
    assert "topics, not texts" in caplog.text
    lines, drops = read(notary, tmp_path, equal_counts=True)
    assert [line.text for line in lines] == TEXTS[:3]
    # No region name ever becomes a text.
    assert not any("Reassurance" in line.text for line in lines)


def test_crops_of_pages_show_their_bars(tmp_path):
    lines, _ = read(notary, build("notary", tmp_path))
    left, top, right, bottom = box(0)
    expected = page_image()[top - 4 : bottom + 5, left - 4 : right + 5]
    assert lines[0].picture.load().shape == expected.shape


def test_text_files(tmp_path):
    (tmp_path / "a.txt").write_bytes("﻿한글\r\nabc".encode())
    assert read_text(tmp_path / "a.txt") == "한글\nabc"
    (tmp_path / "b.txt").write_bytes("한글".encode("cp949"))
    assert read_text(tmp_path / "b.txt") == "한글"
    with pytest.raises(InputError, match="not utf-8"):
        read_text(tmp_path / "b.txt", "utf-8")
    with pytest.raises(InputError, match="no encoding called 'utf9'"):
        read_text(tmp_path / "b.txt", "utf9")
    with pytest.raises(InputError, match="No such file"):
        read_text(tmp_path / "c.txt")
    (tmp_path / "d.csv").write_text('a,b\n"x\n')
    with pytest.raises(InputError, match="quotes that close"):
        read_table(tmp_path / "d.csv")


@pytest.mark.parametrize("reader", [alto, page_xml], ids=["alto", "page_xml"])
def test_a_whole_page_has_the_text_of_its_lines_and_the_box_around_them(reader, tmp_path):
    folder = build(reader.__name__.rpartition(".")[2], tmp_path)
    lines, _ = read(reader, folder)
    [page], _ = read(reader, folder, level="page")
    assert page.text == "\n".join(line.text for line in lines)
    assert page.group == lines[0].group
    image, pictures = page.picture.load(), [line.picture.load() for line in lines]
    assert {int(picture.min()) for picture in pictures} <= set(np.unique(image).tolist())
    assert image.shape[0] > sum(picture.shape[0] for picture in pictures) * 0.8
