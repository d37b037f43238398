# hubmerge: merge language models and publish them
# SPDX-License-Identifier: Apache-2.0

"""What a user does with the official client, run by one version of it; serve_official.py calls this.

usage: serve_client.py <folder for files>     HF_ENDPOINT, WRITER, READER and STRANGER are set

Prints one line for each claim, `PASS` or `FAIL`.
"""

import hashlib
import os
import sys
import traceback
from pathlib import Path

import huggingface_hub
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub import errors

folder = Path(sys.argv[1])
writer, reader, stranger = (
    HfApi(token=os.environ[name]) for name in ("WRITER", "READER", "STRANGER"))
anonymous = HfApi(token=False)
failed = False


def check(claim, holds, detail=""):
    global failed
    failed = failed or not holds
    print(f"{'PASS' if holds else 'FAIL'}  {claim}{f'  ({detail})' if detail else ''}", flush=True)


def refused(kind, action):
    """Whether an action fails as the client's own exception of this kind."""
    try:
        action()
    except kind:
        return True
    except Exception as error:
        print(f"      {type(error).__name__}: {error}".replace("\n", " "), flush=True)
    return False


def digests(path):
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.rglob("*"))
        if file.is_file() and ".cache" not in file.parts
    }


def download(api, repo, name, **more):
    return Path(api.snapshot_download(repo, cache_dir=folder / "caches" / name, **more))


def repositories():
    url = writer.create_repo("acme/model")
    check("create_repo", url.repo_id == "acme/model")
    check("create_repo again", refused(errors.HfHubHTTPError, lambda: writer.create_repo("acme/model")))
    check("create_repo with exist_ok",
          writer.create_repo("acme/model", exist_ok=True).repo_id == "acme/model")
    check("whoami", writer.whoami()["name"] == "ann")
    check("repo_exists", writer.repo_exists("acme/model") and not writer.repo_exists("acme/none"))
    writer.create_repo("acme/old", private=True)
    writer.move_repo("acme/old", "acme/moved")
    check("move_repo leaves a redirect", writer.model_info("acme/old").id == "acme/moved")
    writer.delete_repo("acme/moved")
    check("delete_repo", not writer.repo_exists("acme/moved"))


def folders():
    source = folder / "source"
    done = writer.upload_folder(repo_id="acme/model", folder_path=source, commit_message="All of it")
    info = writer.model_info("acme/model", files_metadata=True)
    large = {s.rfilename: s.lfs["sha256"] if isinstance(s.lfs, dict) else s.lfs.sha256
             for s in info.siblings if s.lfs}
    expected = digests(source)
    check("upload_folder, large files in parts",
          large.get("large.bin") == expected["large.bin"], f"{len(info.siblings)} files")
    check("the commit is the head", done.oid == info.sha)
    got = digests(download(anonymous, "acme/model", "all"))
    check("snapshot_download has the same bytes", {**got, **expected} == got)
    some = digests(download(anonymous, "acme/model", "some", allow_patterns="*.json"))
    check("snapshot_download by patterns", sorted(some) == ["config.json"])
    again = writer.upload_folder(repo_id="acme/model", folder_path=source)
    check("the same folder again makes no commit", again.oid == done.oid)
    path = anonymous.hf_hub_download("acme/model", "sub/notes.txt", cache_dir=folder / "caches/one")
    check("hf_hub_download", Path(path).read_text() == (source / "sub/notes.txt").read_text())
    check("file_exists", anonymous.file_exists("acme/model", "config.json")
          and not anonymous.file_exists("acme/model", "none.json"))
    meta = huggingface_hub.get_hf_file_metadata(
        huggingface_hub.hf_hub_url("acme/model", "large.bin"), token=False)
    check("metadata of a large file", meta.etag == expected["large.bin"] and meta.size == 70_000_000)
    metadata = anonymous.get_safetensors_metadata("acme/model")
    check("get_safetensors_metadata", dict(metadata.parameter_count) == {"F32": 6})
    check("parameters in model_info", dict(info.safetensors.parameters) == {"F32": 6})
    tree = {entry.path for entry in anonymous.list_repo_tree("acme/model", recursive=True)}
    check("list_repo_tree", {"sub", "sub/notes.txt", "large.bin"} <= tree)
    entry = anonymous.get_paths_info("acme/model", ["large.bin"], expand=True)[0]
    check("get_paths_info", entry.last_commit.oid == done.oid)
    check("list_models", [m.id for m in anonymous.list_models(search="mod")] == ["acme/model"])
    check("list_models by tag", [m.id for m in anonymous.list_models(filter="interop")] == ["acme/model"]
          and not list(anonymous.list_models(filter="other")))
    expanded = anonymous.model_info("acme/model", expand=["safetensors", "sha"])
    check("model_info with expand", expanded.sha == info.sha and expanded.siblings is None)


def history():
    first = writer.model_info("acme/model").sha
    writer.create_commit(
        "acme/model", commit_message="Two at once", parent_commit=first,
        operations=[CommitOperationAdd("new.txt", b"new"), CommitOperationDelete("sub/")])
    files = writer.list_repo_files("acme/model")
    check("create_commit adds and deletes", "new.txt" in files and "sub/notes.txt" not in files)
    check("a stale parent is refused", refused(errors.HfHubHTTPError, lambda: writer.create_commit(
        "acme/model", commit_message="Late", parent_commit=first,
        operations=[CommitOperationAdd("late.txt", b"late")])))
    check("list_repo_commits", [c.title for c in writer.list_repo_commits("acme/model")][:2]
          == ["Two at once", "All of it"])
    writer.create_tag("acme/model", tag="v1", revision=first)
    writer.create_branch("acme/model", branch="side")
    refs = writer.list_repo_refs("acme/model")
    check("create_tag and create_branch", [t.name for t in refs.tags] == ["v1"]
          and {b.name for b in refs.branches} == {"main", "side"})
    at_tag = writer.list_repo_files("acme/model", revision="v1")
    check("files at a tag", "sub/notes.txt" in at_tag)
    check("a revision that is not there",
          refused(errors.RevisionNotFoundError, lambda: writer.model_info("acme/model", revision="v2")))
    check("a file that is not there", refused(
        errors.EntryNotFoundError, lambda: anonymous.hf_hub_download(
            "acme/model", "none", cache_dir=folder / "caches/none")))
    writer.delete_file("new.txt", "acme/model")
    check("delete_file", not writer.file_exists("acme/model", "new.txt"))
    writer.delete_tag("acme/model", tag="v1")
    writer.delete_branch("acme/model", branch="side")
    refs = writer.list_repo_refs("acme/model")
    check("delete_tag and delete_branch", not refs.tags and len(refs.branches) == 1)
    writer.super_squash_history("acme/model")
    check("super_squash_history", len(writer.list_repo_commits("acme/model")) == 1)


def proposals():
    done = stranger.create_commit(
        "acme/model", commit_message="A proposal", create_pr=True,
        operations=[CommitOperationAdd("proposal.txt", b"idea")])
    check("a stranger opens a pull request", done.pr_revision == "refs/pr/1", done.pr_url)
    check("and may not write otherwise", refused(errors.HfHubHTTPError, lambda: stranger.create_commit(
        "acme/model", commit_message="No", operations=[CommitOperationAdd("no.txt", b"no")])))
    pulls = list(writer.get_repo_discussions("acme/model"))
    check("get_repo_discussions", [d.title for d in pulls] == ["A proposal"] and pulls[0].is_pull_request)
    writer.comment_discussion("acme/model", 1, "Good.")
    details = writer.get_discussion_details("acme/model", 1)
    check("get_discussion_details", {"comment", "commit"} <= {e.type for e in details.events})
    path = writer.hf_hub_download(
        "acme/model", "proposal.txt", revision="refs/pr/1", cache_dir=folder / "caches/pr")
    check("a file of a pull request", Path(path).read_text() == "idea")
    writer.rename_discussion("acme/model", 1, "A better name")
    writer.merge_pull_request("acme/model", 1)
    details = writer.get_discussion_details("acme/model", 1)
    check("merge_pull_request", details.status == "merged" and details.title == "A better name"
          and writer.file_exists("acme/model", "proposal.txt"))


def access():
    writer.create_repo("acme/secret", private=True)
    writer.upload_file(path_or_fileobj=b"hidden", path_in_repo="a.txt", repo_id="acme/secret")
    missing = errors.RepositoryNotFoundError
    check("private: nothing for the anonymous", refused(missing, lambda: anonymous.model_info("acme/secret")))
    check("private: nothing for strangers", refused(missing, lambda: stranger.hf_hub_download(
        "acme/secret", "a.txt", cache_dir=folder / "caches/private")))
    check("private: for members", Path(reader.hf_hub_download(
        "acme/secret", "a.txt", cache_dir=folder / "caches/member")).read_text() == "hidden")
    check("private: not in lists", "acme/secret" not in [m.id for m in anonymous.list_models()]
          and "acme/secret" in [m.id for m in writer.list_models()])
    check("a reader may not write", refused(errors.HfHubHTTPError, lambda: reader.upload_file(
        path_or_fileobj=b"x", path_in_repo="b.txt", repo_id="acme/secret")))
    check("a wrong token", refused(Exception, lambda: HfApi(token="hf_no").whoami()))

    update = getattr(writer, "update_repo_settings")
    update("acme/secret", private=False)
    update("acme/secret", gated="manual")

    def get(api, name):
        return api.hf_hub_download("acme/secret", "a.txt", cache_dir=folder / "caches" / name)

    gated = errors.GatedRepoError
    check("gated: not for the anonymous", refused(gated, lambda: get(anonymous, "gate1")))
    check("gated: not for strangers", refused(gated, lambda: get(stranger, "gate2")))
    check("gated: seen by all", anonymous.model_info("acme/secret").gated == "manual")
    if hasattr(stranger, "auth_check"):
        check("auth_check", refused(gated, lambda: stranger.auth_check("acme/secret")))
    import urllib.request
    urllib.request.urlopen(urllib.request.Request(
        os.environ["HF_ENDPOINT"] + "/acme/secret/ask-access", data=b"{}", method="POST",
        headers={"Authorization": "Bearer " + os.environ["STRANGER"],
                 "Content-Type": "application/json"}))
    pending = list(writer.list_pending_access_requests("acme/secret"))
    check("gated: a request is pending", [r.username for r in pending] == ["eve"])
    writer.accept_access_request("acme/secret", "eve")
    check("gated: for whom it was accepted", Path(get(stranger, "gate3")).read_text() == "hidden")
    writer.reject_access_request("acme/secret", "eve", rejection_reason=None)
    check("gated: and no longer", refused(gated, lambda: get(stranger, "gate4")))


def datasets():
    writer.create_repo("acme/data", repo_type="dataset")
    writer.upload_file(path_or_fileobj=b"text,label\na,1\nb,0\n", path_in_repo="train.csv",
                       repo_id="acme/data", repo_type="dataset")
    check("list_datasets", [d.id for d in anonymous.list_datasets()] == ["acme/data"])
    files = huggingface_hub.HfFileSystem(token=False)
    with files.open("datasets/acme/data/train.csv", "r") as stream:
        check("HfFileSystem", stream.readline() == "text,label\n")


for part in (repositories, folders, history, proposals, access, datasets):
    try:
        part()
    except Exception:
        traceback.print_exc()
        check(part.__name__, False, "broke off")
sys.exit(failed)
