"""What TensorBoard is given: the numbers of metrics.jsonl under one tag in every backend, and attention maps."""

import pytest

from diptych.config import DataConfig, ModelConfig, RunConfig, TrainingConfig
from diptych.errors import UsageError
from diptych.runs.progress import QuietReporter
from diptych.runs.run import Run
from diptych.training import tensorboard as module
from diptych.training.loop import train

STEPS = 6


@pytest.fixture
def make_run(tmp_path):
    text = tmp_path / "pairs.tsv"
    text.write_text("".join(f"eins w{n}\tone v{n % 5}\n" for n in range(36)), encoding="utf-8")

    def make(attention="dot"):
        config = RunConfig(
            data=DataConfig(corpus="files", train=(str(text),), validation_size=4, test_size=2),
            model=ModelConfig(embedding_size=4, encoder_size=2, decoder_size=4, attention=attention),
            training=TrainingConfig(epochs=2, batch_size=5, maximum_steps=STEPS, validate_every=2),
        )
        return Run.create(config, tmp_path / f"run-{attention}")

    return make


def read(folder):
    """Scalars by tag and step, and images by tag, as TensorBoard itself reads them."""
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    events = reader.EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    tags = events.Tags()
    scalars = {tag: [(each.step, each.value) for each in events.Scalars(tag)] for tag in tags["scalars"]}
    return scalars, {tag: events.Images(tag) for tag in tags["images"]}


def go(run, backend, **options):
    return train(run, backend, reporter=QuietReporter(), tensorboard=True, **options)


@pytest.mark.parametrize("backend", ["pytorch", pytest.param("tensorflow", marks=pytest.mark.slow)])
def test_what_is_written_is_what_training_said(make_run, backend, need_frameworks):
    need_frameworks(backend)
    run = make_run()
    go(run, backend, stop_at=3)
    go(run, backend, resume=True)
    scalars, images = read(run.folder / "tensorboard" / backend)
    assert set(scalars) == {"loss", "gradient_norm", "learning_rate", "validation_loss"}
    for tag, found in scalars.items():
        said = [(line["step"], line[tag]) for line in run.read_metrics(backend) if tag in line]
        assert [step for step, _ in found] == [step for step, _ in said], tag
        assert [value for _, value in found] == pytest.approx([value for _, value in said], rel=1e-6), tag
    assert sorted(images) == ["attention/1", "attention/2"]
    for found in images.values():
        assert [image.step for image in found] == [2, 4, 6]
        assert all(image.encoded_image_string.startswith(b"\x89PNG") and image.width > 50 for image in found)


def test_what_is_overwritten_is_gone(make_run, with_pytorch):
    run = make_run("none")
    go(run, "pytorch")
    go(run, "pytorch", overwrite=True, stop_at=1)
    scalars, images = read(run.folder / "tensorboard" / "pytorch")
    assert [step for step, _ in scalars["loss"]] == [1]
    assert not images, "a model without attention has no maps"


def test_without_the_package_nothing_is_begun(make_run, monkeypatch):
    run = make_run()
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'diptych\[tensorboard\]'"):
        go(run, "pytorch", overwrite=True)
    assert not (run.folder / "tensorboard").exists()
