"""Downloads against a server on loopback that breaks off, changes its file, and refuses."""

import hashlib
import http.server
import threading
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
        self.data, self.tag, self.cut, self.ranges, self.ignore_ranges = DATA, '"one"', [], [], False

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/texts/de.txt"


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        server = self.server
        if self.path.partition("?")[0] != "/texts/de.txt":
            self.send_error(404)
            return
        asked = self.headers.get("Range")
        server.ranges.append(asked)
        start = 0
        if asked and self.headers.get("If-Range") == server.tag and not server.ignore_ranges:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        self.send_response(206 if start else 200)
        self.send_header("ETag", server.tag)
        self.send_header("Content-Length", str(len(server.data) - start))
        self.end_headers()
        body = server.data[start:]
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
