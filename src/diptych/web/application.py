"""The routes: the page, the JSON API, and the OpenAPI document that describes it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp

from diptych import __version__
from diptych.web.body import read_translation_request
from diptych.web.gate import Gate
from diptych.web.schemas import HealthAnswer, ModelAnswer, Problem, TranslationAnswer, request_schema
from diptych.web.service import RefusedError, Service

PAGES = Path(__file__).parents[1] / "pages"
FONT = Path(__file__).parents[1] / "fonts" / "DiptychHangul.ttf"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
}

PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Not JSON, or not UTF-8"},
    413: {"model": Problem, "description": "A body that is too large"},
    415: {"model": Problem, "description": "Another content type than JSON"},
    422: {"model": Problem, "description": "A value that does not fit, or more than can be decoded in time"},
    503: {"model": Problem, "description": "Busy, or no framework answers; Retry-After says when to ask again"},
}


def make_application(service: Service, hosts: Collection[str]) -> ASGIApp:
    """The application that answers for a service to these hosts."""
    application = FastAPI(
        title="Diptych",
        version=__version__,
        description="The same model in TensorFlow and in PyTorch: what both make of a sentence.",
        docs_url=None,  # these would load scripts from elsewhere
        redoc_url=None,
    )

    # FastAPI would read the body without a limit and echo bad values: it is read by hand, and described here.
    content = {"application/json": {"schema": request_schema(service.workers)}}
    body = {"requestBody": {"required": True, "content": content}}

    @application.post("/api/translate", response_model=TranslationAnswer, responses=PROBLEMS, openapi_extra=body)
    async def translate(request: Request) -> Response:
        """Translate sentences in every framework."""
        wanted = await read_translation_request(request, service.limits)
        rows = await service.translate(wanted, request.is_disconnected)
        pieces = []
        for row in rows:
            pieces.append(json.dumps(row, ensure_ascii=False, allow_nan=False))
            await asyncio.sleep(0)  # a large answer takes a while: others may go on in between
        return Response(f'{{"sentences":[{",".join(pieces)}]}}', media_type="application/json")

    @application.get("/api/model", response_model=ModelAnswer)
    async def model() -> Response:
        """Say what is served."""
        return JSONResponse(service.model())

    @application.get("/healthz", response_model=HealthAnswer, responses={503: {"model": HealthAnswer}})
    async def health() -> Response:
        """Say which frameworks answer now: 200 if any does."""
        health = service.health()
        return JSONResponse(health, 503 if health["status"] == "down" else 200)

    @application.exception_handler(RefusedError)
    async def refuse(request: Request, error: RefusedError) -> Response:
        headers = {"retry-after": str(service.limits.retry_seconds)} if error.status == 503 else None
        return JSONResponse({"detail": str(error)}, error.status, headers)

    @application.exception_handler(ClientDisconnect)
    async def hang_up(request: Request, error: ClientDisconnect) -> Response:
        return Response(status_code=400)  # nobody reads it

    shared = [path for path in PAGES.iterdir() if path.suffix in (".js", ".css")]
    for path in [*sorted((PAGES / "serve").iterdir()), *sorted(shared), FONT]:
        _add_file(application, path)
    return Gate(application, hosts)


def _add_file(application: FastAPI, path: Path) -> None:
    """Answer to a file's name with the file."""
    content = path.read_bytes()
    headers = {"cache-control": "no-cache" if path.suffix != ".ttf" else "max-age=86400"}

    async def send_file() -> Response:
        return Response(content, media_type=TYPES[path.suffix], headers=headers)

    name = "/" if path.name == "index.html" else f"/{path.name}"
    application.add_api_route(name, send_file, methods=["GET", "HEAD"], include_in_schema=False)
