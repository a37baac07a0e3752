"""A request's body: read within its limits, and understood or refused with the reason."""

from __future__ import annotations

from fastapi import HTTPException, Request
from pydantic import ValidationError

from diptych.web.limits import Limits
from diptych.web.schemas import TranslationRequest

DRAINED_BYTES = 1 << 20
"""Of a body that is too large so much is read and dropped: a client that is still sending would not see the answer."""


async def read_translation_request(request: Request, limits: Limits) -> TranslationRequest:
    """The body as a request for translations.

    Raises:
        HTTPException: 415, 413, 400 or 422; the detail says what is wrong and what to send.
    """
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise HTTPException(415, f"the content type is {kind[:60]!r}: send JSON, with Content-Type: application/json")
    body = await _read(request, limits.body_bytes)
    try:
        body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise HTTPException(
            400, f"byte {error.start + 1} of the body, 0x{body[error.start]:02x}, is not UTF-8 ({error.reason})"
        ) from None
    try:
        return TranslationRequest.model_validate_json(body)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        malformed = any(problem["type"] == "json_invalid" for problem in problems)
        raise HTTPException(400 if malformed else 422, "; ".join(map(_explain, problems[:5]))) from None


async def _read(request: Request, limit: int) -> bytes:
    """The body, of at most so many bytes."""
    body, received = bytearray(), 0
    async for chunk in request.stream():
        received += len(chunk)
        if received <= limit:
            body += chunk
        if received > DRAINED_BYTES:
            break
    if received > limit:
        raise HTTPException(413, f"the body has more than {limit:,} bytes: send fewer sentences at once")
    return bytes(body)


def _explain(problem: object) -> str:
    """One problem as: where, and what is expected there."""
    assert isinstance(problem, dict)
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problem["loc"]).lstrip(".")
    if problem["type"] == "extra_forbidden":
        return f"unknown field {where[:60]!r}; choose among: {', '.join(TranslationRequest.model_fields)}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{where}: {message[0].lower()}{message[1:]}" if where else message
