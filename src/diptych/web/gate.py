"""What stands before every route: which Host and Origin are answered, and what a browser may do with the answer."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = ("GET", "HEAD", "OPTIONS")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")

# The page may load what this server gives, and ask it; nothing from anywhere else, and nothing inline.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Gate:
    """Refuses what a route should not see, and adds headers.

    A Host that is not allowed is refused, so that no other site's name can be made to point here; a page of another
    site, so that it cannot use this server through the browser of somebody who may; and a request whose end is not
    clear.
    """

    def __init__(self, application: ASGIApp, hosts: Collection[str]) -> None:
        """Stand before an application and let these hosts pass, whatever the port."""
        self.application = application
        self.hosts = frozenset(map(host_name, hosts))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        await (refusal or self.application)(scope, receive, send_with_headers)

    def _refusal(self, method: str, headers: Headers) -> JSONResponse | None:
        """The answer to a request that no route gets to see; None for every other."""
        host, origin = headers.get("host", ""), headers.get("origin")
        if "content-length" in headers and "transfer-encoding" in headers:
            # Whoever stands between may believe the other one: what follows could be somebody else's request.
            detail = "the request has Content-Length and Transfer-Encoding: send one of them"
            return JSONResponse({"detail": detail}, 400, {"connection": "close"})
        if host_name(host) not in self.hosts:
            detail = f"this server does not answer to the host {host[:100]!r}: start it with --allow-host NAME"
            return JSONResponse({"detail": detail}, 421)
        if origin is not None and method not in SAFE and origin.partition("://")[2].lower() != host.lower():
            detail = f"the request comes from a page of {origin[:100]!r}, and pages of {host[:100]!r} alone may ask"
            return JSONResponse({"detail": detail}, 403)
        return None


def host_name(host: str) -> str:
    """A Host header without its port, in lower case; an IPv6 address keeps its brackets, and gets them."""
    host = host.strip().lower()
    if host.count(":") > 1 and not host.startswith("["):
        return f"[{host}]"
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
