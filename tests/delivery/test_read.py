"""read: every picture in its place, whatever is wrong with its neighbours."""

import functools
import http.server
import io
import json
import threading
import time

import cv2
import numpy as np
import pytest
from PIL import Image
from tiny_model import TEXTS, line_picture

from glyphline import images
from glyphline.delivery.pictures import Limits, expand, fetch, load_pictures
from glyphline.delivery.publish import verify
from glyphline.delivery.read import ReadSettings, main, read_pictures, write_readings
from glyphline.models import shipped_models
from glyphline.models.card import read_card
from glyphline.records import Reading
from glyphline.settings import InputError, JobError


class Fake:
    """Reads the width of a picture; keeps account of what it was asked."""

    def __init__(self, fits=10**9):
        self.fits, self.batches = fits, []

    def read(self, images, mode, batch_size):
        import torch

        if batch_size > self.fits:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.batches.append((len(images), mode, batch_size))
        return [Reading(f"{image.shape[1]} px", 0.5, mode) for image in images]


def save(path, width, **more):
    cv2.imwrite(str(path), line_picture(0, width), **more)
    return str(path)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A web server with pictures, and with every way in which one can misbehave."""
    folder = tmp_path_factory.mktemp("web")
    save(folder / "a.png", 70)
    (folder / "page.html").write_text("<html>no picture</html>")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/moved"):
                self.send_response(302)
                self.send_header("Location", "/a.png")
                self.end_headers()
            elif self.path == "/broken":
                self.send_error(500, "Internal Server Error")
            elif self.path == "/drip":
                self.send_response(200)
                self.end_headers()
                for _ in range(50):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.1)
            elif self.path == "/silent":
                time.sleep(2)
            elif self.path == "/huge":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(bytes(3_000_000))
            else:
                super().do_GET()

        def log_message(self, *args):
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.daemon_threads = running.handle_error_quietly = True
        running.handle_error = lambda *args: None
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture
def fake(monkeypatch):
    """Put a fake in the place of every model."""
    reader = Fake()
    monkeypatch.setattr("glyphline.models.load_recogniser", lambda name, device: reader)
    return reader


def test_a_folder_stands_for_its_pictures_in_natural_order(tmp_path):
    for name in ("line 10.png", "line 2.png", "b/line 1.JPG", "notes.txt", "scan.pdf", "a.webp"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert [path.removeprefix(f"{tmp_path}/") for path in expand([str(tmp_path), "x.png"])] == [
        "a.webp",
        "b/line 1.JPG",
        "line 2.png",
        "line 10.png",
        "x.png",
    ]


def test_names_from_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a.png\n\n b.png \r\nhttps://example.org/c.png\n"))
    assert expand(["z.png", "-"]) == ["z.png", "a.png", "b.png", "https://example.org/c.png"]


def test_a_folder_without_pictures_is_a_mistake(tmp_path):
    with pytest.raises(InputError, match="no pictures in this folder$"):
        expand([str(tmp_path)])
    (tmp_path / "part.parquet").write_bytes(b"")
    with pytest.raises(InputError, match="glyphline score"):
        expand([str(tmp_path)])


def test_urls(server):
    assert fetch(f"{server}/a.png", Limits()).shape == (40, 70)
    assert fetch(f"{server}/moved?to=a", Limits()).shape == (40, 70)


def test_other_file_systems(tmp_path):
    import fsspec

    path = save(tmp_path / "a.png", 80)
    assert fetch(f"file://{path}", Limits()).shape == (40, 80)
    with fsspec.open("memory://glyphline/read.png", "wb") as handle:
        handle.write((tmp_path / "a.png").read_bytes())
    assert fetch("memory://glyphline/read.png", Limits()).shape == (40, 80)
    for wrong in ("memory://glyphline/none.png", "no-such-thing://x.png"):
        with pytest.raises(InputError, match=wrong):
            fetch(wrong, Limits())
    with pytest.raises(InputError, match="larger than"):
        fetch(f"file://{path}", Limits(largest_mb=0.0001))


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("/none.png", InputError, "the server answers 404"),
        ("/broken", JobError, "the server answers 500"),
        ("/page.html", InputError, "not a picture in a known format"),
        ("/huge", InputError, "larger than 1 MB; see --largest_mb"),
        ("/drip", JobError, "took more than 0.5 s; see --timeout_s"),
        ("/silent", JobError, "took more than 0.5 s; see --timeout_s"),
    ],
)
def test_what_a_server_can_do_wrong(server, path, kind, said):
    begun = time.monotonic()
    with pytest.raises(kind, match=said) as caught:
        fetch(server + path, Limits(timeout_s=0.5, largest_mb=1))
    assert str(caught.value).startswith(server + path)
    assert time.monotonic() - begun < 1.9


def test_a_server_that_is_not_there():
    with pytest.raises(JobError, match="not reached"):
        fetch("http://127.0.0.1:9/x.png", Limits(timeout_s=2))
    with pytest.raises(JobError, match="not reached"):
        fetch("https://127.0.0.1:notaport/x.png", Limits(timeout_s=2))


@pytest.mark.parametrize("window", [1, 3, 7, 100])
def test_pictures_come_in_order_whatever_the_window(tmp_path, window):
    names = [save(tmp_path / f"{number}.png", 50 + number) for number in range(7)]
    names.insert(3, str(tmp_path / "none.png"))
    windows = list(load_pictures(iter(names), Limits(), window))
    loaded = [picture for part in windows for picture in part]
    assert all(len(part) == window for part in windows[:-1])
    assert [picture.path for picture in loaded] == names
    assert isinstance(loaded[3].error, InputError) and loaded[3].pixels is None
    assert [p.pixels.shape[1] for p in loaded if p.pixels is not None] == list(range(50, 57))


def test_output_begins_before_all_pictures_are_loaded(tmp_path):
    names = (save(tmp_path / f"{number}.png", 50) for number in range(1000))
    stream = load_pictures(names, Limits(), 4)
    next(stream)
    assert len(list(tmp_path.iterdir())) <= 12
    stream.close()


def test_one_bad_picture_does_not_stop_the_others(tmp_path, fake, capsys):
    good = [save(tmp_path / f"{width}.png", width) for width in (60, 70)]
    cut = tmp_path / "cut.png"
    cut.write_bytes((tmp_path / "60.png").read_bytes()[:60])
    assert main(["--model", "m", good[0], str(cut), "none.png", good[1]]) == 1
    out, err = capsys.readouterr()
    assert out == f"{good[0]}\t60 px\n{good[1]}\t70 px\n"
    first, second = err.splitlines()
    assert first.startswith(f"glyphline read: error: {cut}: truncated or damaged")
    assert second == "glyphline read: error: none.png: no such file"


def test_jsonl_says_what_is_wrong_in_its_place(tmp_path, fake, capsys):
    good = save(tmp_path / "가.png", 60)
    assert main(["--model", "m", "--format", "jsonl", "none.png", good, "--mode", "ctc"]) == 1
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert rows == [
        {"path": "none.png", "error": "none.png: no such file"},
        {"path": good, "text": "60 px", "confidence": 0.5, "mode": "ctc"},
    ]


def test_nothing_readable_is_a_mistake_of_the_input(fake, capsys):
    assert main(["--model", "m", "none.png"]) == 2
    assert capsys.readouterr() == ("", "glyphline read: error: none.png: no such file\n")
    assert main(["--model", "m", "http://127.0.0.1:9/x.png"]) == 1


def test_one_picture_gives_its_text_alone(tmp_path, fake, capsys):
    for arguments in (["--model", "m"], ["--weights", "m", "--image"], ["--weights=m", "--device", "cpu", "--image"]):
        assert main([*arguments, save(tmp_path / "a.png", 60)]) == 0
        assert capsys.readouterr().out == "60 px\n"


def test_a_model_that_ships_reads_where_none_is_named(model_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("glyphline.models.shipped_models", lambda: {"ours": model_folder})
    monkeypatch.chdir(tmp_path)
    Image.fromarray(line_picture(1)).save("line.png")
    for arguments in (["line.png"], ["--language", "en", "line.png"], ["--model", "ours", "line.png"]):
        assert main(arguments) == 0
        assert capsys.readouterr().out == f"{TEXTS[1]}\n"
    assert main(["--language", "fr", "line.png"]) == 2
    assert "those that do: ours (en, ko)" in capsys.readouterr().err
    (tmp_path / "ours").mkdir()
    assert main(["--model", "ours", "line.png"]) == 2, "a folder of the user's own goes first"


def test_every_shipped_model_is_whole():
    for name, folder in shipped_models().items():
        assert verify(folder) == [], name
        assert sum(path.stat().st_size for path in folder.iterdir()) < 45_000_000, name
        assert read_card(folder).languages, name


def test_text_stays_on_its_line(tmp_path):
    sink = io.StringIO()
    assert write_readings(iter([("a", Reading("two\nlines\t", 1.0, "x"))]), "text", True, sink) == 0
    assert sink.getvalue() == "a\ttwo lines\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--language", "xx", "x.png"], "no model for language 'xx' ships with glyphline"),
        (["--model", "m"], "no pictures named"),
        (["--model", "m", "--batch_size", "0", "x.png"], "batch_size must be above 0, not 0"),
        (["--model", "m", "--format", "xml", "x.png"], "format must be one of text, jsonl, not 'xml'"),
        (["--model", "no/such/model/here", "x.png"], "no/such/model/here: no model here"),
    ],
)
def test_mistakes_on_the_command_line(capsys, arguments, said):
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and said in err and err.count("\n") == 1


def test_batches_shrink_until_they_fit(tmp_path):
    names = [save(tmp_path / f"{number}.png", 50 + number) for number in range(40)]
    reader = Fake(fits=3)
    results = list(read_pictures(reader, names, ReadSettings(batch_size=8)))
    assert [reading.text for _, reading in results] == [f"{50 + number} px" for number in range(40)]
    assert {size for _, _, size in reader.batches} == {2}
    with pytest.raises(JobError, match="not enough memory"):
        list(read_pictures(Fake(fits=0), names, ReadSettings()))


def test_a_real_model_reads_what_it_has_learnt(model_folder, pictures, capsys):
    assert main(["--model", str(model_folder), str(pictures)]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [path for path, _ in lines] == [str(pictures / f"line {number}.png") for number in range(12)]
    assert [text for _, text in lines[: len(TEXTS)]] == TEXTS


@pytest.mark.parametrize("mode", ["auto", "ctc", "decoder"])
def test_modes_and_batches_give_the_same_text(model_folder, pictures, capsys, mode):
    found = []
    for batch_size in ("1", "5"):
        arguments = ["--model", str(model_folder), "--mode", mode, "--batch_size", batch_size, "--format", "jsonl"]
        assert main([*arguments, str(pictures)]) == 0
        found.append([json.loads(row) for row in capsys.readouterr().out.splitlines()])
    if mode != "ctc":  # its head learns more slowly than the test lasts
        assert [row["text"] for row in found[0]][: len(TEXTS)] == TEXTS
    assert [row["text"] for row in found[0]] == [row["text"] for row in found[1]]
    assert all(0 <= row["confidence"] <= 1 for row in found[0])
    assert {row["mode"] for row in found[0]} <= ({"auto", "ctc", "decoder"} if mode == "auto" else {mode})


def test_an_unknown_mode_and_a_missing_device(model_folder, pictures, capsys):
    import torch

    assert main(["--model", str(model_folder), "--mode", "guess", str(pictures)]) == 2
    assert "mode 'guess'" in capsys.readouterr().err
    if not torch.cuda.is_available():
        assert main(["--model", str(model_folder), "--device", "0", str(pictures)]) == 2
        assert "no CUDA device" in capsys.readouterr().err


@pytest.mark.parametrize("shape", [(1, 1), (1, 400), (400, 1), (3, 4000), (2000, 30)])
def test_pictures_of_odd_shapes_are_read(model_folder, tmp_path, capsys, shape):
    (tmp_path / "odd.png").write_bytes(images.encode(np.zeros(shape, np.uint8)))
    assert main(["--model", str(model_folder), str(tmp_path / "odd.png")]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_a_damaged_model_is_named(model_folder, pictures, tmp_path, capsys):
    import shutil

    for name in ("model.safetensors", "tokenizer.json", "glyphline.json", "config.json", "ctc.safetensors"):
        broken = tmp_path / name
        shutil.copytree(model_folder, broken)
        (broken / name).write_bytes((broken / name).read_bytes()[:50])
        assert main(["--model", str(broken), str(pictures)]) == 2, name
        out, err = capsys.readouterr()
        assert out == "" and str(broken) in err and err.count("\n") == 1, err
