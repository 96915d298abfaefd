"""Downloads against a server on loopback that breaks off, changes its file, and refuses."""

import hashlib
import http.server
import json
import threading
import urllib.request
from pathlib import Path

import pytest

from glyphline.corpus import download
from glyphline.corpus.collect import main
from glyphline.corpus.download import local_copy
from glyphline.manifest import read_corpus
from glyphline.settings import InputError, JobError

DATA = "".join(f"Die Zeile Nummer {i} steht hier.\n" for i in range(4000)).encode()


class Server(http.server.ThreadingHTTPServer):
    """Serves `data`; `cut` sends only so many bytes of the next answers; notes the ranges that were asked for."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {}
        self.data, self.tag, self.cut, self.ranges, self.ignore_ranges = DATA, '"one"', [], [], False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/texts/de.txt"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        path = self.path.partition("?")[0]
        data = server.data if path == "/texts/de.txt" else server.files.get(path)
        if data is None:
            self.send_error(404)
            return
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        start = 0
        if asked and self.headers.get("If-Range") == server.tag and not server.ignore_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("ETag", server.tag)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        body = data[start:]
        self.wfile.write(body[: server.cut.pop(0)] if server.cut else body)
        self.close_connection = True


@pytest.fixture
def server(tmp_path, monkeypatch):
    monkeypatch.setenv("GLYPHLINE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GLYPHLINE_RETRY_S", "0")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    running = Server()
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()


def content(path):
    return Path(path).read_bytes()


def test_fetched_once(server):
    first = local_copy(server.url)
    assert content(first) == DATA and first.endswith("de.txt")
    assert local_copy(server.url) == first
    assert server.ranges == [None]


def test_goes_on_where_it_broke_off(server):
    server.cut = [1000, 50_000]
    assert content(local_copy(server.url)) == DATA
    assert server.ranges == [None, "bytes=1000-", "bytes=51000-"]


def test_begins_anew_where_the_file_changed(server, monkeypatch):
    monkeypatch.setattr(download, "ATTEMPTS", 1)
    server.cut = [1000]
    with pytest.raises(JobError, match="cannot be fetched"):
        local_copy(server.url)
    server.data, server.tag = DATA[::-1], '"two"'
    assert content(local_copy(server.url)) == DATA[::-1]
    assert server.ranges == [None, "bytes=1000-"]


def test_a_server_without_ranges_and_one_without_tags(server):
    server.cut, server.ignore_ranges = [1000], True
    assert content(local_copy(server.url)) == DATA
    server.cut, server.tag = [1000], 'W/"weak"'
    other = server.url + "?2"
    assert content(local_copy(other)) == DATA
    assert server.ranges == [None, "bytes=1000-", None, None]


def test_a_damaged_copy_is_fetched_again(server):
    path = local_copy(server.url)
    Path(path).write_bytes(b"X" + DATA[1:])
    assert content(local_copy(server.url)) == DATA


def test_nothing_there(server):
    with pytest.raises(InputError, match="404"):
        local_copy(server.url + ".gz")
    server.shutdown()
    server.server_close()
    with pytest.raises(JobError, match="cannot be fetched"):
        local_copy(server.url)


def test_other_stores(server):
    import fsspec

    fsspec.filesystem("memory").pipe_file("/folder/a.txt", DATA)
    assert content(local_copy("memory://folder/a.txt")) == DATA


def test_collect_from_an_address(server, tmp_path, capsys):
    right = hashlib.sha256(DATA).hexdigest()
    for name, digest in (("good", right), ("bad", "ab" * 32)):
        sources = f'{{"x": {{"source": "text", "path": "{server.url}", "sha256": "{digest}"}}}}'
        status = main([f"--sources={sources}", "--language=de", "--output", str(tmp_path / name), "--workers=1"])
        assert status == (0 if name == "good" else 2)
    assert "checksum" in capsys.readouterr().err
    assert sum(1 for _ in read_corpus(str(tmp_path / "good"))) == 4000


PUBLISHED = {
    "/songys/Chatbot_data/master/ChatbotData.csv": "Q,A,label\n3박4일 놀러가고 싶다,여행은 언제나 좋죠.,0\n",
    "/e9t/nsmc/master/ratings_train.txt": "id\tdocument\tlabel\n1\t10점 만점에 10점. 정말 재밌다!\t1\n",
    "/e9t/nsmc/master/ratings_test.txt": "id\tdocument\tlabel\n2\t굳 ㅋ\t1\n3\t그저 그랬다\t0\n",
}
NEWS = "정부는 14일 물가가 2.5% 올랐다고 밝혔다. 전문가들은 더 오를 것으로 본다."


@pytest.mark.parametrize("name", ["ko", "ko_poc"])
def test_published_configurations(server, tmp_path, monkeypatch, name):
    """The configurations as they are; only the host that publishes the files is this machine."""
    urlopen = urllib.request.urlopen

    def here(request, **more):
        host, path = request.full_url.split("/", 3)[2:]
        assert host == "raw.githubusercontent.com"
        request.full_url = f"http://127.0.0.1:{server.server_port}/{path}"
        return urlopen(request, **more)

    monkeypatch.setattr(urllib.request, "urlopen", here)
    server.files = {path: text.encode() for path, text in PUBLISHED.items()}
    (tmp_path / "news").mkdir()
    (tmp_path / "news/train.jsonl").write_text(json.dumps({"document": NEWS}) + "\n", encoding="utf-8")
    news = ["--sources.news.name", str(tmp_path / "news")] if name == "ko_poc" else []
    folder = tmp_path / "out"
    config = str(Path(__file__).parents[2] / f"configs/corpus/{name}.yaml")
    assert main(["--config", config, *news, "--output", str(folder), "--workers=1"]) == 0
    texts = {line.text for line in read_corpus(str(folder))}
    assert {"3박4일 놀러가고 싶다", "여행은 언제나 좋죠.", "그저 그랬다"} <= texts
    # Short reviews whole, news cut: the recipe that ko_poc.yaml repeats.
    if name == "ko_poc":
        assert {"10점 만점에 10점. 정말 재밌다!", "전문가들은 더 오를 것으로 본다."} <= texts
        assert "굳 ㅋ" not in texts
    assert "MIT" in (folder / "SOURCES.md").read_text(encoding="utf-8")
    assert "CC0-1.0" in (folder / "SOURCES.md").read_text(encoding="utf-8")
    # The same with files of one's own in place of the addresses.
    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    for path, text in PUBLISHED.items():
        (tmp_path / path.rsplit("/", 1)[1]).write_text(text, encoding="utf-8")
    own = ["--sources.chatbot.path", f"{tmp_path}/ChatbotData.csv", "--sources.nsmc.path", f"{tmp_path}/ratings_*.txt"]
    assert main(["--config", config, *news, *own, "--output", str(tmp_path / "own"), "--workers=1"]) == 0
    assert {line.text for line in read_corpus(str(tmp_path / "own"))} == texts
