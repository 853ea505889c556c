"""The Hugging Face Hub: which files of a repository are wanted, and what fetching them takes.

A repository is named as on its page, and may be pinned to a branch, a tag or a commit:

    >>> split("hao9610/X2SAM@v1")
    ('hao9610/X2SAM', 'v1')
    >>> split("hao9610/X2SAM")
    ('hao9610/X2SAM', None)

Downloading, going on where a download broke off, and the cache are huggingface_hub's; so are
its settings, HF_HOME and HF_HUB_OFFLINE among them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from x2sam.errors import WeightsError, reason
from x2sam.model import room

PUBLISHED: Final = {  # models on the Hub -> their folder in the repository
    "hao9610/X2SAM": "x2sam_qwen3_vl_4b_sam2.1_hiera_large_m2f_e1_gpu32_lora"
}
READ: Final = ("*.json", "*.safetensors", "pytorch_model*.bin")  # what is wanted of any other


def split(name: str) -> tuple[str, str | None]:
    """Take a name apart: repository, and revision if one is named."""
    repository, _, revision = name.partition("@")
    return repository, revision or None


def is_repository(name: str) -> bool:
    """Tell whether a name has the form of a repository's.

    >>> is_repository("hao9610/X2SAM@main"), is_repository("./runs/7"), is_repository("a/b/c")
    (True, False, False)
    """
    repository, _ = split(name)
    return repository.count("/") == 1 and not repository.startswith(("/", ".", "~"))


def is_published(name: str) -> bool:
    """Tell whether a name is that of the published model, at any revision."""
    return split(name)[0] in PUBLISHED


def fetch(name: str, only: Sequence[str] = ()) -> Path:
    """Fetch what is wanted of a repository, or find it in the cache: the folder with it.

    Args:
        name: of the repository.
        only: patterns of files, instead of all that is read.

    Raises:
        WeightsError: it is neither there nor in the cache, or the disk has no room for it.
    """
    check_room(name, missing(name, only))
    try:
        folder = Path(_snapshot(name, only))
    except Exception as error:  # whatever its HTTP library raises, which changes between versions
        raise WeightsError(
            f"There is no file or folder {name!r}, and it could not be fetched from the "
            f"Hugging Face Hub either: {reason(error)}"
        ) from error
    inside = PUBLISHED.get(split(name)[0])
    return folder / inside if inside else folder


def missing(name: str, only: Sequence[str] = ()) -> int:
    """Count the bytes that `fetch` would download; 0 where the Hub cannot be asked."""
    try:
        files = _snapshot(name, only, dry_run=True)
    except Exception:  # noqa: BLE001 (whoever fetches is told)
        return 0
    return sum(file.file_size or 0 for file in files if file.will_download)


def check_room(name: str, size: int) -> None:
    """Raise `WeightsError` if the cache's disk has no room for so many bytes."""
    if size > (free := room.disk(cache())):
        raise WeightsError(
            f"{name} has to be fetched, which takes {room.gb(size)} of disk at {cache()}; "
            f"{room.gb(free)} is free there. Make room, or name another folder in HF_HOME."
        )


def cached(name: str) -> Path | None:
    """Find a repository's weights in the cache alone: the folder with them."""
    from huggingface_hub.errors import LocalEntryNotFoundError  # noqa: PLC0415

    try:
        folder = Path(_snapshot(name, (), local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    return folder if any(folder.glob("*.safetensors")) else None


def cache() -> Path:
    """Say where the cache is."""
    from huggingface_hub import constants  # noqa: PLC0415 (only who downloads needs it)

    return Path(constants.HF_HUB_CACHE)


def _snapshot(name: str, only: Sequence[str], **options: Any) -> Any:
    from huggingface_hub import snapshot_download  # noqa: PLC0415

    repository, revision = split(name)
    inside = PUBLISHED.get(repository)
    # Of a repository with many models only one is wanted.
    patterns = list(only) or ([f"{inside}/*"] if inside else list(READ))
    return snapshot_download(repository, revision=revision, allow_patterns=patterns, **options)
