"""A Hub in small: the routes that pushing and pulling need, in memory. `python tests/hub_server.py PORT [--vanish]`.

Two people have tokens, `hf_alice` and `hf_bob`. With `--vanish` the process ends in the middle of the
first upload of a large file.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
from dataclasses import dataclass, field

import uvicorn
import yaml
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from huggingface_hub.repocard import RepoCard
from huggingface_hub.repocard_data import model_index_to_eval_results

TOKENS = {"hf_alice": "alice", "hf_bob": "bob"}
LICENCES = {"apache-2.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "odbl", "other", "unknown"}
LARGE = (".safetensors", ".parquet", ".png", ".wav")


@dataclass
class Repository:
    """One repository: its files as they are now."""

    private: bool
    files: dict[str, bytes] = field(default_factory=dict)
    commits: int = 0

    @property
    def sha(self) -> str:
        return hashlib.sha1(f"{self.commits}{sorted(self.files)}".encode()).hexdigest()


app = FastAPI()
repositories: dict[tuple[str, str], Repository] = {}
blobs: dict[str, bytes] = {}


def refuse(status: int, message: str, code: str | None = None) -> HTTPException:
    headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
    return HTTPException(status, message, headers)


@app.exception_handler(HTTPException)
def as_json(_: Request, error: HTTPException) -> JSONResponse:
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def user_of(request: Request) -> str | None:
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and token not in TOKENS:
        raise refuse(401, "Invalid username or password.")
    return TOKENS.get(token)


def readable(request: Request, kind: str, name: str) -> Repository:
    user, repository = user_of(request), repositories.get((kind, name))
    if repository is None or (repository.private and user != name.split("/")[0]):
        raise refuse(404 if user else 401, "Repository not found", "RepoNotFound")
    return repository


def writable(request: Request, kind: str, name: str) -> Repository:
    user = user_of(request)
    if user is None:
        raise refuse(401, "Invalid username or password.")
    repository = readable(request, kind, name)
    if user != name.split("/")[0]:
        raise refuse(403, f"You are not allowed to write to {name}.")
    return repository


@app.get("/api/whoami-v2")
def whoami(request: Request) -> dict:
    user = user_of(request)
    if user is None:
        raise refuse(401, "Invalid username or password.")
    return {"name": user, "type": "user", "orgs": []}


@app.post("/api/repos/create")
async def create(request: Request) -> dict:
    wanted, user = await request.json(), user_of(request)
    kind = wanted.get("type", "model") + "s"
    owner = wanted.get("organization") or user
    name = f"{owner}/{wanted['name']}"
    if user is None:
        raise refuse(401, "Invalid username or password.")
    if (kind, name) in repositories:
        raise refuse(409, f"You already created this {kind[:-1]} repo")
    if owner != user:
        raise refuse(403, f'You don\'t have the rights to create a {kind[:-1]} under the namespace "{owner}"')
    repositories[kind, name] = Repository(private=wanted.get("visibility") == "private" or bool(wanted.get("private")))
    return {"url": str(request.base_url) + ("" if kind == "models" else f"{kind}/") + name}


@app.post("/api/validate-yaml")
async def validate(request: Request) -> Response:
    """Metadata of a card: known licence, tags, and results that read back."""
    body = await request.json()
    try:
        data = RepoCard(body["content"]).data.to_dict()
        if data.get("license") not in LICENCES:
            raise ValueError(f'"license" must be one of {sorted(LICENCES)}')
        if data["license"] == "other" and body["repoType"] == "model" and not data.get("license_name"):
            raise ValueError('"license_name" is required when "license" is other')
        if body["repoType"] == "space" and not {"sdk", "sdk_version", "app_file"} <= set(data):
            raise ValueError('"sdk", "sdk_version" and "app_file" are required')
        if "model-index" in data:
            model_index_to_eval_results(data["model-index"])
    except (ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        return JSONResponse({"errors": [{"message": str(error)}], "warnings": []}, 400)
    return JSONResponse({"errors": [], "warnings": []})


@app.post("/api/{kind}/{owner}/{name}/preupload/{revision}")
async def preupload(request: Request, kind: str, owner: str, name: str) -> dict:
    writable(request, kind, f"{owner}/{name}")
    files = [file["path"] for file in (await request.json())["files"]]
    return {
        "files": [
            {"path": path, "uploadMode": "lfs" if path.endswith(LARGE) else "regular", "shouldIgnore": False}
            for path in files
        ]
    }


@app.post("/{kind}/{owner}/{name}.git/info/lfs/objects/batch")
@app.post("/{owner}/{name}.git/info/lfs/objects/batch")
async def lfs_batch(request: Request, owner: str, name: str, kind: str = "models") -> dict:
    writable(request, kind, f"{owner}/{name}")
    objects = (await request.json())["objects"]
    for entry in objects:
        if entry["oid"] not in blobs:
            entry["actions"] = {"upload": {"href": f"{request.base_url}lfs/{entry['oid']}"}}
    return {"transfer": "basic", "objects": objects}


@app.put("/lfs/{oid}")
async def lfs_put(request: Request, oid: str) -> Response:
    if app.state.vanish:
        async for _ in request.stream():
            os._exit(1)
    content = await request.body()
    if hashlib.sha256(content).hexdigest() != oid:
        raise refuse(400, "The content is not what was announced.")
    blobs[oid] = content
    return Response()


@app.post("/api/{kind}/{owner}/{name}/commit/{revision}")
async def commit(request: Request, kind: str, owner: str, name: str) -> dict:
    repository = writable(request, kind, f"{owner}/{name}")
    files = dict(repository.files)
    for line in (await request.body()).splitlines():
        entry = json.loads(line)
        key, value = entry["key"], entry["value"]
        if key == "file":
            files[value["path"]] = base64.b64decode(value["content"])
        elif key == "lfsFile":
            files[value["path"]] = blobs[value["oid"]]
        elif key == "deletedFile":
            files.pop(value["path"], None)
    repository.files, repository.commits = files, repository.commits + 1
    return {
        "success": True,
        "commitOid": repository.sha,
        "commitUrl": f"{request.base_url}{owner}/{name}/commit/{repository.sha}",
        "hookOutput": "",
    }


@app.get("/api/{kind}/{owner}/{name}")
@app.get("/api/{kind}/{owner}/{name}/revision/{revision}")
def info(request: Request, kind: str, owner: str, name: str) -> dict:
    repository = readable(request, kind, f"{owner}/{name}")
    return {
        "_id": name, "id": f"{owner}/{name}", "sha": repository.sha, "private": repository.private, "disabled": False,
        "downloads": 0, "likes": 0, "tags": [], "commits": repository.commits,
        "siblings": [{"rfilename": path} for path in sorted(repository.files)],
    }  # fmt: skip


def entry_of(path: str, content: bytes) -> dict:
    oid = hashlib.sha1(content).hexdigest()
    entry = {"type": "file", "path": path, "oid": oid, "size": len(content)}
    if path.endswith(LARGE):
        entry["lfs"] = {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 130}
    return entry


@app.get("/api/{kind}/{owner}/{name}/tree/{revision}")
@app.get("/api/{kind}/{owner}/{name}/tree/{revision}/{folder:path}")
def tree(request: Request, kind: str, owner: str, name: str, recursive: bool = False, folder: str = "") -> list:
    repository = readable(request, kind, f"{owner}/{name}")
    start = f"{folder}/" if folder else ""
    below = {path: content for path, content in repository.files.items() if path.startswith(start)}
    if folder and not below:
        raise refuse(404, f"{folder} does not exist", "EntryNotFound")
    entries, folders = [], set()
    for path, content in sorted(below.items()):
        parts = path.removeprefix(start).split("/")
        folders |= {
            start + "/".join(parts[:depth]) for depth in range(1, len(parts) if recursive else min(2, len(parts)))
        }
        if recursive or len(parts) == 1:
            entries.append(entry_of(path, content))
    return entries + [{"type": "directory", "path": path, "oid": "0" * 40, "size": 0} for path in sorted(folders)]


@app.post("/api/{kind}/{owner}/{name}/paths-info/{revision}")
async def paths_info(request: Request, kind: str, owner: str, name: str) -> list:
    files = readable(request, kind, f"{owner}/{name}").files
    if "json" in request.headers.get("content-type", ""):
        paths = (await request.json())["paths"]
    else:
        paths = (await request.form()).getlist("paths")
    return [entry_of(path, files[path]) for path in paths if path in files]


@app.api_route("/{kind}/{owner}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
@app.api_route("/{owner}/{name}/resolve/{revision}/{path:path}", methods=["GET", "HEAD"])
def resolve(request: Request, owner: str, name: str, path: str, kind: str = "models") -> Response:
    repository = readable(request, kind, f"{owner}/{name}")
    if path not in repository.files:
        raise refuse(404, "Entry not found", "EntryNotFound")
    content = repository.files[path]
    headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": repository.sha}
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Length": str(len(content))})
    if span := request.headers.get("range", "").removeprefix("bytes="):
        first, last = (int(number) if number else None for number in span.split("-"))
        last = len(content) - 1 if last is None else min(last, len(content) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
        return Response(content[first : last + 1], 206, headers)
    return Response(content, headers=headers)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--vanish", action="store_true")
    args = parser.parse_args()
    app.state.vanish = args.vanish
    uvicorn.run(app, host="127.0.0.1", port=args.port, log_level="warning")
