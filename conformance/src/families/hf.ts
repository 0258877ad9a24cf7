import { bytePatchLengths, cacheFor, generate, load, norm, type Model } from "@qkv/transformer";
import type { Tensor } from "@qkv/tensor";
import type { DataFolder } from "../../data-folder.mjs";
import { skippedCase, type Case, type Source, type Target } from "../case.js";
import { compareIds, compareNumbers, mismatch, type Check } from "../check.js";
import { patcherOutput } from "../blt/patcher-output.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { tolerance } from "../tolerance.js";
import { encoderDecoderCases, isEncoderDecoder, type EncoderDecoderRefs } from "./hf-encoder-decoders.js";
import { encoderCases } from "./hf-encoders.js";
import { readsAudio, speechCases, type SpeechRefs } from "./hf-speech.js";
import { visionCases } from "./hf-vision.js";
import { caseName, modelFiles } from "./model-files.js";

type Refs = {
  architecture: string;
  cases: { name: string; inputs: unknown[]; outputs: unknown[] }[];
  greedy?: { prompt: number[]; tokens: number[] }[];
};

/**
 * `hf/NAME/`: tiny models as Hugging Face folders: decoders with logits, rows after layers and greedy tokens; encoders with rows
 * and outputs of their task heads; encoder–decoders with both stacks. A folder with a `config.v4.json` is also run with that
 * configuration, which has the field names of published files.
 */
export const hf = (data: DataFolder): Source[] => modelFolders(data, "hf");

/** `hf-more/NAME/`: further architectures and task heads, in the same format. */
export const hfMore = (data: DataFolder): Source[] => modelFolders(data, "hf-more");

function modelFolders(data: DataFolder, family: string): Source[] {
  return data.folders(family).flatMap((folder): Source[] => {
    const path = `${family}/${folder}`;
    if (!data.has(`${path}/refs.json`)) return [];
    const refs = data.json(`${path}/refs.json`) as Refs;
    const file = `${path}/refs.json`;
    const configs = data.names(path, ".json").filter((name) => /^config(\.v4)?\.json$/.test(name));
    const cases = configs.flatMap((config) =>
      isDecoder(refs)
        ? decoderCases(data, path, refs, config)
        : readsAudio(refs)
          ? speechCases(data, path, refs as unknown as SpeechRefs)
          : isEncoderDecoder(refs)
            ? encoderDecoderCases(data, path, refs as unknown as EncoderDecoderRefs, config)
            : readsText(refs)
              ? encoderCases(data, path, refs.cases, config)
              : seesImages(refs)
                ? visionCases(data, path, refs.cases, config)
                : refs.cases.map(({ name }) =>
                    skippedCase(`${folder} ${name}`, `${refs.architecture} is not loaded yet`),
                  ),
    );
    return [{ family, file, cases }];
  });
}

const isDecoder = ({ architecture, greedy }: Refs): boolean =>
  /ForCausalLM$|LMHeadModel$/.test(architecture) || greedy?.[0]?.prompt !== undefined;

/** True for text encoders. */
const readsText = ({ cases }: Refs): boolean =>
  cases.every(({ inputs }) => (inputs as { name: string }[]).every(({ name }) => textInputs.includes(name)));

/** True for image models. */
const seesImages = ({ cases }: Refs): boolean =>
  cases.every(({ inputs }) => (inputs as { name: string }[]).some(({ name }) => name === "pixel_values"));

const textInputs = ["input_ids", "attention_mask", "token_type_ids", "position_ids"];

function decoderCases(data: DataFolder, path: string, refs: Refs, config: string): Case[] {
  const opened = new Map<Target["device"], Promise<Model>>();
  const open = (target: Target) => {
    const model =
      opened.get(target.device) ?? load(modelFiles(data, path, config), { device: target.device });
    opened.set(target.device, model);
    return model;
  };
  return [
    ...refs.cases.map(({ name, inputs, outputs }) => ({
      name: caseName(path, config, name),
      run: async (target: Target) =>
        compareCase(await open(target), refs, inputs.map(readTensor), outputs.map(readTensor), target),
    })),
    ...(refs.greedy ?? []).map(({ prompt, tokens }) => ({
      name: caseName(path, config, `greedy after ${prompt.length}`),
      run: async (target: Target) => [
        compareIds("tokens", await greedyContinuation(await open(target), prompt, tokens.length), tokens),
      ],
    })),
  ];
}

async function compareCase(
  model: Model,
  refs: Refs,
  inputs: readonly ReferenceTensor[],
  outputs: readonly ReferenceTensor[],
  target: Target,
): Promise<Check[]> {
  const byName = Object.fromEntries(inputs.map((one) => [one.name, one]));
  const { input_ids, attention_mask, position_ids, patch_lengths } = byName;
  if (!input_ids) throw new Error("needs input_ids");
  const real = attention_mask && toRows(attention_mask);
  const traced: Record<string, Tensor> = {};
  const ids = toTensor(input_ids, target);
  // Patch boundaries depend on the bytes: an asynchronous device computes them first.
  const needsPatchLengths = target.device.isPending !== undefined && model.config.bytePatches !== undefined;
  const patchLengths = patch_lengths
    ? toRows(patch_lengths)
    : needsPatchLengths
      ? await bytePatchLengths(model, ids)
      : undefined;
  const logits = model.apply(model.params, ids, {
    // Left padding is a separate document, which real tokens and states do not see.
    ...(real && { documents: real }),
    ...(position_ids && { positions: Int32Array.from(toRows(position_ids).flat()) }),
    ...(patchLengths && { patchLengths }),
    trace: { names: ["embeddings", "output"], tensors: traced },
  });
  const limit = tolerance("logits", target.class);
  return Promise.all(
    outputs.map(async (reference) => {
      const actual =
        reference.name === "logits"
          ? logits
          : ((await patcherOutput(model, ids, reference.name)) ??
            hiddenRows(model, traced, refs, reference.name));
      if (!actual) return mismatch(reference.name, limit, "is not known");
      const values = await actual.read();
      // The reference has zeros as logits of padding, and only the first text's rows after layers.
      const size = actual.shape.at(-1)!;
      const flat = real?.flat();
      const seen = flat ? Float64Array.from(values, (x, i) => (flat[Math.floor(i / size)] ? x : 0)) : values;
      if (reference.dtype === "int64")
        return compareIds(reference.name, Array.from(values, Number), Array.from(reference.values, Number));
      const count = reference.shape.reduce((a, b) => a * b, 1);
      return compareNumbers(
        reference.name,
        { shape: reference.shape, values: seen.subarray(0, count) },
        { shape: reference.shape, values: reference.values as Float32Array },
        limit,
        { absolute: true },
      );
    }),
  );
}

/** `hidden.0`: embeddings; `hidden.i`: rows after layer i, the last one after the final norm. Mamba's references start at layer 0's output. */
function hiddenRows(
  model: Model,
  traced: Record<string, Tensor>,
  refs: Refs,
  name: string,
): Tensor | undefined {
  const index = Number(name.replace("hidden.", ""));
  const { numLayers, embedDim, norm: kind = "rms", normEps: eps } = model.config;
  if (index === numLayers) {
    const rows = traced[`layers.${index - 1}.output`];
    return rows && norm({ kind, embedDim, eps }).apply(model.params.norm, rows);
  }
  const layer = /^Mamba2?ForCausalLM$/.test(refs.architecture) ? index : index - 1;
  return traced[layer < 0 ? "embeddings" : `layers.${layer}.output`];
}

async function greedyContinuation(
  model: Model,
  prompt: readonly number[],
  maxTokens: number,
): Promise<number[]> {
  const ids: number[] = [];
  const options = { maxTokens, sampling: { temperature: 0 }, cache: cacheFor(model.config) };
  for await (const { id } of generate(model, prompt, options)) ids.push(id);
  return ids;
}

function toRows({ shape, values }: ReferenceTensor): number[][] {
  const [B, T] = shape as [number, number];
  return Array.from({ length: B }, (_, b) => Array.from(values.slice(b * T, (b + 1) * T), Number));
}
