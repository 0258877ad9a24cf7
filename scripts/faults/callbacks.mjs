// User callbacks that throw: the caller gets the same error, and the object that called them is unchanged.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  attention,
  causal,
  maskMod,
  scoreMod,
  scoreModFunction,
} from "../../packages/attention/dist/index.js";
import { add, grad, matmul, mul, randn, remat, sum } from "../../packages/tensor/dist/index.js";
import { adamW } from "../../packages/tensor/dist/optimizers.js";
import { trainBpe } from "../../packages/tokenizer/dist/training.js";
import { exportModel } from "../../packages/transformer/dist/export.js";
import { generate, load } from "../../packages/transformer/dist/index.js";
import { nextTokenBatches, tokenLoss, train } from "../../packages/transformer/dist/training.js";
import { numbersOf, thrown } from "./thrown.mjs";
import { cacheKinds, ids, model, onDevices } from "./worlds.mjs";

const mine = new Error("thrown by a callback");
/** A function that throws when it is called for the n-th time. */
const throwsAt = (n, result) => {
  let calls = 0;
  return () => {
    calls += 1;
    if (calls === n) throw mine;
    return result;
  };
};
/** Wraps `f` so that it throws on the n-th call. */
const throwsAfter = (n, f) => {
  const may = throwsAt(n);
  return (...args) => (may(), f(...args));
};

export const callbacks = {
  async "a mask, a score mod or its derivative throws inside attention"() {
    await onDevices(async (device) => {
      const x = randn([1, 2, 40, 8], { seed: 1 }).to(device);
      const run = (options) => numbersOf(attention(x, x, x, options));
      const slope = (options) => numbersOf(grad((q) => sum(attention(q, x, x, options)))(x));
      const before = [run({ mask: causal() }), slope({ mask: causal() })];
      const { bytes } = device.memory();
      const same = (score) => score;
      for (const [call, options] of [
        [run, { mask: maskMod(throwsAt(700, true)) }],
        [run, { scoreMod: scoreMod(throwsAt(1, 0)) }],
        [run, { scoreMod: scoreModFunction(throwsAt(900, 0)) }],
        [run, { weightMod: scoreModFunction(throwsAt(900, 0)) }],
        [slope, { mask: maskMod(throwsAt(700, true)) }],
        [slope, { scoreMod: scoreModFunction(same, { derivative: throwsAt(900, 1) }) }],
      ]) {
        assert.equal(await thrown(() => call(options)), mine);
        assert.equal(device.memory().bytes, bytes);
      }
      assert.deepEqual([run({ mask: causal() }), slope({ mask: causal() })], before);
    });
  },

  async "a function throws in nested scopes, in a gradient and in its recomputation"() {
    await onDevices(async (device) => {
      const x = randn([16, 16], { seed: 2 }).to(device);
      const work = (then) =>
        device.scope(() =>
          add(
            device.scope(() => matmul(x, x)),
            (then(), x),
          ),
        );
      const slope = (then) => grad((y) => sum(mul(remat((z) => (then(), matmul(z, z)))(y), y)))(x);
      const before = [numbersOf(work(() => {})), numbersOf(slope(() => {}))];
      const { bytes } = device.memory();
      for (const run of [work, slope]) {
        assert.equal(await thrown(() => run(throwsAt(1))), mine);
        assert.equal(device.memory().bytes, bytes);
      }
      assert.equal(await thrown(() => slope(throwsAt(2))), mine); // the recomputation in the backward pass
      assert.equal(device.memory().bytes, bytes);
      assert.deepEqual([numbersOf(work(() => {})), numbersOf(slope(() => {}))], before);
    });
  },

  async "a mask, or a layer, throws while a model appends to a cache"() {
    const params = model.init(1);
    /** The same model, but its third layer throws, after two have appended to the cache. */
    const broken = {
      ...params,
      layers: params.layers.with(2, {
        ...params.layers[2],
        get attention() {
          throw mine;
        },
      }),
    };
    const failing = [
      (cache, prompt) => model.apply(params, prompt, { cache, mask: maskMod(throwsAt(2, true)) }),
      (cache, prompt) => model.apply(broken, prompt, { cache }),
    ];
    for (const [kind, make] of Object.entries(cacheKinds)) {
      const fresh = (count) => {
        const cache = make();
        model.apply(params, ids(count), { cache });
        return cache;
      };
      const next = (cache) => numbersOf(model.apply(params, ids(1, 30), { cache, last: 1 }));
      const expected = next(fresh(30));
      for (const fails of failing) {
        const cache = make();
        assert.equal(await thrown(() => fails(cache, ids(20))), mine, kind);
        assert.equal(cache.length, 0);
        model.apply(params, ids(30), { cache });
        assert.equal(await thrown(() => fails(cache, ids(30, 30))), mine, kind);
        // A cache that has overwritten the tokens to roll back to starts over, and reports it.
        assert.equal(cache.length, kind === "rolling" ? 0 : 30, kind);
        if (cache.length === 0) model.apply(params, ids(30), { cache });
        assert.equal(next(cache), expected, kind);
      }
    }
  },

  async "a schedule, a stream of batches, a loss or an evaluation throws in training"() {
    const batchAt = nextTokenBatches(ids(200), { batchSize: 2, contextLength: 12, seed: 1 });
    const loss = tokenLoss(model);
    const run = async (params, state, changed = {}) => {
      const optimizer = adamW({ learningRate: 0.01 });
      state ??= optimizer.init(params);
      const options = {
        params,
        state,
        loss,
        optimizer,
        batchAt,
        steps: 4,
        accumulate: 2,
        maxNorm: 1,
        ...changed,
      };
      for await (const report of train(options)) void report;
      return state;
    };
    const expected = model.init(3);
    await run(expected);
    const failing = [
      { batchAt: throwsAfter(3, batchAt) },
      { batchAt: () => Promise.reject(mine) },
      { loss: throwsAfter(3, loss) },
      { optimizer: adamW({ learningRate: throwsAt(1, 0.01) }) },
    ];
    for (const changed of failing) {
      const params = model.init(3);
      const optimizer = adamW({ learningRate: 0.01 });
      const state = optimizer.init(params);
      const before = numbersOf([params, state.moments]);
      assert.equal(await thrown(() => run(params, state, changed)), mine);
      if (state.step === 0) assert.equal(numbersOf([params, state.moments]), before);
      await run(params, state);
      assert.equal(numbersOf(params), numbersOf(expected));
    }
    // The update of a step is complete, and counted, before its callback runs.
    const params = model.init(3);
    const state = adamW().init(params);
    assert.equal(await thrown(() => run(params, state, { evaluate: throwsAt(1), evaluateEvery: 2 })), mine);
    assert.equal(state.step, 2);
    await run(params, state);
    assert.equal(numbersOf(params), numbersOf(expected));
  },

  async "a callback for generated tokens, or for the end of a generation, throws"() {
    const params = model.init(4);
    const small = { config: model.config, params, tokenizer: undefined, apply: model.apply };
    const generated = async (cache, prompt, count) => {
      const out = [];
      for await (const { id } of generate(small, prompt, { cache, maxTokens: count })) out.push(id);
      return out;
    };
    const expected = await generated(cacheKinds.growing(), ids(7), 12);
    const cache = cacheKinds.growing();
    const heard = [];
    const listener = async () => {
      for await (const { id } of generate(small, ids(7), { cache, maxTokens: 12 })) {
        heard.push(id);
        if (heard.length === 5) throw mine;
      }
    };
    assert.equal(await thrown(listener), mine);
    const all = [...ids(7), ...heard];
    assert.deepEqual([...heard, ...(await generated(cache, all.slice(cache.length), 7))], expected);
    const onFinish = throwsAt(1);
    const finished = async () => {
      for await (const each of generate(small, ids(7), { maxTokens: 2, onFinish })) void each;
    };
    assert.equal(await thrown(finished), mine);
  },

  async "a progress callback of a load, an export or the training of a vocabulary throws"() {
    const folder = mkdtempSync(join(tmpdir(), "qkv-faults-"));
    try {
      const exported = { config: model.config, params: model.init(5) };
      const [out, other] = [join(folder, "model"), join(folder, "other")];
      await exportModel(exported, { to: "hf", out });
      assert.equal(
        await thrown(() => exportModel(exported, { to: "hf", out: other, onProgress: throwsAt(3) })),
        mine,
      );
      assert.deepEqual(readdirSync(folder), ["model"]);
      assert.equal(await thrown(() => load(out, { onProgress: throwsAt(2) })), mine);
      const loaded = await load(out);
      assert.equal(numbersOf(loaded.params), numbersOf(exported.params));

      const texts = ["a stream of texts ".repeat(50)];
      assert.equal(await thrown(() => trainBpe(texts, { vocabSize: 260, onProgress: throwsAt(1) })), mine);
      const broken = (function* () {
        yield texts[0];
        throw mine;
      })();
      assert.equal(await thrown(() => trainBpe(broken, { vocabSize: 260 })), mine);
      assert.equal((await trainBpe(texts, { vocabSize: 260 })).vocab.size, 260);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};
