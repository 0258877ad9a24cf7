// One training step, forward, backward and Adam: 4 layers of width 128, 8 sequences of 128 tokens, 512 words. With
// dropout, a tenth of embeddings, attention weights and residual updates is dropped, as in GPT-2. `train/shakespeare`
// is a step of `qkv train tinyshakespeare.txt` with its defaults, only with our packages, for --against.
import { numbers } from "../data.mjs";
import { trained as shape, transposed, weights } from "../lm/shapes.mjs";
import { configOf, paramsOf } from "../lm/ours.mjs";
import { openJax } from "../peers/jax.mjs";
import { arithmeticLimit } from "../peers/limits.mjs";
import { openDevice } from "../peers/ours.mjs";
import { openTfjs } from "../peers/tfjs.mjs";

const { C, F, V, L, H, D, context: T } = shape;
const B = 8;
const N = B * T;
const learningRate = 1e-3;
/** Dropout probability. */
const rate = 0.1;
/** Input ids, and target ids. */
const ids = () => Int32Array.from({ length: N }, (_, i) => (i * 31 + Math.floor(i / 7)) % V);
const following = () => ids().map((_, i, all) => all[(i + 1) % N]);

// Each product runs once forward and twice backward; of attention, the visible half of the scores counts.
const flops = 6 * N * (L * (4 * C * C + 2 * C * F) + C * V) + 6 * L * B * T * (T + 1) * C;

export const rows = (context) => [
  row(context, "step", 0, 1e-3),
  row(context, "step-dropout", rate, 0.03),
  shakespeare(context),
];

/** @param tolerance - Of the losses before and after a step. With dropout each library draws its own mask; without, the second loss is 0.05 less. */
function row({ devices }, name, dropout, tolerance) {
  return {
    id: `train/${name}`,
    unit: "ms",
    better: "low",
    aim: 2,
    tolerance,
    // All are compared by the loss, before and after a step. The first contender, the reference, is not ours.
    contenders: [
      jaxStep(dropout),
      ...devices.map((spec) => ourStep(spec, dropout)),
      tfjsStep(dropout),
      arithmeticLimit("mulAdd", (rate) => (flops / rate) * 1000),
      arithmeticLimit("fused", (rate) => (flops / rate) * 1000),
    ],
  };
}

/** @param open - Returns `step()`, which trains once and returns, or promises, the loss before the step. */
function contender(name, kind, open) {
  return {
    name,
    kind,
    // The loss is read.
    resident: "inputs",
    async prepare(context) {
      const { step, threads = 1 } = await open(context);
      return {
        threads,
        call: step,
        output: async () => [await step(), await step()],
      };
    },
  };
}

function ourStep(spec, dropout) {
  return contender(`@qkv on ${spec}`, "ours", async ({ threads }) => {
    const [{ decoder }, { crossEntropy, tensor, valueAndGrad }, { adam }] = await Promise.all([
      import("@qkv/transformer"),
      import("@qkv/tensor"),
      import("@qkv/tensor/optimizers"),
    ]);
    const device = await openDevice(spec, threads);
    const put = (data, lengths) =>
      tensor(data, { shape: lengths, dtype: data instanceof Int32Array ? "int32" : "float32" }).to(device);
    const rates = { embedding: dropout, attention: dropout, residual: dropout };
    const model = decoder({ ...configOf(shape), ...(dropout > 0 && { dropout: rates }) });
    const params = paramsOf(shape, put);
    const [x, y] = [put(ids(), [B, T]), put(following(), [B, T])];
    const loss = valueAndGrad((weights, options) => crossEntropy(model.apply(weights, x, options), y));
    const optimizer = adam({ learningRate });
    const state = optimizer.init(params);
    return {
      threads: device.report().threads ?? 1,
      step: () =>
        device.scope(() => {
          const [value, gradient] = loss(params, dropout > 0 ? { dropoutSeed: state.step } : {});
          optimizer.update(params, gradient, state);
          return value;
        }).data[0],
    };
  });
}

/** A step of `qkv train` with its defaults: the batch, the loss, clipped gradients, and AdamW with its schedule. */
function shakespeare({ devices }) {
  // A text with the length and the number of distinct characters of tiny Shakespeare: the contents do not affect the
  // time.
  const [length, vocabSize, steps] = [1_003_854, 65, 2000];
  const text = () => Int32Array.from(numbers(1, length), (x) => Math.floor(((x + 1) / 2) * vocabSize));
  const run = (spec) =>
    contender(`@qkv on ${spec}`, "ours", async ({ threads }) => {
      const [{ decoder }, { mapTensors }, { adamW, warmupCosine }, training] = await Promise.all([
        import("@qkv/transformer"),
        import("@qkv/tensor"),
        import("@qkv/tensor/optimizers"),
        import("@qkv/transformer/training"),
      ]);
      const device = await openDevice(spec, threads);
      const model = decoder({
        ...{ vocabSize, embedDim: 192, hiddenDim: 512, numLayers: 4, numHeads: 6, numKvHeads: 2 },
        ...{ contextLength: 128, normEps: 1e-5, stopIds: [] },
      });
      const params = mapTensors(model.init(1), (x) => x.to(device));
      const batches = { batchSize: 16, contextLength: 128, seed: 1, device };
      const batchAt = training.nextTokenBatches(text(), batches);
      const schedule = warmupCosine({ peak: 0.002, floor: 0.0002, warmupSteps: 100, steps });
      const optimizer = adamW({ learningRate: schedule, weightDecay: 0.1, betas: [0.9, 0.99] });
      const state = optimizer.init(params);
      const update = training.trainStep({ loss: training.tokenLoss(model), optimizer, maxNorm: 1 });
      return {
        threads: device.report().threads ?? 1,
        step: () => device.scope(() => update(params, state, [batchAt(state.step)])).data[0],
      };
    });
  return {
    id: "train/shakespeare",
    unit: "ms",
    better: "low",
    tolerance: 1e-3,
    contenders: devices.map(run),
  };
}

/** Matrices as [in, out], which both peers multiply without a transpose. */
function transposedWeights() {
  const all = weights(shape);
  return all.names.map((name) => {
    const [out, inner] = all.shape(name);
    const isMap = inner !== undefined && name !== "embedding" && name !== "positions";
    return isMap
      ? { name, lengths: [inner, out], data: transposed(all.data(name), out, inner) }
      : { name, lengths: all.shape(name), data: all.data(name) };
  });
}

function oneHot(list) {
  const out = new Float32Array(N * V);
  list.forEach((id, i) => (out[i * V + id] = 1));
  return out;
}

function jaxStep(dropout) {
  return contender("jax-js", "peer", async () => {
    const { jit, nn, numpy: np, random, valueAndGrad } = await openJax();
    const given = transposedWeights();
    const names = given.map(({ name }) => name);
    // Every use of an array consumes it; `.ref` adds a use.
    const loss = (p, x, y, keys) => {
      const drop = (h) => {
        if (dropout === 0) return h;
        const isKept = random.bernoulli(keys.pop(), 1 - dropout, h.shape);
        return np.where(isKept, h.mul(1 / (1 - dropout)), 0);
      };
      // Its attention has no dropout: with dropout the same is composed of parts.
      const attend = (query, key, value) => {
        if (dropout === 0) return nn.dotProductAttention(query, key, value, { isCausal: true });
        const [q, k, v] = [query, key, value].map((h) => h.transpose([0, 2, 1, 3]));
        const scores = np.matmul(q, k.transpose([0, 1, 3, 2])).mul(1 / Math.sqrt(D));
        const seen = np.tril(np.ones([T, T])).equal(1);
        const attention = nn.softmax(np.where(seen, scores, -Infinity), -1);
        return np.matmul(drop(attention), v).transpose([0, 2, 1, 3]);
      };
      const map = (h, name) => np.matmul(h, p[name].ref).add(p[`${name}.bias`].ref);
      const norm = (h, name) => nn.standardize(h, -1).mul(p[name].ref).add(p[`${name}.bias`].ref);
      let h = drop(np.matmul(x, p.embedding.ref).reshape([B, T, C]).add(p.positions.ref).reshape([N, C]));
      for (let layer = 0; layer < L; layer++) {
        const normed = norm(h.ref, `attentionNorm.${layer}`);
        const [query, key, value] = ["query", "key", "value"].map((name) =>
          map(normed.ref, `${name}.${layer}`).reshape([B, T, H, D]),
        );
        normed.dispose();
        const attended = attend(query, key, value).reshape([N, C]);
        h = h.add(drop(map(attended, `output.${layer}`)));
        const up = map(norm(h.ref, `feedForwardNorm.${layer}`), `up.${layer}`);
        h = h.add(drop(map(nn.gelu(up, { approximate: true }), `down.${layer}`)));
      }
      const logits = np.matmul(norm(h, "norm"), p.head.ref);
      for (const name of names) p[name].dispose();
      return nn.logSoftmax(logits, -1).mul(y).sum(-1).mean().neg();
    };
    const each = (make) => Object.fromEntries(names.map((name) => [name, make(name)]));
    const update = jit((params, mean, square, x, y, keys, first, second) => {
      const copies = each((name) => params[name].ref);
      const [value, gradient] = valueAndGrad(loss)(copies, x, y, keys);
      const [nextMean, nextSquare] = [{}, {}];
      const next = each((name) => {
        const m = mean[name].mul(0.9).add(gradient[name].ref.mul(0.1));
        const s = square[name].mul(0.999).add(np.square(gradient[name]).mul(0.001));
        [nextMean[name], nextSquare[name]] = [m, s];
        const size = np.sqrt(s.ref.mul(second.ref)).add(1e-8);
        return params[name].sub(m.ref.mul(first.ref).div(size).mul(learningRate));
      });
      return { value, next, nextMean, nextSquare };
    });
    const zeros = () => Object.fromEntries(given.map(({ name, lengths }) => [name, np.zeros(lengths)]));
    let params = Object.fromEntries(
      given.map(({ name, lengths, data }) => [name, np.array(data).reshape(lengths)]),
    );
    let [mean, square, count] = [zeros(), zeros(), 0];
    const [x, y] = [oneHot(ids()), oneHot(following())].map((data) => np.array(data).reshape([N, V]));
    return {
      async step() {
        count += 1;
        const corrections = [0.9, 0.999].map((beta) => np.array(1 / (1 - beta ** count)));
        // One for the embeddings, three for each layer.
        const places = dropout > 0 ? 1 + 3 * L : 0;
        const keys = Array.from({ length: places }, (_, i) => random.key(count * places + i));
        const after = update(params, mean, square, x.ref, y.ref, keys, ...corrections);
        [params, mean, square] = [after.next, after.nextMean, after.nextSquare];
        return (await after.value.data())[0];
      },
    };
  });
}

function tfjsStep(dropout) {
  return contender("tfjs-wasm", "peer", async (context) => {
    const tf = await openTfjs(context);
    const p = Object.fromEntries(
      transposedWeights().map(({ name, lengths, data }) => [name, tf.variable(tf.tensor(data, lengths))]),
    );
    const [x, y] = [oneHot(ids()), oneHot(following())].map((data) => tf.tensor2d(data, [N, V]));
    const hidden = tf.linalg
      .bandPart(tf.ones([T, T]), -1, 0)
      .sub(1)
      .mul(1e9)
      .expandDims();
    const root = Math.sqrt(2 / Math.PI);
    const drop = (h) => (dropout > 0 ? tf.dropout(h, dropout) : h);
    const map = (h, name) => tf.matMul(h, p[name]).add(p[`${name}.bias`]);
    const norm = (h, name) => {
      const centred = h.sub(h.mean(-1, true));
      const scale = centred.square().mean(-1, true).add(1e-5).rsqrt();
      return centred.mul(scale).mul(p[name]).add(p[`${name}.bias`]);
    };
    // Its WASM backend has no gradient of a lookup: the embedding is a product with one-hot rows.
    const loss = () => {
      let h = drop(tf.matMul(x, p.embedding).reshape([B, T, C]).add(p.positions).reshape([N, C]));
      for (let layer = 0; layer < L; layer++) {
        const normed = norm(h, `attentionNorm.${layer}`);
        const [query, key, value] = ["query", "key", "value"].map((name) =>
          map(normed, `${name}.${layer}`)
            .reshape([B, T, H, D])
            .transpose([0, 2, 1, 3])
            .reshape([B * H, T, D]),
        );
        const scores = tf
          .matMul(query, key, false, true)
          .mul(1 / Math.sqrt(D))
          .add(hidden);
        const attended = tf
          .matMul(drop(tf.softmax(scores)), value)
          .reshape([B, H, T, D])
          .transpose([0, 2, 1, 3]);
        h = h.add(drop(map(attended.reshape([N, C]), `output.${layer}`)));
        const up = map(norm(h, `feedForwardNorm.${layer}`), `up.${layer}`);
        const bent = up.mul(0.5).mul(up.add(up.mul(up).mul(up).mul(0.044715)).mul(root).tanh().add(1));
        h = h.add(drop(map(bent, `down.${layer}`)));
      }
      const logits = tf.matMul(norm(h, "norm"), p.head);
      const top = logits.max(-1, true);
      const logSum = logits.sub(top).exp().sum(-1, true).log().add(top);
      return logSum.squeeze([-1]).sub(logits.mul(y).sum(-1)).mean();
    };
    const optimizer = tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
    return {
      threads: context.browser ? context.threads : 1,
      step() {
        const value = optimizer.minimize(loss, true);
        const [number] = value.dataSync();
        value.dispose();
        return number;
      },
    };
  });
}
