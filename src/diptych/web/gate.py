"""What stands before every route: which Host is answered, and what a browser may do with the answer."""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

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
    """Refuses a Host that is not allowed, so that no other site's name can be made to point here, and adds headers."""

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
        host = Headers(scope=scope).get("host", "")
        if host_name(host) in self.hosts:
            await self.application(scope, receive, send_with_headers)
        else:
            detail = f"this server does not answer to the host {host[:100]!r}: start it with --allow-host NAME"
            await JSONResponse({"detail": detail}, 421)(scope, receive, send_with_headers)


def host_name(host: str) -> str:
    """A Host header without its port, in lower case; an IPv6 address keeps its brackets, and gets them."""
    host = host.strip().lower()
    if host.count(":") > 1 and not host.startswith("["):
        return f"[{host}]"
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
