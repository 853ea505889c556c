"""Files named by address: from a real server of this machine, by Gradio's own way of fetching.

Faked: that the server's address is public, which Gradio asks before it fetches; one test shows
that it is refused otherwise.
"""

import asyncio
import gzip
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import gradio as gr
import pytest
import safehttpx
from gradio import processing_utils

from demo.fetching import CappedTransport, capped

MOST = 100_000


class Host(BaseHTTPRequestHandler):
    """Sends as many bytes as its path says; `/endless` never ends, `/to/N` points elsewhere."""

    sent = 0

    def log_message(self, *_):
        pass

    def do_GET(self):
        *_, way, last = self.path.split("/")
        if way == "to":
            self.send_response(302)
            self.send_header("Location", f"/{last}")
            self.end_headers()
            return
        self.send_response(200)
        if way == "packed":
            self.send_header("Content-Encoding", "gzip")
            content = gzip.compress(bytes(int(last)))
        else:
            content = b"" if last == "endless" else b"x" * int(last)
        if way == "said" or content:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        try:
            self.wfile.write(content)
            while last == "endless":
                self.wfile.write(b"x" * 10_000)
                Host.sent += 10_000
        except OSError:  # whoever asked has heard enough
            pass


@pytest.fixture
def host():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def public(monkeypatch):
    async def verified(hostname):
        return hostname

    monkeypatch.setattr(safehttpx, "async_validate_url", verified)


def fetched(url, folder):
    with capped(MOST), ThreadPoolExecutor(1) as thread:  # this one may have a loop, of a browser
        download = processing_utils.async_ssrf_protected_download(url, str(folder))
        path = thread.submit(asyncio.run, download).result()
    return Path(path).read_bytes()


@contextmanager
def refused():
    with pytest.raises(gr.Error) as caught:
        yield
    assert caught.value.message == "The file at this address is too large; up to 0.1 MB are taken."
    assert not caught.value.print_exception


@pytest.mark.parametrize("way", ["", "to/"])
def test_what_is_small_enough_is_fetched(host, public, tmp_path, way):
    assert fetched(f"{host}/{way}{MOST}", tmp_path) == b"x" * MOST


@pytest.mark.parametrize("way", ["", "to/"])
def test_what_is_too_large_is_refused(host, public, tmp_path, way):
    with refused():
        fetched(f"{host}/{way}{MOST + 1}", tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_does_not_say_how_large_it_is_ends_at_the_cap(host, public, tmp_path):
    Host.sent = 0
    with refused():
        fetched(f"{host}/endless", tmp_path)
    assert Host.sent < 20_000_000  # what the system has taken in advance, and no more


def test_what_is_packed_stays_packed(host, public, tmp_path):
    packed = fetched(f"{host}/packed/{50 * MOST}", tmp_path)
    assert len(packed) < MOST
    assert len(gzip.decompress(packed)) == 50 * MOST


def test_private_networks_are_refused(host, tmp_path):
    with pytest.raises(ValueError, match="failed validation"):
        fetched(f"{host}/10", tmp_path)


def test_the_cap_ends_with_the_page():
    before = processing_utils.async_transport
    with capped(MOST):
        assert isinstance(processing_utils.async_transport, CappedTransport)
    assert processing_utils.async_transport is before
