// Transformers.js as users call it: a pipeline over a folder of files, and a model with pixels as input. It computes
// with onnxruntime: in Node the native one, an upper bound here; or, with `engine: "web"`, its WASM engine for
// browsers.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSession } from "../peers/onnxruntime.mjs";
import { pictureModel, textModel } from "./onnx.mjs";
import { special, tokenizerJson } from "./shapes.mjs";

/** `vectors(texts)`: vectors of unit norm, concatenated. */
export async function openPipeline(shape, engine, context) {
  const options = await optionsOf(engine, context, textModel(shape));
  const config = { ...common(shape), model_type: "bert", architectures: ["BertModel"], vocab_size: shape.V };
  const [pad_token, unk_token, cls_token, sep_token] = special;
  const embed = await withFolder(
    {
      "config.json": JSON.stringify({ ...config, max_position_embeddings: shape.tokens }),
      "tokenizer.json": JSON.stringify(tokenizerJson(shape)),
      "tokenizer_config.json": JSON.stringify({
        ...{ tokenizer_class: "PreTrainedTokenizerFast", model_max_length: shape.tokens },
        ...{ pad_token, unk_token, cls_token, sep_token },
      }),
      "onnx/model.onnx": textModel(shape),
    },
    ({ pipeline }) => pipeline("feature-extraction", "model", options),
  );
  return {
    async vectors(texts) {
      const { data } = await embed(texts, { pooling: "mean", normalize: true });
      return Float32Array.from(data);
    },
  };
}

/** `logits(pixels)` of an image. */
export async function openClassifier(shape, engine, context) {
  const options = await optionsOf(engine, context, pictureModel(shape));
  const config = {
    ...common(shape),
    ...{ model_type: "vit", architectures: ["ViTForImageClassification"] },
    ...{ image_size: shape.image, patch_size: shape.patch, num_channels: 3 },
  };
  const { model, Tensor } = await withFolder(
    { "config.json": JSON.stringify(config), "onnx/model.onnx": pictureModel(shape) },
    async ({ AutoModelForImageClassification, Tensor }) => ({
      model: await AutoModelForImageClassification.from_pretrained("model", options),
      Tensor,
    }),
  );
  return {
    async logits(pixels) {
      const pixel_values = new Tensor("float32", pixels, [1, 3, shape.image, shape.image]);
      return (await model({ pixel_values })).logits.data;
    },
  };
}

const common = ({ C, F, L, H, eps }) => ({
  hidden_size: C,
  intermediate_size: F,
  num_hidden_layers: L,
  num_attention_heads: H,
  hidden_act: "gelu",
  layer_norm_eps: eps,
});

/** Calls `open` with a temporary folder of such files, and without network access. */
async function withFolder(files, open) {
  const folder = mkdtempSync(join(tmpdir(), "qkv-bench-"));
  try {
    mkdirSync(join(folder, "model/onnx"), { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, "model", name), content);
    const library = await import("@huggingface/transformers");
    Object.assign(library.env, { allowRemoteModels: false, localModelPath: folder, useFSCache: false });
    return await open(library);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Options for float32, the number of threads, and one of the two engines. */
async function optionsOf(engine, { threads }, model) {
  const session_options = { intraOpNumThreads: threads, interOpNumThreads: 1 };
  if (engine === "native") return { dtype: "fp32", device: "cpu", session_options };
  // It uses the engine under this global name. A session created before makes the engine load its own files.
  const { ort, session } = await openSession("peer", model, { threads });
  await session.release();
  ort.env.wasm.wasmPaths = new URL("./", import.meta.resolve("onnxruntime-web")).href;
  globalThis[Symbol.for("onnxruntime")] = ort;
  return { dtype: "fp32", device: "auto", session_options: { executionProviders: ["wasm"] } };
}
