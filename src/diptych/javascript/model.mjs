// The model in plain JavaScript, in float64, one sentence at a time: docs/equations.md, 1 to 13.
//
// Names and order are those of diptych/reference. A weight is {shape, values}, a matrix one row per output; a vector is
// an array of numbers. Letters: S source positions, E embedding, H a layer's size, M memory, A attention, F features, V
// vocabulary.

/** A matrix product with an optional bias. */
export class Dense {
  constructor(weight, bias = null) {
    this.weight = weight;
    this.bias = bias;
  }

  /** (I) gives (O). */
  call(inputs) {
    const { shape: [rows, columns], values } = this.weight;
    const outputs = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      const start = row * columns;
      let sum = 0;
      for (let column = 0; column < columns; column++) sum += values[start + column] * inputs[column];
      outputs[row] = this.bias ? sum + this.bias.values[row] : sum;
    }
    return outputs;
  }
}

/** Additive (Bahdanau et al., 2015), dot, general and concat scores (Luong et al., 2015) over a memory. */
export class Attention {
  constructor(config, weight) {
    this.kind = config.attention;
    this.hasScoreLayer = this.kind === "additive" || this.kind === "concat";
    const dense = (name) => new Dense(weight(`decoder.attention.${name}.weight`));
    if (this.hasScoreLayer) [this.query, this.memory, this.score] = ["query", "memory", "score"].map(dense);
    else if (this.kind === "general") this.memory = dense("memory");
  }

  /** What scores need of the memory, computed once per source: S times (M) gives S times (A). */
  keys(memory) {
    return this.memory ? memory.map((outputs) => this.memory.call(outputs)) : memory;
  }

  /** What scores need of a decoder state: (H) gives (A). */
  queries(state) {
    return this.hasScoreLayer ? this.query.call(state) : state;
  }

  /** Look into the memory: the context (M) and the weights (S), which sum to 1. */
  call(query, keys, memory) {
    const scores = keys.map((key) => {
      if (!this.hasScoreLayer) return dot(query, key);
      return this.score.call(query.map((part, i) => Math.tanh(part + key[i])))[0];
    });
    const largest = Math.max(...scores);
    const exponentials = scores.map((score) => Math.exp(score - largest));
    const total = exponentials.reduce((sum, each) => sum + each, 0);
    const weights = Float64Array.from(exponentials, (each) => each / total);
    const context = new Float64Array(memory[0].length);
    memory.forEach((outputs, place) => outputs.forEach((part, i) => (context[i] += weights[place] * part)));
    return [context, weights];
  }
}

/** One layer of GRU (reset-after form), LSTM or plain tanh RNN cells. A state is [hidden] or, of an LSTM, [hidden, cell]. */
export class RecurrentLayer {
  constructor(cell, name, weight) {
    this.cell = cell;
    this.fromInput = new Dense(weight(`${name}.weight_ih`), weight(`${name}.bias_ih`));
    this.fromHidden = new Dense(weight(`${name}.weight_hh`), cell === "gru" ? weight(`${name}.bias_hh`) : null);
    this.size = this.fromHidden.weight.shape[1];
  }

  /** Run over S inputs (I): the outputs, S times (H), and the state after the last step. */
  call(inputs, reverse = false) {
    let state = this.zeroState();
    const outputs = new Array(inputs.length);
    for (let step = 0; step < inputs.length; step++) {
      const place = reverse ? inputs.length - 1 - step : step;
      state = this.step(inputs[place], state);
      outputs[place] = state[0];
    }
    return [outputs, state];
  }

  /** Run one step: inputs (I) and a state give the next state, whose hidden part is the output. */
  step(inputs, state) {
    const size = this.size;
    const [hidden] = state;
    const fromInput = this.fromInput.call(inputs);
    const fromHidden = this.fromHidden.call(hidden);
    const both = (gate, i) => fromInput[gate * size + i] + fromHidden[gate * size + i];
    if (this.cell === "rnn") return [hidden.map((_, i) => Math.tanh(both(0, i)))];
    if (this.cell === "gru") {
      return [hidden.map((before, i) => {
        const resetGate = sigmoid(both(0, i));
        const updateGate = sigmoid(both(1, i));
        const candidate = Math.tanh(fromInput[2 * size + i] + resetGate * fromHidden[2 * size + i]);
        return (1 - updateGate) * candidate + updateGate * before;
      })];
    }
    const cell = state[1].map((before, i) => sigmoid(both(1, i)) * before + sigmoid(both(0, i)) * Math.tanh(both(2, i)));
    return [cell.map((value, i) => sigmoid(both(3, i)) * Math.tanh(value)), cell];
  }

  /** The state of zeros. */
  zeroState() {
    return zeros(this.cell, this.size);
  }
}

/** A stack of recurrent layers over the source, each in one direction or in both. */
export class Encoder {
  constructor(config, weight) {
    const layers = (kind) => range(config.encoder_layers).map(
      (layer) => new RecurrentLayer(config.cell, `encoder.${kind}_layers.${layer}`, weight));
    this.forwardLayers = layers("forward");
    this.backwardLayers = config.bidirectional ? layers("backward") : [];
  }

  /** Read the source, S times (E): the memory, S times (M), and each layer's final state, forward then backward. */
  call(embedded) {
    let outputs = embedded;
    const states = this.forwardLayers.map((forward, layer) => {
      const inputs = outputs;
      let state;
      [outputs, state] = forward.call(inputs);
      if (!this.backwardLayers.length) return state;
      const [backward, backwardState] = this.backwardLayers[layer].call(inputs, true);
      outputs = outputs.map((output, place) => concatenate(output, backward[place]));
      return state.map((part, i) => concatenate(part, backwardState[i]));
    });
    return [outputs, states];
  }
}

/** The decoder's first states: zeros, the encoder's final states, or a dense tanh layer of them. */
export class Bridge {
  constructor(config, weight) {
    this.config = config;
    const dense = (part) => range(config.decoder_layers).map(
      (layer) => new Dense(weight(`bridge.${part}.${layer}.weight`), weight(`bridge.${part}.${layer}.bias`)));
    if (config.bridge === "dense") this.parts = config.cell === "lstm" ? [dense("hidden"), dense("cell")] : [dense("hidden")];
  }

  /** The encoder's final states, one per encoder layer, give the decoder's first, one per decoder layer. */
  call(states) {
    if (this.config.bridge === "copy") return states;
    return range(this.config.decoder_layers).map((layer) => {
      if (this.config.bridge === "zero") return zeros(this.config.cell, this.config.decoder_size);
      const state = states[Math.min(layer, states.length - 1)];
      return state.map((part, i) => this.parts[i][layer].call(part).map(Math.tanh));
    });
  }
}

/** A stack of recurrent layers over the target, with attention and an optional attentional layer. */
export class Decoder {
  constructor(config, weight) {
    this.config = config;
    this.layers = range(config.decoder_layers).map(
      (layer) => new RecurrentLayer(config.cell, `decoder.layers.${layer}`, weight));
    this.attention = new Attention(config, weight);
    if (config.attentional_layer) this.attentional = new Dense(weight("decoder.attentional.weight"));
  }

  /** Prepare a memory for any number of steps. */
  source(memory) {
    return { memory, keys: this.config.attention === "none" ? memory : this.attention.keys(memory) };
  }

  /** The state before the first step: the bridge's states, and zeros fed. */
  firstState(states) {
    return { layers: states, fed: new Float64Array(this.config.input_feeding ? this.config.feature_size : 0) };
  }

  /** Read one target token, embedded (E): the features (F), the attention's weights (S) and the next state. */
  step(embedded, state, source) {
    const attendsFirst = this.config.attention === "additive";
    let context;
    let weights;
    let output = concatenate(embedded, state.fed);
    if (attendsFirst) { // the query is the state before this step
      [context, weights] = this.attend(state.layers.at(-1)[0], source);
      output = concatenate(embedded, context, state.fed);
    }
    const layers = this.layers.map((layer, i) => {
      const after = layer.step(output, state.layers[i]);
      [output] = after;
      return after;
    });
    if (!attendsFirst) [context, weights] = this.attend(output, source); // the query is the state after this step
    const seen = concatenate(context, output);
    const features = this.attentional ? this.attentional.call(seen).map(Math.tanh) : seen;
    return [features, weights, { layers, fed: this.config.input_feeding ? features : state.fed }];
  }

  /** Context (M) and weights (S) of a state (H); without attention nothing and zeros. */
  attend(state, source) {
    if (this.config.attention === "none") return [new Float64Array(0), new Float64Array(source.memory.length)];
    return this.attention.call(this.attention.queries(state), source.keys, source.memory);
  }
}

/** A table of one vector per token. */
export class Embedding {
  constructor(weight) {
    this.weight = weight;
  }

  /** A token gives (E). */
  call(token) {
    const [, size] = this.weight.shape;
    return this.weight.values.subarray(token * size, (token + 1) * size);
  }
}

/** A recurrent sequence-to-sequence model; `weights` are by their names in diptych/parameters/specification.py. */
export class Model {
  constructor(config, weights) {
    const weight = (name) => weights[name];
    this.sourceEmbedding = new Embedding(weight("source_embedding.weight"));
    this.targetEmbedding = config.tie_source_target ? this.sourceEmbedding : new Embedding(weight("target_embedding.weight"));
    this.encoder = new Encoder(config, weight);
    this.bridge = new Bridge(config, weight);
    this.decoder = new Decoder(config, weight);
    const matrix = config.tie_target_output ? this.targetEmbedding.weight : weight("output_layer.weight");
    this.outputLayer = new Dense(matrix, weight("output_layer.bias"));
  }

  /** Read the source, S token ids: what the decoder sees of it, and its first state. */
  encode(source) {
    const [memory, states] = this.encoder.call(source.map((token) => this.sourceEmbedding.call(token)));
    return [this.decoder.source(memory), this.decoder.firstState(this.bridge.call(states))];
  }

  /** A target token gives a vector (E). */
  embedTarget(token) {
    return this.targetEmbedding.call(token);
  }

  /** Features (F) give logits (V). */
  project(features) {
    return this.outputLayer.call(features);
  }
}

/** Drives a model one target token at a time: what search.mjs calls. A state is one {source, decoder} for each of N rows. */
export class Stepper {
  constructor(model) {
    this.model = model;
  }

  /** Read one source of S token ids: the state before the first token, with one row. */
  start(source) {
    const [seen, decoder] = this.model.encode(source);
    return [{ source: seen, decoder }];
  }

  /** Feed one token to each of N rows: log-probabilities, N times (V), attention, N times (S), and the next state. */
  step(state, tokens) {
    const rows = state.map(({ source, decoder }, row) => {
      const [features, weights, after] = this.model.decoder.step(this.model.embedTarget(tokens[row]), decoder, source);
      return { table: logSoftmax(this.model.project(features)), weights, after: { source, decoder: after } };
    });
    return [rows.map(({ table }) => table), rows.map(({ weights }) => weights), rows.map(({ after }) => after)];
  }

  /** The state whose k-th row is row `rows[k]` of this one; rows may repeat or be left out. */
  reorder(state, rows) {
    return rows.map((row) => state[row]);
  }
}

/** 1 / (1 + exp(-x)), without overflow for large negative x. */
function sigmoid(input) {
  return 0.5 * (1 + Math.tanh(0.5 * input));
}

function logSoftmax(logits) {
  const largest = logits.reduce((best, each) => Math.max(best, each), -Infinity);
  const normalizer = Math.log(logits.reduce((sum, each) => sum + Math.exp(each - largest), 0));
  return logits.map((logit) => logit - largest - normalizer);
}

function dot(left, right) {
  let sum = 0;
  for (let i = 0; i < left.length; i++) sum += left[i] * right[i];
  return sum;
}

function zeros(cell, size) {
  return range(cell === "lstm" ? 2 : 1).map(() => new Float64Array(size));
}

function concatenate(...parts) {
  const whole = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

function range(count) {
  return Array.from({ length: count }, (_, i) => i);
}
