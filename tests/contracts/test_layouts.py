"""Every layout: a job's folder is whole, opens with `datasets`, holds the same pictures, and replays."""

import csv
import json
import tarfile

import pytest
from tests.render.conftest import FONTS, KOREAN

from glyphline.images import decode
from glyphline.manifest import Storage, read_manifest, verify
from glyphline.plugins import available
from glyphline.render.job import RenderSettings, render
from glyphline.render.replay import find

LAYOUTS = available("layout")


def job(lines_file, output, **more):
    options = {"corpus": lines_file, "output": str(output), "language": "ko", "count": 10, "shard_size": 4, "sheet": 0}
    return RenderSettings(**options | {"fonts": [FONTS], "preset": "clean", "height_px": 32} | more)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("texts") / "lines.txt"
    path.write_text("\n".join(KOREAN) + "\n", encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_whole_and_replayable(layout, file, tmp_path):
    manifest = render(job(file, tmp_path / "out", layout=layout, format="png"))
    assert manifest.counts["lines"] == 10
    assert verify(str(tmp_path / "out")) == []
    assert read_manifest(str(tmp_path / "out")).hash == manifest.hash
    facts, data = find(str(tmp_path / "out"), manifest, "ko-train-0-000000003")
    reference = render(job(file, tmp_path / "again", layout="parquet", format="png"))
    same, pixels = find(str(tmp_path / "again"), reference, "ko-train-0-000000003")
    assert facts["text"] == same["text"]
    assert data == pixels
    assert facts["provenance"] == same["provenance"]


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_formats(layout, format, file, tmp_path):
    manifest = render(job(file, tmp_path / "out", layout=layout, format=format, count=3))
    _, data = find(str(tmp_path / "out"), manifest, "ko-train-0-000000000")
    marks = {"png": b"\x89PNG", "jpeg": b"\xff\xd8", "webp": b"RIFF"}
    assert data.startswith(marks[format])
    assert decode(data).shape[0] == 32


def loaded(kind, folder, **more):
    datasets = pytest.importorskip("datasets")
    return datasets.load_dataset(kind, split="train", cache_dir=str(folder / "cache"), **more)


def test_datasets_opens_parquet(file, tmp_path):
    render(job(file, tmp_path / "out"))
    data = loaded("parquet", tmp_path, data_dir=str(tmp_path / "out"))
    assert data.num_rows == 10
    assert data[0]["image"].height == 32
    assert set(data["text"]) <= set(KOREAN)


def test_datasets_opens_imagefolder(file, tmp_path):
    render(job(file, tmp_path / "out", layout="imagefolder"))
    data = loaded("imagefolder", tmp_path, data_dir=str(tmp_path / "out" / "train"))
    assert data.num_rows == 10
    assert data[0]["image"].height == 32
    assert set(data["text"]) <= set(KOREAN)


def test_datasets_opens_webdataset(file, tmp_path):
    render(job(file, tmp_path / "out", layout="webdataset"))
    data = loaded("webdataset", tmp_path, data_files={"train": str(tmp_path / "out" / "data" / "train-*.tar")})
    assert data.num_rows == 10
    assert data[0]["png"].height == 32
    assert set(data["txt"]) <= set(KOREAN)


def test_trdg_names_and_labels(file, tmp_path):
    for naming in (0, 1, 2):
        out = tmp_path / str(naming)
        render(job(file, out, layout="trdg", order="given", naming=naming, count=8))
        rows = [row.split(" ", 1) for row in (out / "labels.txt").read_text(encoding="utf-8").splitlines()]
        if naming == 2:
            assert [row[0] for row in rows] == [f"{n}.jpg" for n in range(8)]
            assert [row[1] for row in rows] == list(KOREAN)
        pictures = sorted(path.name for path in out.glob("*.jpg"))
        assert len(pictures) == 8
        assert any("흙냄새가 났다" in name for name in pictures) == (naming != 2)


def test_imagefolder_metadata_survives_commas_and_quotes(tmp_path):
    texts = ['말했다, "좋아"', "그래; 좋아", "'흙', 물"]
    (tmp_path / "t.txt").write_text("\n".join(texts), encoding="utf-8")
    render(job(str(tmp_path / "t.txt"), tmp_path / "out", layout="imagefolder", count=3))
    with (tmp_path / "out/train/metadata.csv").open(encoding="utf-8", newline="") as handle:
        assert sorted(row["text"] for row in csv.DictReader(handle)) == sorted(texts)


def test_tar_members_are_plain(file, tmp_path):
    manifest = render(job(file, tmp_path / "out", layout="webdataset", shard_size=100))
    with tarfile.open(tmp_path / "out" / manifest.shards[0]["name"]) as tar:
        members = tar.getmembers()
        assert {member.mtime for member in members} == {0}
        assert len(members) == 30
        facts = json.loads(tar.extractfile("000000000.json").read())
    assert facts["provenance"]["recipe"] == "clean"


def test_memory_file_system(file):
    manifest = render(job(file, "memory://render-layout-test", count=4))
    assert Storage("memory://render-layout-test").exists(manifest.shards[0]["name"])
