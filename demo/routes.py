"""What browsers fetch by address: uploads, pictures, frames, proxies, downloads, the page's files.

An address holds the token of a workspace and names of our own making; each is looked up, none is
ever joined to a path. Whatever is unknown is a plain 404. An upload is counted while it arrives,
so that nobody can fill the disk by leaving its length out.
"""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from anyio import open_file
from anyio.to_thread import run_sync
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from demo.actions import Desk, opened
from demo.chinese import language_of, told
from demo.medium import PICTURE, PROXY, Medium
from demo.turns import apologise
from demo.visitors import ClosedError
from demo.workspace import Workspace
from x2sam.errors import LimitError, MediaError, X2SAMError
from x2sam.media.limits import MEGA
from x2sam.types import Media

STATIC: Final = Path(__file__).parent / "static"
PRIVATE: Final = {  # for what belongs to one visitor
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
SPARE: Final = 500 * MEGA  # bytes of the disk that are left alone
NOT_FOUND, TOO_LARGE, UNREADABLE, TOO_EARLY, FULL = 404, 413, 422, 425, 507


def routes(desk: Desk) -> list[BaseRoute]:
    """List all addresses of ours, below the page's own."""

    def bound(
        answer: Callable[[Desk, Request], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            return await answer(desk, request)

        return endpoint

    return [
        Route("/x2sam/upload/{token}", bound(_upload), methods=["POST"]),
        Route("/x2sam/close/{token}", bound(_close), methods=["POST"]),
        Route("/x2sam/media/{token}/{medium}/frame/{index:int}.jpg", bound(_frame)),
        Route("/x2sam/media/{token}/{medium}/{name}", bound(_medium_file)),
        Route("/x2sam/files/{token}/{name}", bound(_download)),
        Mount("/x2sam/static", _Static(directory=STATIC)),
    ]


class _Static(StaticFiles):
    """The page's own files; browsers keep them, but ask whether they are still the same."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response


async def _upload(desk: Desk, request: Request) -> Response:
    """Take a file, and open it."""
    token = request.path_params["token"]
    kind: Media = "video" if request.query_params.get("kind") == "video" else "image"
    name = request.query_params.get("name", "")
    folder = None

    def say(status: int, **values: Any) -> Response:
        spoken = told(values, language_of(request.query_params))
        return JSONResponse(spoken, status, headers=PRIVATE)

    try:
        workspace = desk.visitors.find(token)
        _check_length(desk, request.headers, kind)
        folder = workspace.new_folder()
        await _receive(desk, request, folder / "source", kind)
        await run_sync(workspace.open, folder, folder / "source", name, kind)
        return say(200, ok=True, **await run_sync(opened, workspace))
    except ClosedError as error:
        answer = say(NOT_FOUND, ok=False, error=str(error), expired=True)
    except ClientDisconnect:
        answer = say(UNREADABLE, ok=False, error="The upload was broken off.")
    except LimitError as error:
        answer = say(TOO_LARGE, ok=False, error=str(error))
    except X2SAMError as error:
        answer = say(UNREADABLE, ok=False, error=str(error))
    except OSError as error:
        apologise(error)
        answer = say(FULL, ok=False, error="The server has no room for this file.")
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    return answer


def _check_length(desk: Desk, headers: Headers, kind: Media) -> None:
    """Refuse a file that says that it is too large, or that the disk has no room for."""
    declared = headers.get("content-length", "0")
    size = int(declared) if declared.isdecimal() else 0
    _check_bytes(desk, size, kind)
    if shutil.disk_usage(desk.visitors.root).free < size + SPARE:
        raise MediaError("The server's disk is full. Try again later.")


def _check_bytes(desk: Desk, size: int, kind: Media) -> None:
    limits = desk.settings.limits
    check = limits.check_clip_bytes if kind == "video" else limits.check_picture_bytes
    check("This file", size)


async def _receive(desk: Desk, request: Request, path: Path, kind: Media) -> None:
    """Write what arrives, as long as it is not too large and somebody is there to use it."""
    size = 0
    async with await open_file(path, "wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            _check_bytes(desk, size, kind)
            desk.visitors.find(request.path_params["token"])  # a slow upload is a use
            await file.write(chunk)


async def _close(desk: Desk, request: Request) -> Response:
    """Close a workspace, as its page goes away."""
    await run_sync(desk.visitors.leave, request.path_params["token"])
    return Response(status_code=204)


async def _frame(desk: Desk, request: Request) -> Response:
    medium = _medium(desk, request)
    if medium.stills is None:
        raise HTTPException(NOT_FOUND)
    try:
        content = await run_sync(medium.stills.get, request.path_params["index"])
    except MediaError as error:
        raise HTTPException(NOT_FOUND) from error
    # A frame never changes, and going to and fro should not ask for it again.
    kept = {**PRIVATE, "Cache-Control": "private, max-age=600"}
    return Response(content, media_type="image/jpeg", headers=kept)


async def _medium_file(desk: Desk, request: Request) -> Response:
    medium, name = _medium(desk, request), request.path_params["name"]
    if name == PICTURE and medium.proxy is None:
        return FileResponse(medium.folder / PICTURE, media_type="image/webp", headers=PRIVATE)
    if name != PROXY or medium.proxy is None or medium.proxy.error:
        raise HTTPException(NOT_FOUND)
    if not medium.proxy.ready:
        return Response(status_code=TOO_EARLY, headers={**PRIVATE, "Retry-After": "1"})
    # FileResponse answers Range, without which a browser cannot seek.
    return FileResponse(medium.proxy.path, media_type="video/mp4", headers=PRIVATE)


async def _download(desk: Desk, request: Request) -> Response:
    workspace, name = _workspace(desk, request), request.path_params["name"]
    archive = workspace.archive
    if archive is None or archive.name != name or not archive.is_file():
        raise HTTPException(NOT_FOUND)
    return FileResponse(archive, media_type="application/zip", filename=name, headers=PRIVATE)


def _workspace(desk: Desk, request: Request) -> Workspace:
    try:
        return desk.visitors.find(request.path_params["token"])
    except ClosedError as error:
        raise HTTPException(NOT_FOUND) from error


def _medium(desk: Desk, request: Request) -> Medium:
    medium = _workspace(desk, request).medium
    if medium is None or medium.id != request.path_params["medium"]:
        raise HTTPException(NOT_FOUND)
    return medium
