"""Every limit of the server, in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What one request, one client and the whole server may ask for.

    Attributes:
        characters: of a sentence.
        sentences: of a request.
        body_bytes: of a request's body.
        requests: that are being answered or wait for it at once; one more gets 503.
        decoding_seconds: that each framework computes for one request.
        waiting_seconds: after which a request that is still waiting for others gets 503.
        retry_seconds: after which a client that got 503 should ask again.
        client_seconds: in which a client sends its whole request, and takes what it is sent.
        stopping_seconds: in which what is being answered is finished after SIGTERM; one second more for all the rest.
        starting_seconds: in which a framework's process loads its model.
        attention_weights: of the largest attention map that is sent.
    """

    characters: int = 2_000
    sentences: int = 64
    body_bytes: int = 64 * 1024
    requests: int = 64
    decoding_seconds: float = 20.0
    waiting_seconds: float = 60.0
    retry_seconds: int = 2
    client_seconds: float = 10.0
    stopping_seconds: float = 8.0
    starting_seconds: float = 120.0
    attention_weights: int = 40_000
