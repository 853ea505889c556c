"""A cache of the Hub, laid out as huggingface_hub does."""


def put(cache, repository, commit, files, branch="main"):
    """Write a snapshot as the cache holds it: blobs, links to them, and a branch's name."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    for number, (name, content) in enumerate(files.items()):
        blob = folder / "blobs" / f"{commit[:4]}{number}"
        link = folder / "snapshots" / commit / name
        blob.parent.mkdir(parents=True, exist_ok=True)
        link.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        link.symlink_to(blob)
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / branch).write_text(commit)
