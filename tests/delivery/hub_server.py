"""A hub small enough to read: models by name, downloads, and uploads with a token. Speaks the hub's own protocol."""

import base64
import hashlib
import http.server
import json
import re
import threading
from contextlib import contextmanager

TOKEN = "hf_a_token_of_this_test"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """Repositories as name -> {file: bytes}; `asked` lists the requests, `failing` is what writes are answered with."""

    def __init__(self):
        self.repos, self.large, self.asked, self.failing, self.private = {}, {}, [], 0, {}

    def info(self, name):
        files = [{"rfilename": path, "size": len(data)} for path, data in sorted(self.repos[name].items())]
        return {
            "_id": name,
            "id": name,
            "modelId": name,
            "sha": COMMIT,
            "siblings": files,
            "private": False,
            "tags": [],
        }

    def tree(self, name):
        files = sorted(self.repos[name].items())
        return [{"type": "file", "path": path, "size": len(data), "oid": digest(data)} for path, data in files]


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    @property
    def hub(self):
        return self.server.hub

    def answer(self, content, status=200, **headers):
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def nothing(self):
        self.answer({"error": "Repository not found"}, 404, X_Error_Code="RepoNotFound")

    def body(self):
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.partition("?")[0]
        self.hub.asked.append(f"{self.command} {path}")
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(/revision/[^/]+|/tree/.+|)", path):
            if found[1] not in self.hub.repos:
                return self.nothing()
            if found[2].count("/") > 2:  # a folder inside the repository: there are none
                return self.answer({"error": "Entry not found"}, 404, X_Error_Code="EntryNotFound")
            return self.answer(self.hub.tree(found[1]) if "/tree/" in found[2] else self.hub.info(found[1]))
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
            files = self.hub.repos.get(found[1])
            if files is None:
                return self.nothing()
            if found[2] not in files:
                return self.answer({"error": "Entry not found"}, 404, X_Error_Code="EntryNotFound")
            data = files[found[2]]
            return self.answer(data, ETag=f'"{digest(data)}"', X_Repo_Commit=COMMIT, Accept_Ranges="bytes")
        return self.nothing()

    def do_PUT(self):
        data = self.body()
        self.hub.large[self.path.rsplit("/", 1)[1]] = data
        self.answer(b"")

    def do_POST(self):
        path, data = self.path.partition("?")[0], self.body()
        self.hub.asked.append(f"POST {path}")
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer({"error": "Invalid credentials"}, 401)
        if self.hub.failing:
            return self.answer({"error": "out of order"}, self.hub.failing)
        if path == "/api/repos/create":
            wanted = json.loads(data)
            name = f"{wanted['organization']}/{wanted['name']}" if wanted.get("organization") else wanted["name"]
            self.hub.repos.setdefault(name, {".gitattributes": b""})
            self.hub.private[name] = wanted.get("private") or wanted.get("visibility") == "private"
            return self.answer({"url": f"{self.server.address}/{name}", "name": name, "id": name})
        if path == "/api/validate-yaml":
            return self.answer({"errors": [], "warnings": []})
        if found := re.fullmatch(r"/api/models/(.+)/preupload/[^/]+", path):
            kinds = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                    "shouldIgnore": False,
                    "oid": None,
                }
                for file in json.loads(data)["files"]
            ]
            return self.answer({"files": kinds})
        if path.endswith(".git/info/lfs/objects/batch"):
            upload = f"{self.server.address}/large"
            objects = [
                {**item, "actions": {"upload": {"href": f"{upload}/{item['oid']}", "header": {}}}}
                for item in json.loads(data)["objects"]
            ]
            return self.answer({"transfer": "basic", "objects": objects})
        if found := re.fullmatch(r"/api/models/(.+)/commit/[^/]+", path):
            self.commit(found[1], data)
            url = f"{self.server.address}/{found[1]}/commit/{COMMIT}"
            return self.answer({"success": True, "commitUrl": url, "commitOid": COMMIT, "hookOutput": ""})
        return self.nothing()

    def commit(self, name, data):
        files = self.hub.repos[name]
        for line in data.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
                assert digest(files[value["path"]]) == value["oid"]
            elif entry["key"] == "deletedFile":
                files.pop(value["path"], None)


@contextmanager
def running():
    """Serve a hub on loopback; yield it and its address."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.hub, server.address = Hub(), f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.hub, server.address
        server.shutdown()
