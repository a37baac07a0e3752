# %% loss
import tensorflow as tf

model = new_model(attention="additive")
logits, _ = model(source, lengths, target_input)
losses = tf.nn.sparse_softmax_cross_entropy_with_logits(target_output, logits)
real = tf.cast(target_output != PAD, tf.float64)
loss = tf.reduce_sum(losses * real) / tf.reduce_sum(real)
over_padding = tf.reduce_mean(losses * real)
print(f"per real word:          {float(numbers(loss)):.12f}")
print(f"averaged over padding:  {float(numbers(over_padding)):.12f}")

# %% gradients
from diptych.tensorflow import bindings

weights = [each.variable for each in bindings(model)]
with tf.GradientTape() as tape:
    logits, _ = model(source, lengths, target_input)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(target_output, logits)
    loss = tf.reduce_sum(losses * real) / tf.reduce_sum(real)
gradients = tape.gradient(loss, weights)
stock_norm = tf.linalg.global_norm(gradients)
dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
norm = tf.linalg.global_norm(dense)
print(f"norm as the framework has it:   {float(numbers(stock_norm)):.12f}")
print(f"with each word's rows summed:   {float(numbers(norm)):.12f}")

# %% adam
training = TrainingStep(model, TrainingConfig(optimizer="adam"))
for step in range(1, 6):
    result = training.step(batch, {}, learning_rate=0.02)
    print(f"step {step}  loss {result.loss:.12f}  norm {result.gradient_norm:.10f}")

# %% stock
import keras
import stock_tensorflow as stock
from hinge_tensorflow import give_decoder, give_encoder

from diptych.parameters.initialization import initial_parameters as first_weights

keras.config.set_floatx("float64")
sentences = tf.concat([target_input[:, :1], target_output], axis=1)
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
ours, theirs = encoder.trainable_variables, decoder.trainable_variables
try:
    ours * theirs
except TypeError as error:
    print("encoder * decoder:", error)
print("encoder + decoder:", len(ours + theirs), "weights to train")
