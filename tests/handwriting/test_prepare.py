"""The prepare command: what is written, what is dropped, what is refused, and that it is the same each time."""

import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from layouts import TEXTS, build, picture, put

from glyphline import images
from glyphline.handwriting import checks, prepare
from glyphline.handwriting.alike import MOST_BITS, find_alike, looks_of
from glyphline.handwriting.checks import Inspection, find_outliers, look_like_classes
from glyphline.manifest import open_output, pack_corpus, read_lines, read_manifest, verify
from glyphline.records import TextLine
from glyphline.settings import InputError

WORDS = (  # noqa: SIM905
    "le la un une des petit grand chat chien jardin soleil mer montagne rouge bleu vert dort mange court"
).split()


def sentence(k):
    generator = np.random.default_rng(k)
    return " ".join(generator.choice(WORDS, 6)) + f" {k}"


def table(root, rows, name="labels.tsv"):
    """Write a gt_tsv set from (file, text, group, split, image) rows."""
    lines = ["file\ttext\tgroup\tsplit"]
    for file, text, group, split, image in rows:
        if image is not None:
            put(root / file, image)
        lines.append(f"{file}\t{text}\t{group}\t{split}")
    (root / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def many(root, count=120, per_group=4, splits=lambda k: ""):
    return table(root, [(f"{k}.png", sentence(k), f"g{k // per_group}", splits(k), picture(k)) for k in range(count)])


def run(root, output, **more):
    settings = prepare.PrepareSettings(reader="gt_tsv", root=str(root), output=str(output), language="fr", workers=2)
    for key, value in more.items():
        target, _, name = key.rpartition("__")
        setattr(getattr(settings, target) if target else settings, name, value)
    return prepare.prepare(settings)


def test_lines_are_complete_split_by_group_and_readable(tmp_path):
    manifest = run(many(tmp_path / "set"), tmp_path / "out")
    samples = list(read_lines(str(tmp_path / "out")))
    assert len(samples) == manifest.counts["lines"] == 120
    assert verify(str(tmp_path / "out")) == []
    groups = {}
    for sample in samples:
        k = int(sample.id.rpartition("/")[2])
        assert sample.text == sentence(k)
        assert np.array_equal(sample.image, picture(k))
        assert (sample.language, sample.source) == ("fr", "set")
        groups.setdefault(sample.provenance["group"], set()).add(sample.split)
    assert all(len(splits) == 1 for splits in groups.values())
    sizes = {split: facts["lines"] for split, facts in manifest.facts["splits"].items()}
    assert sizes == {split: manifest.counts[split] for split in ("train", "validation", "test")}
    assert 8 <= sizes["test"] <= 18
    assert 8 <= sizes["validation"] <= 18
    assert [n for what, n in manifest.facts["shared"].items() if "shorter" not in what] == [0] * 4


def test_hugging_face_opens_the_output(tmp_path):
    datasets = pytest.importorskip("datasets")
    run(many(tmp_path / "set", 30), tmp_path / "out")
    files = {"test": str(tmp_path / "out/data/test-*.parquet")}
    opened = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path / "cache"))["test"]
    ours = list(read_lines(str(tmp_path / "out"), "test"))
    assert [row["text"] for row in opened] == [sample.text for sample in ours]
    assert np.array_equal(np.asarray(opened[0]["image"]), ours[0].image)


def digests(folder):
    return {
        p.name: hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.suffix != ".log" and p.is_file()
    }


def test_same_bytes_for_any_number_of_workers_and_any_place(tmp_path):
    many(tmp_path / "a/set", 40)
    shutil.copytree(tmp_path / "a/set", tmp_path / "elsewhere/set")
    one = run(tmp_path / "a/set", tmp_path / "one", workers=1)
    two = run(tmp_path / "elsewhere/set", tmp_path / "two", workers=3)
    assert one.hash == two.hash
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_finished_is_left_alone_and_other_settings_are_refused(tmp_path):
    many(tmp_path / "set", 40)
    first = run(tmp_path / "set", tmp_path / "out")
    before = digests(tmp_path / "out")
    assert run(tmp_path / "set", tmp_path / "out").hash == first.hash
    assert digests(tmp_path / "out") == before
    with pytest.raises(InputError, match=r"other settings: split\.test"):
        run(tmp_path / "set", tmp_path / "out", split__test=0.2)
    put(tmp_path / "set/3.png", picture(999))
    with pytest.raises(InputError, match="input set"):
        run(tmp_path / "set", tmp_path / "out")


def test_an_interrupted_run_goes_on(tmp_path, monkeypatch):
    many(tmp_path / "set", 60)
    monkeypatch.setattr(prepare, "LINES_PER_SHARD", 10)
    whole = run(tmp_path / "set", tmp_path / "whole")
    real, calls = prepare.pack_lines, []

    def fail_late(pairs):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(pairs)

    monkeypatch.setattr(prepare, "pack_lines", fail_late)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "set", tmp_path / "cut")
    with pytest.raises(InputError, match="unfinished"):
        read_manifest(str(tmp_path / "cut"))
    monkeypatch.setattr(prepare, "pack_lines", real)
    assert run(tmp_path / "set", tmp_path / "cut").hash == whole.hash
    assert digests(tmp_path / "cut") == digests(tmp_path / "whole")


def test_every_fault_is_a_counted_listed_drop(tmp_path):
    root = many(tmp_path / "set", 60, per_group=1)
    rows = (root / "labels.tsv").read_text(encoding="utf-8").splitlines()
    image = picture(500)
    for name, text, pixels in [
        ("empty", " \u200b ", image),
        ("blank", "rien du tout ici", np.full((48, 240), 235, np.uint8)),
        ("tiny", "trop petit", np.full((5, 240), 20, np.uint8)),
        ("gone", "pas de fichier", None),
        ("twin", sentence(3), picture(3)),
        ("other", "tout autre texte", picture(4)),
        ("long", "un texte bien trop long pour une image aussi petite que celle-ci " * 4, picture(501)),
        ("struck", "mot >barré< ici", picture(502)),
    ]:
        if pixels is not None:
            put(root / f"{name}.png", pixels)
        rows.append(f"{name}.png\t{text}\tx\t")
    (root / "cut.png").write_bytes((root / "0.png").read_bytes()[:200])
    rows.append("cut.png\tune image coupée\tx\t")
    (root / "labels.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    manifest = run(root, tmp_path / "out", checks__skip_text=[">.*<"])
    assert manifest.drops == {
        "blank picture": 1,
        "empty text": 1,
        "no picture": 1,
        "picture occurs twice": 1,
        "picture occurs twice with another text": 1,
        "picture too small": 1,
        "text does not fit the width": 1,
        "text matches skip_text": 1,
        "unreadable picture": 1,
    }
    listed = [json.loads(row) for row in (tmp_path / "out/drops.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["item"] for row in listed} == {
        "empty", "blank", "tiny", "gone.png", "twin", "other", "long", "struck", "cut",
    }  # fmt: skip
    assert manifest.counts["lines"] + sum(manifest.drops.values()) == 60 + 9
    page = (tmp_path / "out/data.html").read_text(encoding="utf-8")
    assert "text does not fit the width: 1" in page
    assert "&gt;barré&lt;" in page
    assert "http" not in page


def test_rules_are_applied_and_undone_from_provenance(tmp_path):
    root = many(tmp_path / "set", 20)
    text = (root / "labels.tsv").read_text(encoding="utf-8")
    (root / "labels.tsv").write_text(text.replace(sentence(5), "fin de li¬"), encoding="utf-8")
    run(root, tmp_path / "out", rules=prepare.TextRules(replace={"¬": "-"}))
    (found,) = [sample for sample in read_lines(str(tmp_path / "out")) if sample.id == "set/5"]
    assert found.text == "fin de li-"
    assert found.provenance["text_as_published"] == "fin de li¬"


def thirds(k):
    return ("train", "train", "validation", "test")[k % 4]


def test_own_splits_are_kept(tmp_path):
    root = many(tmp_path / "set", 40, per_group=1, splits=thirds)
    manifest = run(root, tmp_path / "out")
    assert manifest.facts["divided by"] == "own"
    for sample in read_lines(str(tmp_path / "out")):
        assert sample.split == thirds(int(sample.id.rpartition("/")[2]))


def test_a_missing_validation_split_is_taken_from_train(tmp_path):
    root = many(tmp_path / "set", 60, per_group=2, splits=lambda k: "test" if k >= 50 else "train")
    manifest = run(root, tmp_path / "out")
    assert manifest.facts["divided by"] == "own; validation taken from train by groups"
    assert manifest.counts["test"] == 10
    assert 2 <= manifest.counts["validation"] <= 9


def test_leaky_folder_is_refused_with_ids(tmp_path):
    """The same page in train and test, the same picture in both, a test text in the synthetic training corpus."""
    rows = [(f"{k}.png", sentence(k), f"page{k // 4}", thirds(k // 4), picture(k)) for k in range(40)]
    rows.append(("late.png", sentence(900), "page0", "test", picture(900)))  # page0 is a training page
    rows.append(("copy.png", sentence(901), "page901", "test", picture(5)))  # a training picture again
    root = table(tmp_path / "set", rows)
    with pytest.raises(InputError) as error:
        run(root, tmp_path / "out")
    assert "5 lines leak between splits" in str(error.value)  # the four of page0 and the copied picture
    assert "0 (group is also held out: train; as late in test)" in str(error.value)
    assert "5 (picture is also held out: train; as copy in test)" in str(error.value)
    assert not (tmp_path / "out").exists()

    corpus = open_output(str(tmp_path / "corpus"), "corpus", {})
    longer = f"Il dit : {sentence(12)}, puis rien."  # the line is a piece of a training sentence
    known = [TextLine("t", longer, "fr", "x", "train"), TextLine("u", sentence(13), "fr", "x", "test")]
    corpus.commit("data/0.parquet", pack_corpus(known), {})
    corpus.finish(["data/0.parquet"])
    clean = table(tmp_path / "clean", rows[:40])
    with pytest.raises(InputError, match=r"1 lines leak between splits: 12 \(text is in a training corpus: test"):
        run(clean, tmp_path / "out2", split__against=[str(tmp_path / "corpus")])
    assert run(clean, tmp_path / "out2").counts["lines"] == 40

    manifest = run(root, tmp_path / "out", split__leaks="drop", split__against=[str(tmp_path / "corpus")])
    assert manifest.drops == {
        "group is also held out": 4,
        "picture is also held out": 1,
        "text is in a training corpus": 1,
    }
    assert [n for what, n in manifest.facts["shared"].items() if "shorter" not in what] == [0] * 4


def again(image):
    """The same line scanned once more: smaller, with more paper around it, as a poor JPEG."""
    small = cv2.resize(images.to_grey(image), None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    padded = np.pad(small, 5, constant_values=int(np.median(small)))
    return cv2.imdecode(cv2.imencode(".jpg", padded, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_GRAYSCALE)


def real_lines(count):
    """Pictures and texts of real lines of different texts."""
    folder = Path(__file__).parents[2] / "demo/handwriting"
    rows = [line.split("\t") for line in (folder / "labels.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    chosen = list({text: (file, text) for file, text, _ in rows}.values())[:count]
    return [(images.decode((folder / file).read_bytes(), file), text) for file, text in chosen]


def test_lines_look_alike_only_to_themselves():
    lines = real_lines(120)
    first = [Inspection(text, looks=looks_of(image)) for image, text in lines]
    second = [Inspection(text.replace(".", ""), looks=looks_of(again(image))) for image, text in lines]
    pairs = find_alike([*first, *second])
    assert {(a, b - 120) for a, b in pairs} <= {(k, k) for k in range(120)}
    assert len(pairs) >= 90
    by_hand = [bin(a.looks ^ b.looks).count("1") for a, b in zip(first, second, strict=True)]
    assert sum(bits <= MOST_BITS for bits in by_hand) == len(pairs)


def test_a_page_scanned_twice_stays_on_one_side(tmp_path, caplog):
    lines = real_lines(40)
    rows = [(f"{k}.png", text, f"page{k // 4}", "", image) for k, (image, text) in enumerate(lines)]
    rows += [(f"again{k}.png", text, "other scan", "", again(image)) for k, (image, text) in enumerate(lines[8:12])]
    root = table(tmp_path / "set", rows)
    for seed in range(6):
        manifest = run(root, tmp_path / f"out{seed}", split__seed=seed)
        assert manifest.facts["shared"]["lines in two pictures in two splits"] == 0
    assert "groups other scan and page2 hold pictures of the same lines" in caplog.text

    own = [(file, text, group, "test" if "again" in file else "train", None) for file, text, group, _, _ in rows]
    table(root, own)
    with pytest.raises(
        InputError, match=r"10 \(a picture of the same line is also held out: train; like again2 in test"
    ):
        run(root, tmp_path / "own")


def test_texts_copied_by_several_hands(tmp_path):
    rows = [(f"{k}.png", sentence(k % 10), f"hand{k}", thirds(k), picture(k)) for k in range(40)]
    root = table(tmp_path / "set", rows)
    manifest = run(root, tmp_path / "out")
    assert manifest.drops["text is also held out"] > 10
    texts = {}
    for sample in read_lines(str(tmp_path / "out")):
        texts.setdefault(sample.text, set()).add(sample.split)
    assert all(len(splits) == 1 for splits in texts.values())
    kept = run(root, tmp_path / "kept", split__shared_texts="keep")
    assert kept.counts["lines"] == 40
    assert kept.facts["shared"]["texts of 20 or more characters in two splits"] > 0
    with pytest.raises(InputError, match="text is also held out"):
        run(root, tmp_path / "no", split__shared_texts="refuse")


def test_class_names_are_refused(tmp_path):
    labels = ["182_Scope of deed", "R38,Img100_header", "143_Reassurance", "183_Signatures"]
    root = table(tmp_path / "set", [(f"{k}.png", labels[k % 4], f"g{k}", "", picture(k)) for k in range(24)])
    with pytest.raises(InputError, match="labels look like classes, not writing"):
        run(root, tmp_path / "out")
    assert run(root, tmp_path / "out", checks__class_labels="warn").counts["lines"] == 24


def test_what_looks_like_a_class():
    assert "different texts" in look_like_classes(["header", "paragraph"] * 40)
    assert look_like_classes([sentence(k) for k in range(60)]) == ""
    assert look_like_classes(list("0123456789") * 20) == ""  # a set of digits is writing
    assert look_like_classes([WORDS[k % 19] for k in range(100)] + [f"mot{k}" for k in range(30)]) == ""


def test_outliers_by_brute_force():
    generator = np.random.default_rng(1)
    lengths = generator.integers(20, 60, 200)
    items = [Inspection("x" * n, int(n * 20 * generator.uniform(0.8, 1.25)), 48) for n in lengths]
    items += [Inspection("x" * 60, 100, 48), Inspection("x" * 30, 30 * 20 * 8, 48), Inspection("12 345", 2000, 48)]
    assert sorted(find_outliers(items, 6.0)) == [200, 201]  # a short text on a wide picture is a heading
    assert find_outliers(items, 0.0) == {}


def test_shares_with_few_groups_are_near_and_none_is_empty(tmp_path):
    from glyphline.handwriting.splits import Item, Splitting, assign

    generator = np.random.default_rng(0)
    for seed in range(20):
        sizes = generator.integers(5, 200, generator.integers(3, 40))
        items = [Item(f"{g}-{k}", f"g{g}", "", f"{g}-{k}", "") for g, n in enumerate(sizes) for k in range(n)]
        sides, _, _ = assign(items, Splitting(seed=seed))
        counts = {split: sum(side == split for side in sides.values()) for split in ("train", "validation", "test")}
        assert min(counts.values()) > 0
        assert counts["train"] >= counts["test"] or len(sizes) < 5


def test_many_groups_keep_their_side_when_others_come(tmp_path):
    from glyphline.handwriting.splits import Item, Splitting, assign

    items = [Item(str(k), f"g{k}", "", str(k), "") for k in range(400)]
    before, after = assign(items[:200], Splitting())[0], assign(items, Splitting())[0]
    assert all(after[name] == side for name, side in before.items())


def test_command_line(tmp_path, capsys):
    root = many(tmp_path / "set", 40)
    arguments = ["--reader", "gt_tsv", "--root", str(root), "--language", "fr", "--output", str(tmp_path / "out")]
    assert prepare.main([*arguments, "--reader_options.encoding", "utf-8", "--split.test", "0.2"]) == 0
    assert "divided by: groups" in capsys.readouterr().out
    for bad, message in [
        (["--reader", "gt_tvs"], "did you mean 'gt_tsv'"),
        (["--root", str(tmp_path / "no")], "no such folder"),
        (["--split.test", "0.95"], "leave nothing to train on"),
        (["--reader_options.colum", "x"], "unknown key 'colum'"),
        (["--checks.skip_text", "['(']"], "checks.skip_text"),
    ]:
        assert prepare.main([*arguments, *bad]) == 2, bad
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1 or "checking" in error


@pytest.mark.parametrize("reader", ["csv", "trdg", "partitions", "iam", "alto", "page_xml", "hub"])
def test_every_layout_through_the_whole_stage(tmp_path, reader):
    root = build(reader, tmp_path / "set")
    settings = prepare.PrepareSettings(reader=reader, root=str(root), output=str(tmp_path / "out"))
    manifest = prepare.prepare(settings)
    texts = {sample.text for sample in read_lines(str(tmp_path / "out"))}
    assert manifest.counts["lines"] == 4
    assert TEXTS[0] in texts or reader == "iam"
    assert (tmp_path / "out/contact_sheet.png").read_bytes()[:4] == b"\x89PNG"


def test_checks_bounds():
    with pytest.raises(InputError, match="skip_text"):
        checks.Checks(skip_text=["("])
