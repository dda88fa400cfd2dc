"""Download of one file over HTTP, with retries and resumption."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import requests
from tqdm import tqdm
from urllib3.exceptions import HTTPError, InvalidHeader, ReadTimeoutError
from urllib3.util import Retry

from textlvm.corpora.partial import PartialFile, Version

__all__ = ["DEFAULT_PATIENCE", "Download", "Failure", "Patience", "transfer"]

BLOCK = 1 << 16
# An attempt that receives this many bytes restarts the retries: a long download may break off many times.
FURTHER = 1 << 20
RETRIED_STATUSES = {408, 425, 429, 500, 502, 503, 504}
OUT_OF_RANGE = 416


@dataclass(frozen=True)
class Patience:
    """Time limits and retries of a download."""

    timeout: float = 60
    """Maximum seconds without data."""
    waits: tuple[float, ...] = (1, 2, 4, 8, 16)
    """Seconds before each retry without progress."""
    longest: float = 300
    """Maximum seconds that a server may ask to wait."""
    sleep: Callable[[float], None] = time.sleep


DEFAULT_PATIENCE = Patience()

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Download:
    """A complete download."""

    address: str
    """The address after redirections."""
    spliced: bool
    """Whether it was assembled from several responses."""


class Failure(Exception):
    """The reason why a download failed, as a clause."""


class _TemporaryFailure(Failure):
    """A failure after which a retry may succeed."""

    def __init__(self, reason: str, after: float = 0) -> None:
        super().__init__(reason)
        self.after = after


def transfer(
    url: str, part: PartialFile, patience: Patience = DEFAULT_PATIENCE, max_bytes: int | None = None
) -> Download:
    """Download `url` into `part`, resuming from its content.

    Raises `Failure` for a permanent error or after several attempts; `part` keeps the received bytes. It also
    raises `Failure` for a file of more than `max_bytes`, and then `part` keeps nothing.
    """
    waits, reached = iter(patience.waits), part.size
    while True:
        try:
            return _attempt(url, part, patience.timeout, max_bytes)
        except _TemporaryFailure as failure:
            if part.size >= reached + FURTHER:
                waits, reached = iter(patience.waits), part.size
            wait = next(waits, None)
            if wait is None:
                raise Failure(f"{failure}, after several attempts") from failure
            if failure.after > patience.longest:
                raise Failure(f"{failure}, and asks to retry after {failure.after:,.0f} seconds") from failure
            wait = max(wait, failure.after)
            logger.warning("%s: %s; retrying in %g seconds", url, failure, wait)
            patience.sleep(wait)


def _attempt(url: str, part: PartialFile, timeout: float, max_bytes: int | None) -> Download:
    """Request the missing part once, and write it."""
    known = part.version if part.version and part.version.url == url else None
    begin = part.size if known else 0
    # The offsets of a compressed response would not be those of the file.
    headers = {"Accept-Encoding": "identity"}
    if known:
        headers |= {"Range": f"bytes={begin}-", "If-Range": known.validator}
    with _request(url, headers, timeout) as response:
        first, size = _extent(response)
        if known and response.status_code == OUT_OF_RANGE and size == begin:
            return Download(response.url, spliced=True)  # it was complete already
        _check_status(response.status_code, _retry_after(response), part)
        if first == 0:
            part.begin(_version(url, response, size))
        elif known is None or first != begin or size != known.size or not _is_same_version(known, response):
            part.clear()
            raise _TemporaryFailure("it sent a different part of the file than requested")
        _receive(response, part, size, timeout, max_bytes)
        return Download(response.url, spliced=first > 0)


def _request(url: str, headers: dict[str, str], timeout: float) -> requests.Response:
    try:
        return requests.get(url, headers=headers, timeout=timeout, stream=True)
    except requests.exceptions.SSLError as error:
        raise Failure(f"no safe connection: {_one_line(error)}") from error
    except requests.Timeout as error:
        raise _TemporaryFailure(f"no answer in {timeout:g} seconds") from error
    except requests.ConnectionError as error:
        raise _TemporaryFailure("no connection") from error
    except requests.RequestException as error:
        raise Failure(_one_line(error)) from error


def _check_status(status: int, after: float, part: PartialFile) -> None:
    if status == OUT_OF_RANGE:
        part.clear()
    if status in RETRIED_STATUSES or status == OUT_OF_RANGE:
        raise _TemporaryFailure(f"HTTP status {status}", after)
    if status not in (200, 206):
        raise Failure(f"HTTP status {status}")


def _receive(
    response: requests.Response, part: PartialFile, size: int | None, timeout: float, max_bytes: int | None
) -> None:
    # disable=None: show the bar only on a terminal.
    bar = tqdm(desc=part.path.stem, total=size, initial=part.size, unit="B", unit_scale=True, disable=None)
    of = "" if size is None else f" of {size:,}"
    try:
        with bar:
            for block in response.raw.stream(BLOCK, decode_content=False):
                part.append(block)
                bar.update(len(block))
                if max_bytes is not None and part.size > max_bytes:
                    part.clear()
                    raise Failure(f"it has more than {max_bytes:,} bytes")
    except ReadTimeoutError as error:
        raise _TemporaryFailure(f"no data for {timeout:g} seconds after {part.size:,}{of}") from error
    except HTTPError as error:
        raise _TemporaryFailure(f"the connection broke off after {part.size:,}{of} bytes") from error
    if size is not None and part.size != size:
        raise _TemporaryFailure(f"the connection broke off after {part.size:,}{of} bytes")


def _extent(response: requests.Response) -> tuple[int, int | None]:
    """Return the offset of a response in the file (-1 if unknown) and the size of the whole file."""
    header = response.headers.get("Content-Range", "")
    if response.status_code not in (206, OUT_OF_RANGE):
        header = f"bytes 0-0/{response.headers.get('Content-Length', '*')}"
    match = re.fullmatch(r"bytes (?:([0-9]{1,18})-[0-9]{1,18}|\*)/(?:([0-9]{1,18})|\*)", header)
    first, size = match.groups() if match else (None, None)
    return -1 if first is None else int(first), None if size is None else int(size)


def _version(url: str, response: requests.Response, size: int | None) -> Version | None:
    """The version of the file in a response; None if the server sends none that is valid for If-Range."""
    tag = response.headers.get("ETag", "W/")
    validator = response.headers.get("Last-Modified") if tag.startswith("W/") else tag
    return Version(url, validator, size) if validator else None


def _is_same_version(known: Version, response: requests.Response) -> bool:
    """Whether a response has this version or states none; some servers ignore If-Range."""
    validators = {response.headers.get("ETag"), response.headers.get("Last-Modified")} - {None}
    return not validators or known.validator in validators


def _retry_after(response: requests.Response) -> float:
    """Seconds that the server asks to wait, given as a number or as a date."""
    try:
        return Retry().parse_retry_after(response.headers.get("Retry-After", "0"))
    except (InvalidHeader, OverflowError, ValueError):
        return 0


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
