// Decoders with random weights in the shape of well-known models: tokens per second of a prompt, and of decoding after
// it.
import { clockOf } from "../clock.mjs";
import { openJaxDecoder } from "../lm/jax.mjs";
import { openOnnxruntime } from "../lm/onnxruntime.mjs";
import { openOurs } from "../lm/ours.mjs";
import { openTfjsDecoder } from "../lm/tfjs.mjs";
import { prompt, shapes, token } from "../lm/shapes.mjs";

/** Tokens decoded in a round, and milliseconds of a contender's warm-up for its compiler, as in all other rows. */
const steps = 16;
const warming = 200;

export const rows = (context) => [
  decode("gpt2-decode", shapes.gpt2, { aim: 2.4 }, context),
  prefill("gpt2-prefill512", shapes.gpt2, { aim: 1.6 }, context),
  decode("stories15m-decode", shapes.stories15m, { aim: 1.5 }, context),
  decode("gpt2-int8-decode", shapes.gpt2, rounded({ kind: "int8" }), context),
  prefill("gpt2-int8-prefill512", shapes.gpt2, rounded({ kind: "int8", activations: "int8" }), context),
];

/**
 * Rows of int8 weights, compared with our float weights, whose logits are close, and with llama.cpp's 8-bit weights.
 */
function rounded(rounding) {
  const open = (shape, { devices }) => [
    ...devices.map((spec) => [
      `@qkv on ${spec}, float32`,
      "ours",
      (context) => openOurs(shape, spec, context),
      { rival: true },
    ]),
    ...devices.map((spec) => [
      `@qkv on ${spec}, ${rounding.activations ? "8 bits by 8 bits" : "weights of 8 bits"}`,
      "ours",
      (context) => openOurs(shape, spec, context, rounding),
    ]),
    ["llama.cpp, q8_0", "native", (context) => openLlama("q8_0", shape, context)],
  ];
  return { open, tolerance: 0.3 };
}

/** The first contender is the reference for outputs, so it is not ours. */
const floats = (shape, { devices }) => [
  ["onnxruntime-web", "peer", (context) => openOnnxruntime(shape, "peer", context)],
  ...devices.map((spec) => [`@qkv on ${spec}`, "ours", (context) => openOurs(shape, spec, context)]),
  ["jax-js", "peer", () => openJaxDecoder(shape)],
  ["tfjs-wasm", "peer", (context) => openTfjsDecoder(shape, context)],
  ["onnxruntime-node", "native", (context) => openOnnxruntime(shape, "native", context)],
  ["llama.cpp, float32", "native", (context) => openLlama("f32", shape, context)],
  ["llama.cpp, q8_0", "native", (context) => openLlama("q8_0", shape, context)],
];

/** Imported here, since it does not exist in a browser. */
async function openLlama(encoding, shape, context) {
  return (await import("../lm/llama.mjs")).openLlama(shape, encoding, context);
}

function row(id, shape, { aim, open = floats, tolerance = 1e-3 }, context, ready) {
  const contenders = open(shape, context).map(([name, kind, openModel, more]) => ({
    name,
    kind,
    // Inputs are ids and outputs logits; weights are resident, and so is the cache if the library supports it.
    resident: "state",
    ...more,
    async prepare(given) {
      const model = await openModel(given);
      const { threads, note } = model;
      return { threads, ...(note && { note }), ...ready(model, shape, clockOf(given)) };
    },
  }));
  return { id: `lm/${id}`, unit: "tokens/s", better: "high", aim, tolerance, contenders };
}

function prefill(id, shape, options, context) {
  return row(id, shape, options, context, (model, shape, now) => ({
    async output() {
      if (model.silent) return undefined;
      await model.reset();
      return Float32Array.from(await model.step(prompt(shape)));
    },
    async measure() {
      await model.reset();
      const start = now();
      await model.step(prompt(shape));
      return shape.prompt / ((now() - start) / 1000);
    },
  }));
}

function decode(id, shape, options, context) {
  return row(id, shape, options, context, (model, shape, now) => {
    let length = 0;
    let warm = false;
    async function begin() {
      await model.reset();
      await model.step(prompt(shape));
      length = shape.prompt;
    }
    return {
      // Compared after the prompt and two tokens, which checks the cache too.
      async output() {
        await begin();
        if (model.silent) return undefined;
        await model.step([token(shape, length++)]);
        return Float32Array.from(await model.step([token(shape, length++)]));
      },
      async measure() {
        if (length === 0 || length + steps > shape.context) await begin();
        if (!warm) {
          warm = true;
          for (const start = now(); now() - start < warming && length + steps < shape.context;)
            await model.step([token(shape, length++)]);
        }
        const start = now();
        for (let i = 0; i < steps; i++) await model.step([token(shape, length++)]);
        return steps / ((now() - start) / 1000);
      },
    };
  });
}
