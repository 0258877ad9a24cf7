import { modelTiny } from "@qkv/model-tiny";
import { concat, mul, slice, type Tensor } from "@qkv/tensor";
import { decoder, load, type Model } from "@qkv/transformer";
import { logitLens } from "@qkv/transformer/inspection";
import { wasm } from "@qkv/wasm";
import { beforeAll, describe, expect, test } from "vitest";

import { randomDecoder } from "@qkv/test-support/random-decoder";
import { transformerBlockModel } from "./transformer-block-model.js";

const text = "The cat sat on the";
let tiny: Model;
const models: Record<string, Model> = {};
beforeAll(async () => {
  const files = await modelTiny();
  tiny = await load(files);
  models["our small model"] = tiny;
  models["a random GPT-2"] = randomDecoder("gpt2", tiny.tokenizer!);
  models["a random Llama"] = randomDecoder("llama", tiny.tokenizer!);
});
const names = ["our small model", "a random GPT-2", "a random Llama"];

test("a model with 16-bit weights on its device is drawn like one with 32-bit weights", async () => {
  const device = await wasm({ threads: 1 });
  const halves = await load(await modelTiny(), { device });
  expect(halves.params.embedding.weight.dtype).toBe("float16");
  const [drawn, own] = [await transformerBlockModel(halves, text), await transformerBlockModel(tiny, text)];
  expect(drawn.next[4]![0]!.text).toBe(own.next[4]![0]!.text);
  expect(drawn.next[4]![0]!.now).toBeCloseTo(own.next[4]![0]!.now, 4);
});

/** Tensors of the model's own pass. */
function trace(model: Model, ids: readonly number[], interventions?: Record<string, (x: Tensor) => Tensor>) {
  const tensors: Record<string, Tensor> = {};
  const names = [
    "embeddings",
    "attentionOutput",
    "feedForwardOutput",
    "output",
    "scores",
    "weights",
    "heads",
  ] as const;
  const logits = model.apply(model.params, ids, {
    trace: { names, tensors, ...(interventions && { interventions }) },
  });
  return { tensors, logits };
}
const close = (mine: ArrayLike<number>, own: ArrayLike<number>, digits = 4) => {
  expect(mine.length).toBe(own.length);
  for (let i = 0; i < mine.length; i++) {
    if (own[i] === -Infinity) expect(mine[i]).toBe(-Infinity);
    else expect(Math.abs(mine[i]! - own[i]!)).toBeLessThan(10 ** -digits * Math.max(1, Math.abs(own[i]!)));
  }
};
const data = (x: Tensor | undefined) => Array.from(x!.data, Number);
const softmax = (logits: readonly number[]) => {
  const powers = logits.map((logit) => Math.exp(logit - Math.max(...logits)));
  const total = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / total);
};

describe.each(names)("%s", (name) => {
  test("the residual stream and the outputs of all parts are those of the trace", async () => {
    const model = models[name]!;
    const drawn = await transformerBlockModel(model, text);
    const { tensors } = trace(
      model,
      drawn.tokens.map(({ id }) => id),
    );
    close(drawn.stream[0]!.data, data(tensors["embeddings"]));
    drawn.blocks.forEach((block, i) => {
      close(drawn.writes[2 * i]!.data, data(tensors[`layers.${i}.attentionOutput`]));
      close(drawn.writes[2 * i + 1]!.data, data(tensors[`layers.${i}.feedForwardOutput`]));
      close(drawn.stream[2 * i + 2]!.data, data(tensors[`layers.${i}.output`]));
      close(block.scores.data, data(tensors[`layers.${i}.attention.scores`]));
      close(block.weights.data, data(tensors[`layers.${i}.attention.weights`]));
      close(block.mixtures.data, data(tensors[`layers.${i}.attention.heads`]));
    });
    drawn.writes.forEach((write, k) => {
      const sums = Array.from(drawn.stream[k]!.data, (value, i) => value + write.data[i]!);
      close(sums, drawn.stream[k + 1]!.data);
    });
  });

  test("the output of a head is its weights times the values of its KV head, and the heads sum to the output of attention", async () => {
    const model = models[name]!;
    const { blocks, writes, tokens, numHeads, numKvHeads } = await transformerBlockModel(model, text);
    const [T, C] = [tokens.length, model.config.embedDim];
    blocks.forEach(({ weights, values, mixtures, headWrites }, i) => {
      const D = values.shape[2]!;
      expect(values.shape).toEqual([numKvHeads, T, D]);
      for (let h = 0; h < numHeads; h++) {
        const kv = Math.floor((h * numKvHeads) / numHeads);
        for (let t = 0; t < T; t++) {
          for (let d = 0; d < D; d++) {
            let sum = 0;
            for (let j = 0; j <= t; j++)
              sum += weights.data[(h * T + t) * T + j]! * values.data[(kv * T + j) * D + d]!;
            expect(sum).toBeCloseTo(mixtures.data[(h * T + t) * D + d]!, 4);
          }
        }
      }
      const bias = model.params.layers[i]!.attention.output.bias;
      for (let n = 0; n < T * C; n++) {
        let sum = bias ? Number(bias.data[n % C]) : 0;
        for (let h = 0; h < numHeads; h++) sum += headWrites.data[h * T * C + n]!;
        expect(sum).toBeCloseTo(writes[2 * i]!.data[n]!, 4);
      }
    });
  });

  test("the down projection of the hidden activations is the output of the MLP", async () => {
    const model = models[name]!;
    const { blocks, writes, tokens } = await transformerBlockModel(model, text);
    const { embedDim: C, hiddenDim: F, gated = true } = model.config;
    blocks.forEach(({ gate, hidden }, i) => {
      expect(gate !== undefined).toBe(gated);
      const { down } = model.params.layers[i]!.feedForward as { down: { weight: Tensor; bias?: Tensor } };
      const weight = data(down.weight);
      for (const t of tokens.keys()) {
        for (const c of [0, 1, C - 1]) {
          let sum = down.bias ? Number(down.bias.data[c]) : 0;
          for (let f = 0; f < F; f++) sum += hidden.data[t * F + f]! * weight[c * F + f]!;
          expect(sum).toBeCloseTo(writes[2 * i + 1]!.data[t * C + c]!, 4);
        }
      }
    });
  });

  test("the contributions of the parts sum to the logit, and the probabilities are its softmax", async () => {
    const model = models[name]!;
    const drawn = await transformerBlockModel(model, text);
    const { logits } = trace(
      model,
      drawn.tokens.map(({ id }) => id),
    );
    const V = model.config.vocabSize;
    drawn.next.forEach((tokens, t) => {
      const row = data(logits).slice(t * V, (t + 1) * V);
      const probabilities = softmax(row);
      const best = [...row.keys()].sort((a, b) => row[b]! - row[a]!).slice(0, 6);
      expect(tokens.map(({ id }) => id)).toEqual(best);
      for (const { id, logit, now, before, parts, heads, rest } of tokens) {
        expect(logit).toBeCloseTo(row[id]!, 5);
        expect(now).toBeCloseTo(probabilities[id]!, 6);
        expect(before).toBe(now);
        expect(parts.reduce((sum, part) => sum + part, rest)).toBeCloseTo(logit, 3);
        drawn.blocks.forEach((_, i) => {
          const sum = heads[i]!.reduce((total, part) => total + part, 0);
          if (!model.config.bias?.attentionOutput) expect(sum).toBeCloseTo(parts[1 + 2 * i]!, 3);
        });
      }
    });
  });

  test("the final norm times the unembedding is the model's own logits", async () => {
    const model = models[name]!;
    const drawn = await transformerBlockModel(model, text);
    const ids = drawn.tokens.map(({ id }) => id);
    const lens = logitLens(decoder(model.config), model.params, ids).at(-1)!;
    const V = model.config.vocabSize;
    for (const { id, logit } of drawn.next.at(-1)!)
      expect(logit).toBeCloseTo(Number(lens.data[(ids.length - 1) * V + id]), 4);
    const output = data((model.params.output ?? model.params.embedding).weight);
    const { id, logit } = drawn.next.at(-1)![0]!;
    const C = model.config.embedDim;
    let sum = 0;
    for (let c = 0; c < C; c++)
      sum += drawn.normed.at(-1)!.data[(ids.length - 1) * C + c]! * output[id * C + c]!;
    expect(sum).toBeCloseTo(logit, 3);
  });

  const withoutHead1 = (x: Tensor) => {
    const [own, H] = [slice(x, 1, 1, 2), x.shape[1]!];
    return concat([slice(x, 1, 0, 1), mul(own, 0), ...(H > 2 ? [slice(x, 1, 2, H)] : [])], 1);
  };

  test.each([
    ["attention-1", { "layers.1.attentionOutput": (x: Tensor) => mul(x, 0) }],
    ["mlp-0", { "layers.0.feedForwardOutput": (x: Tensor) => mul(x, 0) }],
    ["head-1-1", { "layers.1.attention.heads": withoutHead1 }],
  ] as const)(
    "without %s: the numbers of a run with this intervention, beside those before",
    async (removed, interventions) => {
      const model = models[name]!;
      const whole = await transformerBlockModel(model, text);
      const drawn = await transformerBlockModel(model, text, { removed });
      const ids = drawn.tokens.map(({ id }) => id);
      const { tensors, logits } = trace(model, ids, interventions);
      const L = drawn.blocks.length;
      close(drawn.stream.at(-1)!.data, data(tensors[`layers.${L - 1}.output`]));
      const V = model.config.vocabSize;
      const row = softmax(data(logits).slice(-V));
      const before = softmax(data(trace(model, ids).logits).slice(-V));
      for (const token of drawn.next.at(-1)!) {
        expect(token.now).toBeCloseTo(row[token.id]!, 6);
        expect(token.before).toBeCloseTo(before[token.id]!, 6);
      }
      expect(drawn.next.at(-1)![0]!.id).toBe(whole.next.at(-1)![0]!.id);
      expect(drawn.next.at(-1)!.some(({ now, before }) => Math.abs(now - before) > 1e-6)).toBe(true);
      const part = { "attention-1": 2, "mlp-0": 1 }[removed as string];
      if (part !== undefined) expect(new Set(Array.from(drawn.writes[part]!.data))).toEqual(new Set([0]));
    },
  );
});

test("the small model predicts “hill” on the initial text, but not without its first MLP", async () => {
  const next = (await transformerBlockModel(tiny, text)).next.at(-1)!;
  expect(next[0]!.text).toBe(" hill");
  const without = (await transformerBlockModel(tiny, text, { removed: "mlp-0" })).next.at(-1)!;
  expect(without[0]!.now).toBeLessThan(0.1 * without[0]!.before);
});

test("of a longer text the last tokens are used, and an empty text has one token", async () => {
  const long = await transformerBlockModel(tiny, "one two three four five six seven eight", { maxTokens: 4 });
  expect(long.tokens).toHaveLength(4);
  expect((await transformerBlockModel(tiny, "")).tokens).toHaveLength(1);
});

test.each([
  [{ removed: "mlp-9" }, /transformerBlockModel: `removed` is "mlp-9", expected attention-0 to attention-3/],
  [{ removed: "head-0-4" }, /`removed` is "head-0-4"/],
  [{ removd: "mlp-0" }, /removd/],
  [{ maxTokens: 0 }, /`maxTokens` is 0/],
])("options that the model does not have are refused: %o", async (options, message) => {
  await expect(transformerBlockModel(tiny, text, options as never)).rejects.toThrow(message);
});

test("values that are no model, and models with other parts, are refused with their names", async () => {
  await expect(transformerBlockModel({} as never, text)).rejects.toThrow(/`model`/);
  await expect(transformerBlockModel(tiny, 7 as never)).rejects.toThrow(/`text`/);
  const { tokenizer: _, ...bare } = tiny;
  await expect(transformerBlockModel({ ...bare, tokenizer: undefined }, text)).rejects.toThrow(
    /tokenizer\.json/,
  );
  const other = (config: object) => ({ ...tiny, config: { ...tiny.config, ...config } }) as Model;
  await expect(transformerBlockModel(other({ placement: "post" }), text)).rejects.toThrow(
    /norms placed `post`/,
  );
  await expect(transformerBlockModel(other({ logitSoftcap: 30 }), text)).rejects.toThrow(
    /a cap on the logits/,
  );
  const experts = { numExperts: 2, expertsPerToken: 1 };
  await expect(transformerBlockModel(other({ experts }), text)).rejects.toThrow(/a mixture of experts/);
});

test("a model whose MLP computes something else is refused", async () => {
  const apply: Model["apply"] = (params, ids, options) => {
    const trace = options?.trace && {
      ...options.trace,
      interventions: { "layers.1.feedForwardOutput": (x: Tensor) => mul(x, 2) },
    };
    return tiny.apply(params, ids, { ...options, ...(trace && { trace }) });
  };
  await expect(transformerBlockModel({ ...tiny, apply }, text)).rejects.toThrow(
    /the MLP of block 1 that differ/,
  );
});
