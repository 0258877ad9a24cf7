import { load, type Model } from "@qkv/transformer";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import { crossEntropy, tensor } from "@qkv/tensor";
import { readSafetensors } from "@qkv/tensor/safetensors";
import type { DataFolder } from "../../data-folder.mjs";
import { skippedCase, type Case, type Source, type Target } from "../case.js";
import { compareNumbers, mismatch, type Check } from "../check.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { tolerance } from "../tolerance.js";

type Refs = { base: string; cases: { name: string; inputs: unknown[]; outputs: unknown[] }[] };

/** `lora/NAME/`: adapters of PEFT on one base model, with its logits, its loss, and a matrix of the model that PEFT merges. */
export function lora(data: DataFolder): Source[] {
  return data.folders("lora").flatMap((folder): Source[] => {
    const path = `lora/${folder}`;
    if (!data.has(`${path}/refs.json`)) return [];
    const { cases } = data.json(`${path}/refs.json`) as Refs;
    return [
      {
        family: "lora",
        file: `${path}/refs.json`,
        cases: cases.flatMap(({ name, inputs, outputs }): Case[] => [
          {
            name: `${folder} ${name}`,
            run: (target) => compare(data, path, inputs.map(readTensor), outputs.map(readTensor), target),
          },
          skippedCase(`${folder} ${name}: gradients and a step of AdamW`, "adapters are not trained yet"),
        ]),
      },
    ];
  });
}

async function compare(
  data: DataFolder,
  path: string,
  inputs: readonly ReferenceTensor[],
  outputs: readonly ReferenceTensor[],
  target: Target,
): Promise<Check[]> {
  const files = (folder: string) =>
    data
      .names(folder)
      .filter((name) => name !== "refs.json")
      .map((name) => new File([data.bytes(`${folder}/${name}`) as BlobPart], name));
  const { device } = target;
  const base = await load(files("lora/base"), { device });
  const adapted = await load(files("lora/base"), { adapter: files(path), device });
  const given = Object.fromEntries(inputs.map((one) => [one.name, one]));
  const ids = toTensor(given["input_ids"]!, target);
  const labels = given["labels"]!;
  const logits = adapted.apply(adapted.params, ids);
  const limit = tolerance("logits", target.class);
  /** Row t predicts token t + 1; labels below 0 count for nothing. */
  const loss = () => {
    const [B, T] = labels.shape as [number, number];
    const targets = Array.from({ length: B * T }, (_, i) =>
      i % T === T - 1 ? -100 : Number(labels.values[i + 1]),
    );
    return crossEntropy(logits, tensor(targets, { shape: [B, T], dtype: "int32" }).to(device), {
      ignoreIndex: -100,
    });
  };
  return Promise.all(
    outputs
      .filter(({ name }) => !name.startsWith("loss_after"))
      .map(async (reference) => {
        const merged = /^merged\.(.*)$/.exec(reference.name)?.[1];
        const own =
          merged !== undefined
            ? (await savedTensors(adapted)).get(merged)
            : { logits, base_logits: base.apply(base.params, ids), loss: loss() }[reference.name];
        if (!own) return mismatch(reference.name, limit, "is not known");
        return compareNumbers(
          reference.name,
          { shape: own.shape, values: await own.read() },
          { shape: reference.shape, values: reference.values as Float32Array },
          limit,
          { absolute: true },
        );
      }),
  );
}

/** The tensors of a model as they are saved for Hugging Face. */
async function savedTensors(model: Model) {
  const out = memoryFolder();
  await exportModel(model, { to: "hf", out, dtype: "float32" });
  const weights = out.files.find(({ name }) => name.endsWith(".safetensors"))!;
  const { tensors } = await readSafetensors(new Uint8Array(await weights.arrayBuffer()));
  return new Map(Object.entries(tensors));
}
