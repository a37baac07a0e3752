"""PyTorch's workers leave each other: also who is late, and finds the store gone."""

import gc
from datetime import timedelta

import pytest


def test_who_leaves_last_may_find_the_store_gone(monkeypatch, with_pytorch):
    import torch.distributed as distributed

    from diptych.pytorch.exchange import Exchange

    monkeypatch.setenv("TORCHELASTIC_USE_AGENT_STORE", "True")  # somebody else keeps the store, as worker 0 does
    store = distributed.TCPStore("127.0.0.1", 0, 1, is_master=True, timeout=timedelta(seconds=20))
    exchange = Exchange(0, [f"127.0.0.1:{store.port}"], 1)
    assert exchange.silence() == {}
    del store
    gc.collect()
    with pytest.raises(RuntimeError):
        exchange.silence()
    exchange.close()
    assert not distributed.is_initialized()
