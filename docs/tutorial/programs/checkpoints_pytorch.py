# %% write
from pathlib import Path

from diptych.parameters.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from diptych.pytorch import export_parameters

model = new_model(attention="additive")
training = TrainingStep(model, TrainingConfig())
for step in range(1, 41):
    loss = training.step(batch, {}, learning_rate=0.02).loss
    if step % 20 == 0:
        folder = Path("pytorch") / f"step-{step:08d}"
        weights, moments = export_parameters(model), training.export_state()
        write_checkpoint(folder, Checkpoint(weights, moments, {"step": step}))
        print(f"{folder}  loss {loss:.9f}")

# %% restore
latest = sorted(Path("tensorflow").glob("step-*"))[-1]
found = read_checkpoint(latest, model.specification)
other = new_model(attention="additive")
load_parameters(other, found.parameters)
going_on = TrainingStep(other, TrainingConfig())
going_on.load_state(found.optimizer, found.state["step"])
print("goes on from", latest)
for step in range(41, 44):
    uninterrupted = training.step(batch, {}, learning_rate=0.02).loss
    continued = going_on.step(batch, {}, learning_rate=0.02).loss
    print(f"step {step}  {uninterrupted:.9f}  {continued:.9f}")

# %% slip
without = TrainingStep(other, TrainingConfig())  # Adam begins anew
load_parameters(other, found.parameters)
for step in range(41, 44):
    print(f"step {step}  {without.step(batch, {}, learning_rate=0.02).loss:.9f}")
