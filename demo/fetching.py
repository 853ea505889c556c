"""Files that a program names by address: Gradio fetches them, and this counts what comes.

Whoever calls an endpoint may name a file at a public http address instead of uploading it, which
is how agents do it. Gradio refuses private networks, follows redirects with the same care, and
holds the whole answer in memory before it writes it. It leaves the connection to a transport of
one's own; this one ends an answer that is larger than an upload may be, while it arrives.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import gradio as gr
import httpx
from gradio import processing_utils

from x2sam.media.limits import MEGA


class CappedTransport(httpx.AsyncBaseTransport):
    """Fetches from public hosts only, and at most so many bytes."""

    def __init__(self, most: int) -> None:
        self.most = most

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Ask a host whose address is public, and count what it answers."""
        # What is packed may unpack to any size, and pictures and clips are packed already.
        request.headers["Accept-Encoding"] = "identity"
        verified = await processing_utils.sh.async_validate_url(request.url.host)
        transport = processing_utils.sh.AsyncSecureTransport(verified)
        try:
            answer = await transport.handle_async_request(request)
            size = answer.headers.get("content-length", "0")
            self.check(int(size) if size.isdecimal() else 0)
        except BaseException:
            await transport.aclose()
            raise
        headers = answer.headers.copy()
        headers.pop("content-encoding", None)
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        stream = _Counted(answer.stream, transport, self)
        return httpx.Response(answer.status_code, headers=headers, stream=stream)

    def check(self, size: int) -> None:
        """Refuse a file of too many bytes, in a sentence that Gradio hands on to the caller."""
        if size > self.most:
            raise gr.Error(
                f"The file at this address is too large; up to {self.most / MEGA:g} MB are taken.",
                print_exception=False,
            )


class _Counted(httpx.AsyncByteStream):
    """An answer that ends with an error where it becomes too large."""

    def __init__(
        self,
        stream: httpx.AsyncByteStream,
        transport: httpx.AsyncHTTPTransport,
        cap: CappedTransport,
    ) -> None:
        self._stream = stream
        self._transport = transport
        self._cap = cap

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._stream:
            size += len(chunk)
            self._cap.check(size)
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()
        await self._transport.aclose()


@contextmanager
def capped(most: int) -> Iterator[None]:
    """Let Gradio fetch no more than `most` bytes from an address, in this process, for a while."""
    before = processing_utils.async_transport
    processing_utils.async_transport = CappedTransport(most)
    try:
        yield
    finally:
        processing_utils.async_transport = before
