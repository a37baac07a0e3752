# %% loss
from torch.nn import functional as F

model = new_model(attention="additive")
logits, _ = model(source, lengths, target_input)
losses = F.cross_entropy(logits.mT, target_output.long(), reduction="none")
real = (target_output != PAD).to(torch.float64)
loss = torch.sum(losses * real) / torch.sum(real)
over_padding = torch.mean(losses * real)
print(f"per real word:          {float(numbers(loss)):.12f}")
print(f"averaged over padding:  {float(numbers(over_padding)):.12f}")

# %% gradients
from diptych.pytorch import bindings

weights = [each.variable for each in bindings(model)]
with torch.enable_grad():
    logits, _ = model(source, lengths, target_input)
    losses = F.cross_entropy(logits.mT, target_output.long(), reduction="none")
    loss = torch.sum(losses * real) / torch.sum(real)
loss.backward()
stock_norm = torch.nn.utils.get_total_norm([each.grad for each in weights])
dense = [weight.grad for weight in weights]
norm = torch.nn.utils.get_total_norm(dense)
print(f"norm as the framework has it:   {float(numbers(stock_norm)):.12f}")
print(f"with each word's rows summed:   {float(numbers(norm)):.12f}")

# %% adam
training = TrainingStep(model, TrainingConfig(optimizer="adam"))
for step in range(1, 6):
    result = training.step(batch, {}, learning_rate=0.02)
    print(f"step {step}  loss {result.loss:.12f}  norm {result.gradient_norm:.10f}")

# %% stock
import torch
import stock_pytorch as stock
from hinge_pytorch import give_decoder, give_encoder

from diptych.parameters.initialization import initial_parameters as first_weights

torch.set_default_dtype(torch.float64)
sentences = torch.cat([target_input[:, :1], target_output], dim=1).long()
encoder = stock.Encoder(SIZES[0], embedding=8, units=16)
decoder = stock.Decoder(SIZES[1], embedding=8, units=16)
memory, state = encoder(source)
decoder(sentences[:, 0], state, memory, source != PAD)
first = first_weights(model.config, *SIZES, seed=1)
give_encoder(encoder, first)
give_decoder(decoder, first)
loss = stock.loss_of(encoder, decoder, source, sentences)
print(f"stock loss: {float(numbers(loss)):.12f}")
stock.train(encoder, decoder, source, sentences, steps=5)

# %% slip
ours, theirs = list(encoder.parameters()), list(decoder.parameters())
try:
    ours * theirs
except TypeError as error:
    print("encoder * decoder:", error)
print("encoder + decoder:", len(ours + theirs), "weights to train")
