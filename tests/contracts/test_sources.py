"""What every source promises; a new file in `corpus/sources/` needs an example here, and the tests cover it."""

import bz2
import gzip
import io
import json
import lzma
import pickle

import pytest

from glyphline.corpus.collect import main
from glyphline.corpus.files import Files
from glyphline.corpus.plan import chunks, plan_sources
from glyphline.corpus.settings import CollectSettings
from glyphline.manifest import read_corpus
from glyphline.plugins import available, load
from glyphline.records import Drop
from glyphline.settings import InputError

TEXTS = ["Il pleut 3,5 fois plus.", "Où va-t-on ? À 10 h 42 !", 'Elle dit : "non".']

PAGE = "<page><title>{0}</title><ns>{1}</ns><revision><text>{2}</text></revision></page>"
WIKITEXT = (
    "{{Infobox|name=x}}\n'''Il''' [[pluie|pleut]] 3,5 fois plus.&lt;ref&gt;Source.&lt;/ref&gt;\n\n== Titre ==\n"
    '{| class=x\n| cellule\n|}\n[[Fichier:x.jpg|vignette|légende]]Où va-t-on ? À 10 h 42 !\n* Elle dit : "non".\n'
    "[[Catégorie:Temps]]"
)


def parquet(tmp_path, column="text"):
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.table({column: [*TEXTS, None], "n": [1, 2, 3, 4]}), sink)
    return sink.getvalue()


def examples(tmp_path):
    """Return source -> (file name, bytes, further settings, drops); each holds TEXTS."""
    quoted = ['"' + text.replace('"', '""') + '"' for text in TEXTS]
    dump = "<mediawiki>" + PAGE.format("Temps", 0, WIKITEXT) + PAGE.format("Discussion", 1, "Non lu.") + "</mediawiki>"
    conllu = "".join(f"# sent_id = {i}\n# text = {text}\n1\t_\n\n" for i, text in enumerate(TEXTS))
    reviews = json.dumps([{"review": text} for text in TEXTS] + [{"rating": 1}]).encode()
    return {
        "text": ("a.txt", "\n\n".join(TEXTS).encode("utf-8-sig"), {}, 0),
        "table": ("a.csv", ("n,text\n" + "".join(f"1,{q}\n" for q in quoted) + "4\n").encode(), {}, 1),
        "jsonl": ("a.jsonl", "".join(json.dumps({"a": {"b": t}}) + "\n" for t in TEXTS).encode() + b'{"a": 1}\n',
                  {"field": "a.b"}, 1),
        "parquet": ("a.parquet", parquet(tmp_path), {}, 1),
        "nsmc": ("1.json", reviews, {"language": "fr"}, 1),
        "chatbot": ("a.csv", ("Q,A,label\n" + f"{quoted[0]},{quoted[2]},0\n{quoted[1]},{quoted[2]},0\n").encode(),
                    {"language": "fr"}, 0),
        "mediawiki": ("a.xml", dump.encode(), {}, 0),
        "conllu": ("a.conllu", conllu.encode(), {}, 0),
        "hub": ("train.parquet", parquet(tmp_path), {}, 1),
    }  # fmt: skip


@pytest.fixture(params=available("source"))
def example(request, tmp_path):
    known = examples(tmp_path)
    assert request.param in known, f"add an example of {request.param} to this file"
    name, data, more, drops = known[request.param]
    folder = tmp_path / "input"
    folder.mkdir()
    (folder / name).write_bytes(data)
    place = {"name": str(folder)} if request.param == "hub" else {"path": str(folder / name)}
    return request.param, folder / name, {"source": request.param, **place, **more}, drops


def documents(content):
    source = plan_sources(CollectSettings(sources={"x": content}, language="fr"))[0]
    found = list(source.plugin.read(source.settings, source.files))
    clean = source.plugin.clean or (lambda text: text)
    texts = [line for text in found if isinstance(text, str) for line in clean(text).splitlines() if line.strip()]
    return texts, [item for item in found if isinstance(item, Drop)]


def test_every_text_in_order_and_every_drop(example):
    _, _, content, drops = example
    texts, dropped = documents(content)
    assert list(dict.fromkeys(texts)) == TEXTS
    assert len(dropped) == drops
    assert all(drop.reason and drop.item for drop in dropped)


def test_reading_twice_gives_the_same(example):
    _, _, content, _ = example
    assert documents(content) == documents(content)


def test_declares_what_the_credits_need(example):
    name, _, _, _ = example
    source = load("source", name).SOURCE
    # Formats have no licence of their own, data sets do.
    assert bool(source.licence) == (name in ("nsmc", "chatbot", "mediawiki"))
    assert all(field.startswith("https://") for field in [source.address] if field)
    pickle.dumps(source)


def test_an_unknown_key_is_named(example):
    with pytest.raises(InputError, match=r"sources\.x.*colour"):
        plan_sources(CollectSettings(sources={"x": example[2] | {"colour": "red"}}, language="fr"))


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_compressed_files(example, ending, tmp_path):
    name, path, content, drops = example
    if name in ("parquet", "hub"):
        pytest.skip("compressed inside")
    import zstandard

    packers = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstandard.compress}
    packed = tmp_path / (path.name + ending)
    packed.write_bytes(packers[ending](path.read_bytes()))
    texts, dropped = documents(content | {"path": str(packed)})
    assert list(dict.fromkeys(texts)) == TEXTS and len(dropped) == drops
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(InputError, match="truncated or damaged"):
        documents(content | {"path": str(packed)})


def test_whole_command(example, tmp_path):
    name, _, content, _ = example
    folder = str(tmp_path / "out")
    words = [f"--sources={json.dumps({'x': content})}", "--language=fr", "--output", folder, "--workers=1"]
    assert main(words) == 0
    assert "".join("".join(line.text for line in read_corpus(folder)).split()) == "".join("".join(TEXTS).split())


def test_cp949_and_missing_column(tmp_path, capsys):
    path = tmp_path / "ko.txt"
    path.write_bytes("안녕하세요. 반갑습니다.\n".encode("cp949"))
    assert main([str(path), "--language", "ko", "--output", str(tmp_path / "o")]) == 2
    assert "perhaps cp949" in capsys.readouterr().err
    texts, _ = documents({"source": "text", "path": str(path), "encoding": "cp949"})
    assert texts == ["안녕하세요. 반갑습니다."]
    table = tmp_path / "a.csv"
    table.write_text("id,txt\n1,x\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column 'text'; did you mean 'txt'"):
        documents({"source": "table", "path": str(table)})


def test_one_bad_line_is_a_drop(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("é\n".encode() + b"\xff\xfe\n" + b"ok\n")
    texts, dropped = documents({"source": "text", "path": str(path)})
    assert texts == ["é", "ok"] and [drop.reason for drop in dropped] == ["undecodable"]


def test_paragraphs_of_a_book(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("one\ntwo\n\n\nthree\n", encoding="utf-8")
    assert documents({"source": "text", "path": str(path), "unit": "paragraph"})[0] == ["one two", "three"]


def test_ratings_files_do_not_quote(tmp_path):
    path = tmp_path / "ratings.txt"
    path.write_text('id\tdocument\tlabel\n1\t"열린 따옴표\t0\n2\t둘째\t1\n3\t\t1\n', encoding="utf-8")
    texts, dropped = documents({"source": "nsmc", "path": str(path)})
    assert texts == ['"열린 따옴표', "둘째"] and [drop.reason for drop in dropped] == ["empty"]


def test_json_lists_are_read_in_blocks(tmp_path, monkeypatch):
    from glyphline.corpus.sources import jsonl

    monkeypatch.setattr(jsonl, "BLOCK_CHARACTERS", 7)
    path = tmp_path / "a.json"
    records = [{"p": [{"t": "eins"}, {"t": "zwei, [drei]"}]}, {"p": []}, {"p": [{"t": "ü\n]"}]}]
    path.write_text(json.dumps(records, indent=2), encoding="utf-8")
    texts, dropped = documents({"source": "jsonl", "path": str(path), "field": "p[].t"})
    assert texts == ["eins", "zwei, [drei]", "ü", "]"] and len(dropped) == 1
    path.write_text(json.dumps(records)[:-1], encoding="utf-8")
    with pytest.raises(InputError, match="cut off"):
        documents({"source": "jsonl", "path": str(path), "field": "p[].t"})


def test_words_of_a_treebank_without_text_are_put_together(tmp_path):
    rows = [("1-2", "au", "_"), ("1", "à", "_"), ("2", "le", "_"), ("3", "bord", "SpaceAfter=No"), ("4", ".", "_")]
    path = tmp_path / "a.conllu"
    path.write_text("".join(f"{i}\t{form}{chr(9)}{chr(9).join('_' * 7)}\t{misc}\n" for i, form, misc in rows))
    assert documents({"source": "conllu", "path": str(path)})[0] == ["au bord."]


def test_a_limit_and_chunks(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("\n".join(map(str, range(10))), encoding="utf-8")
    content = {"source": "text", "path": str(path), "limit": 7}
    planned = plan_sources(CollectSettings(sources=[content, {"source": "text", "path": str(path)}], language="en"))
    found = list(chunks(planned, 4))
    assert [(c.index, c.source, len(c.documents)) for c in found] == [
        (0, 0, 4),
        (1, 0, 3),
        (2, 1, 4),
        (3, 1, 4),
        (4, 1, 2),
    ]


def test_lines_without_end_do_not_fill_the_memory(tmp_path, monkeypatch):
    from glyphline.corpus import files

    monkeypatch.setattr(files, "LONGEST_LINE_BYTES", 40)
    path = tmp_path / "a.txt"
    text = " ".join(f"wort{i}" for i in range(100))
    path.write_text(text + "\nkurz\n", encoding="utf-8")
    found = list(Files([str(path)]).lines(str(path), "utf-8"))
    assert " ".join(found) == text + " kurz" and max(map(len, found)) <= 60
