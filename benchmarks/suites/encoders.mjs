// The most common models in pages: text embedding, image classification, and nearest-neighbour search.
import { numbers } from "../data.mjs";
import { pictureModel, textModel } from "../encoders/onnx.mjs";
import { openEmbed, openPicture, openText } from "../encoders/ours.mjs";
import { searchRow } from "../encoders/search.mjs";
import { ids, shapes, texts } from "../encoders/shapes.mjs";
import { arithmeticLimit } from "../peers/limits.mjs";
import { onnxruntime } from "../peers/onnxruntime.mjs";

const { minilm, vitTiny } = shapes;

export const rows = (context) => [
  text("minilm-128", 1, context),
  text("minilm-128x32", 32, context),
  picture("vit-tiny", context),
  searchRow(context),
];

/** From ids, or a text, to a vector of unit norm for each text. */
function text(name, batch, context) {
  const given = ids(minilm, batch);
  const feeds = {
    input_ids: ["int64", [batch, minilm.tokens], BigInt64Array.from(given.flat(), BigInt)],
    token_type_ids: ["int64", [batch, minilm.tokens], new BigInt64Array(batch * minilm.tokens)],
  };
  const ort = (kind, fused) =>
    onnxruntime(kind, () => ({ model: textModel(minilm, { pooled: true, fused }), feeds }), {
      variant: fused ? "fused operators" : "composed",
      resident: "state",
    });
  const { C, F, L, tokens } = minilm;
  const flops = batch * L * (2 * tokens * (4 * C * C + 2 * C * F) + 4 * tokens * tokens * C);
  const embedded = (name, kind, open) =>
    contender(name, kind, async (context) => {
      const { threads, vectors } = await open(context);
      return { threads, call: () => vectors(texts(minilm, batch)) };
    });
  return {
    id: `encoders/${name}`,
    unit: "ms",
    better: "low",
    aim: 1.2,
    tolerance: 1e-5,
    // The first contender is the reference for outputs, so it is not ours.
    contenders: [
      ort("peer", false),
      ort("peer", true),
      ...context.devices.map((spec) =>
        contender(`@qkv on ${spec}`, "ours", async (context) => {
          const { threads, vectors } = await openText(minilm, spec, context);
          return { threads, call: () => vectors(given) };
        }),
      ),
      ...context.devices.map((spec) =>
        embedded(`@qkv on ${spec}, embed of texts`, "ours", (context) => openEmbed(minilm, spec, context)),
      ),
      ...transformersJs(context, (engine) => [
        "pipeline of texts",
        async (context) => {
          const { openPipeline } = await import("../encoders/transformersjs.mjs");
          const { vectors } = await openPipeline(minilm, engine, context);
          return { threads: context.threads, call: () => vectors(texts(minilm, batch)) };
        },
      ]),
      ort("native", false),
      arithmeticLimit("fused", (rate) => (flops / rate) * 1000),
    ],
  };
}

/** From pixels to logits of the classes. */
function picture(name, context) {
  const { image, C, F, L, patch } = vitTiny;
  const pixels = () => numbers(77, 3 * image * image);
  const feeds = () => ({ pixel_values: ["float32", [1, 3, image, image], pixels()] });
  const ort = (kind, fused) =>
    onnxruntime(kind, () => ({ model: pictureModel(vitTiny, { fused }), feeds: feeds() }), {
      variant: fused ? "fused operators" : "composed",
      resident: "state",
    });
  const tokens = (image / patch) ** 2 + 1;
  const flops =
    L * (2 * tokens * (4 * C * C + 2 * C * F) + 4 * tokens * tokens * C) +
    2 * (tokens - 1) * C * 3 * patch * patch;
  return {
    id: `encoders/${name}`,
    unit: "ms",
    better: "low",
    aim: 1.2,
    tolerance: 1e-3,
    contenders: [
      ort("peer", false),
      ort("peer", true),
      ...context.devices.map((spec) =>
        contender(`@qkv on ${spec}`, "ours", async (context) => {
          const { threads, logits } = await openPicture(vitTiny, spec, context);
          const given = pixels();
          return { threads, call: () => logits(given) };
        }),
      ),
      ...transformersJs(context, (engine) => [
        "model of pixels",
        async (context) => {
          const { openClassifier } = await import("../encoders/transformersjs.mjs");
          const { logits } = await openClassifier(vitTiny, engine, context);
          const given = pixels();
          return { threads: context.threads, call: () => logits(given) };
        },
      ]),
      ort("native", false),
      arithmeticLimit("fused", (rate) => (flops / rate) * 1000),
    ],
  };
}

/** Transformers.js with both engines; in a browser it would need a server for its folder. */
function transformersJs({ browser }, of) {
  if (browser) return [];
  return [
    ["peer", "web", "Transformers.js on onnxruntime-web"],
    ["native", "native", "Transformers.js on onnxruntime-node"],
  ].map(([kind, engine, name]) => {
    const [variant, open] = of(engine);
    return contender(`${name}, ${variant}`, kind, open);
  });
}

/** Inputs are arrays, results are read, and weights are resident. */
function contender(name, kind, open) {
  return {
    name,
    kind,
    resident: "state",
    async prepare(context) {
      const { threads = 1, call } = await open(context);
      return { threads, call, output: call };
    },
  };
}
