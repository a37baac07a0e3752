"""A request, asked of every framework at once, sentence by sentence; how many may wait; what is served."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Any

from diptych import __version__
from diptych.config import SearchConfig
from diptych.data.builtin.examples import examples
from diptych.data.tokens.vocabulary import UNK
from diptych.runs.run import Run
from diptych.web.limits import Limits
from diptych.web.schemas import TranslationRequest
from diptych.web.watched import WatchedProcess

Answers = list[dict[str, Any]]
"""One framework's answer to each sentence, see `WatchedProcess.translate`."""


class RefusedError(Exception):
    """A request that is not, or not wholly, answered.

    Attributes:
        status: 422 where the request asks for too much or for what is not there, 503 where others ask for too much.
    """

    def __init__(self, status: int, message: str) -> None:
        """Refuse with this status."""
        super().__init__(message)
        self.status = status


class Service:
    """What the API does, whatever carries its requests."""

    def __init__(self, run: Run, workers: Mapping[str, WatchedProcess], limits: Limits) -> None:
        """Answer with these processes, which somebody else starts and ends."""
        self.run = run
        self.workers = dict(workers)
        self.limits = limits
        self._requests = 0
        self._facts = _describe(run, limits)

    def health(self) -> dict[str, Any]:
        """Which frameworks answer now."""
        ready = {backend: not worker.trouble for backend, worker in self.workers.items()}
        status = "ok" if all(ready.values()) else "degraded" if any(ready.values()) else "down"
        return {"status": status, "backends": ready}

    def model(self) -> dict[str, Any]:
        """What is served."""
        backends = {
            backend: {
                "ready": not worker.trouble,
                "trouble": worker.trouble,
                "restarts": worker.restarts,
                "versions": worker.facts.get("versions", {}),
                "precision": worker.facts.get("precision"),
                "trained_in": worker.facts.get("trained_in"),
            }
            for backend, worker in self.workers.items()
        }
        return self._facts | {"backends": backends}

    async def translate(self, request: TranslationRequest, gone: Callable[[], Awaitable[bool]]) -> Answers:
        """Each sentence and what each framework made of it, as `SentenceAnswer` describes it.

        Args:
            request: what is asked for.
            gone: whether nobody waits for the answer any more.

        Raises:
            RefusedError: too many requests are being answered, a backend is not served, a framework took too long, or
                none answered.
        """
        backends = self._backends(request)
        search = self._search(request).model_dump()
        if self._requests >= self.limits.requests:
            raise RefusedError(503, f"{self._requests} requests are being answered already: try again in a moment")
        self._requests += 1
        try:
            async with asyncio.timeout(self.limits.waiting_seconds):
                columns = await asyncio.gather(
                    *(
                        self._ask(self.workers[backend], request.sentences, search=search, gone=gone)
                        for backend in backends
                    )
                )
        except TimeoutError:
            raise RefusedError(503, f"no answer within {self.limits.waiting_seconds:.0f} s, so much is asked for now")
        except asyncio.CancelledError:  # by uvicorn, when the time to finish what is in flight is over
            raise RefusedError(503, "the server is stopping")
        finally:
            self._requests -= 1
        answered = dict(zip(backends, columns))
        self._check(answered)
        return [self._row(number, sentence, answered) for number, sentence in enumerate(request.sentences)]

    async def _ask(
        self, worker: WatchedProcess, sentences: list[str], search: dict[str, Any], gone: Callable[[], Awaitable[bool]]
    ) -> Answers:
        """One framework's answers; it gives up at the first one that takes too long."""
        left = self.limits.decoding_seconds
        answers: Answers = []
        for row, sentence in enumerate(sentences):
            if row and await gone():
                raise RefusedError(503, "the client has gone")
            answer = await worker.translate(sentence, row, search, seconds=left)
            answers.append(answer)
            left -= answer.get("translation", {}).get("milliseconds", 0.0) / 1000.0
            if left <= 0.0 and row + 1 < len(sentences):
                answers.append({"error": {"kind": "TimeLimitError", "message": ""}})
            if answers[-1].get("error", {}).get("kind") == "TimeLimitError":
                break
        return answers

    def _check(self, answered: Mapping[str, Answers]) -> None:
        """Refuse where a framework took too long, or none answered."""
        for backend, answers in answered.items():
            if answers[-1].get("error", {}).get("kind") == "TimeLimitError":
                raise RefusedError(
                    422,
                    f"{backend} computed for {self.limits.decoding_seconds:.0f} s and was not done (at sentence "
                    f"{len(answers)}): send fewer or shorter sentences, or lower beam_size or maximum_length",
                )
        if not any("translation" in answer for answers in answered.values() for answer in answers):
            raise RefusedError(503, "; ".join(answers[0]["error"]["message"] for answers in answered.values()))

    def _row(self, number: int, sentence: str, answered: Mapping[str, Answers]) -> dict[str, Any]:
        tokens = self.run.source_tokenizer.tokenize(sentence) if sentence.strip() else []
        ids = self.run.source_vocabulary.encode(tokens)
        answers = {backend: answers[number] for backend, answers in answered.items()}
        return {
            "source": sentence,
            "source_tokens": tokens,
            "unknown": [place for place, token_id in enumerate(ids) if token_id == UNK],
            "translations": {b: answer["translation"] for b, answer in answers.items() if "translation" in answer},
            "errors": {b: answer["error"]["message"] for b, answer in answers.items() if "error" in answer},
        }

    def _backends(self, request: TranslationRequest) -> list[str]:
        wanted = list(dict.fromkeys(request.backends or self.workers))
        missing = [backend for backend in wanted if backend not in self.workers]
        if missing:
            raise RefusedError(
                422, f"backends: {missing[0][:40]!r} is not served here; choose among: {', '.join(self.workers)}"
            )
        return wanted

    def _search(self, request: TranslationRequest) -> SearchConfig:
        """The run's own search with what the request says; who asks to sample asks for no beam, and the reverse."""
        options = request.model_dump(exclude={"sentences", "backends"}, exclude_none=True)
        values = self.run.config.search.model_dump() | options
        if options.get("temperature", 0.0) > 0.0:
            values["beam_size"] = 1
        elif options.get("beam_size", 1) > 1:
            values["temperature"] = 0.0
        values["n_best"] = values["beam_size"]
        if values["temperature"] == 0.0:
            values |= {"top_k": 0, "top_p": 1.0}
        if values["beam_size"] == 1:
            values["coverage_penalty"] = 0.0
        if 0 < values["maximum_length"] <= values["minimum_length"]:
            raise RefusedError(
                422,
                f"maximum_length {values['maximum_length']}: this run's translations have at least "
                f"{values['minimum_length']} tokens before their end; give more",
            )
        return SearchConfig.model_validate(values)


def _describe(run: Run, limits: Limits) -> dict[str, Any]:
    """What does not change while the server runs."""
    config = run.config
    return {
        "run": config.name,
        "diptych": __version__,
        "config_hash": config.hash(),
        "corpus": config.data.corpus,
        "source_tokenizer": config.data.source_tokenizer,
        "target_tokenizer": config.data.target_tokenizer,
        "source_vocabulary": len(run.source_vocabulary),
        "target_vocabulary": len(run.target_vocabulary),
        "parameters": sum(math.prod(parameter.shape) for parameter in run.specification.values()),
        "model": config.model.model_dump(),
        "search": config.search.model_dump(),
        "limits": asdict(limits),
        "examples": examples(config.data),
    }
