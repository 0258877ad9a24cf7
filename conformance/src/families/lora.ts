import { load, type Model } from "@qkv/transformer";
import { loadAdapter, saveAdapter, type AdapterParams } from "@qkv/transformer/adapters";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import { crossEntropy, tensor, valueAndGrad, type Tensor } from "@qkv/tensor";
import { adamW } from "@qkv/tensor/optimizers";
import { readSafetensors } from "@qkv/tensor/safetensors";
import type { DataFolder } from "../../data-folder.mjs";
import type { Case, Source, Target } from "../case.js";
import { compareNumbers, compareText, mismatch, type Check } from "../check.js";
import { readTensor, type ReferenceTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { tolerance } from "../tolerance.js";

type RefsCase = { name: string; inputs: unknown[]; outputs: unknown[]; gradInputs: unknown[] };

/** `lora/NAME/`: adapters of PEFT on one base model, with its logits, its loss, and a matrix of the model that PEFT merges. */
export function lora(data: DataFolder): Source[] {
  return data.folders("lora").flatMap((folder): Source[] => {
    const path = `lora/${folder}`;
    if (!data.has(`${path}/refs.json`)) return [];
    const { cases } = data.json(`${path}/refs.json`) as { cases: RefsCase[] };
    return [
      {
        family: "lora",
        file: `${path}/refs.json`,
        cases: cases.flatMap((one): Case[] => [
          { name: `${folder} ${one.name}`, run: (target) => compare(data, path, one, target) },
          {
            name: `${folder} ${one.name}: gradients, a step of AdamW and the folder that is saved`,
            run: (target) => compareTraining(data, path, one, target),
          },
        ]),
      },
    ];
  });
}

async function compare(data: DataFolder, path: string, one: RefsCase, target: Target): Promise<Check[]> {
  const { device } = target;
  const base = await load(filesIn(data, "lora/base"), { device });
  const adapted = await load(filesIn(data, "lora/base"), { adapter: filesIn(data, path), device });
  const { ids, lossOf } = batchOf(one, target);
  const logits = adapted.apply(adapted.params, ids);
  return compareAll(
    one,
    target,
    ({ name }) => !name.startsWith(afterStep),
    async (name) => {
      const merged = /^merged\.(.*)$/.exec(name)?.[1];
      if (merged !== undefined) return (await savedTensors(adapted)).get(merged);
      return { logits, base_logits: base.apply(base.params, ids), loss: lossOf(logits) }[name];
    },
  );
}

/** Tests the unmerged adapter: outputs, gradients, an optimizer step, and the saved folder. */
async function compareTraining(
  data: DataFolder,
  path: string,
  one: RefsCase,
  target: Target,
): Promise<Check[]> {
  const { device } = target;
  const base = await load(filesIn(data, "lora/base"), { device });
  const { lora, adapter } = await loadAdapter(base, filesIn(data, path));
  const out = memoryFolder();
  await saveAdapter(lora, adapter, { out });
  const { ids, lossOf } = batchOf(one, target);
  const logits = lora.apply(adapter, ids);
  const lossWith = (adapter: AdapterParams) => lossOf(lora.apply(adapter, ids));
  const [loss, gradient] = valueAndGrad(lossWith)(adapter);
  const gradients = lora.tensors(gradient);
  const limit = tolerance("gradient", target.class);
  const ofGradients = one.gradInputs.map(readTensor).map(async (reference) => {
    const actual = gradients[reference.name];
    if (!actual) return mismatch(reference.name, limit, "has no gradient");
    const ours = { shape: actual.shape, values: await actual.read() };
    return compareNumbers(reference.name, ours, numbersOf(reference), limit);
  });
  const checks = await Promise.all(ofGradients);
  const optimizer = adamW({ learningRate: 0.01, weightDecay: 0 });
  optimizer.update(adapter, gradient, optimizer.init(adapter));
  const after = lossWith(adapter);
  const outputs = await compareAll(
    one,
    target,
    ({ name }) => ["logits", "loss"].includes(name) || name.startsWith(afterStep),
    (name) => (name.startsWith(afterStep) ? after : { logits, loss }[name]),
  );
  return [...outputs, ...checks, ...(await compareFolders(filesIn(data, path), out.files))];
}

const afterStep = "loss_after";

/**
 * Compares the folder that PEFT saved with ours: fields of the configuration; names, shapes and elements of tensors.
 */
async function compareFolders(theirs: readonly File[], ours: readonly File[]): Promise<Check[]> {
  const textOf = async (files: readonly File[]) => {
    const [config, weights] = ["adapter_config.json", "adapter_model.safetensors"].map((name) =>
      files.find((file) => file.name === name),
    ) as [File, File];
    const { tensors, metadata } = await readSafetensors(new Uint8Array(await weights.arrayBuffer()));
    const entries = Object.entries(tensors).map(([name, { shape, data }]) => [name, shape, [...data]]);
    return {
      config: JSON.stringify(JSON.parse(await config.text())),
      tensors: JSON.stringify([metadata, entries.sort()]),
    };
  };
  const [reference, actual] = [await textOf(theirs), await textOf(ours)];
  return [
    compareText("adapter_config.json", actual.config, reference.config),
    compareText("adapter_model.safetensors", actual.tensors, reference.tensors),
  ];
}

const filesIn = (data: DataFolder, folder: string): File[] =>
  data
    .names(folder)
    .filter((name) => name !== "refs.json")
    .map((name) => new File([data.bytes(`${folder}/${name}`) as BlobPart], name));

/** The token ids of a case, and the loss of logits with respect to its labels. */
function batchOf({ inputs }: RefsCase, target: Target) {
  const byName = Object.fromEntries(inputs.map(readTensor).map((one) => [one.name, one]));
  const labels = byName["labels"]!;
  const [B, T] = labels.shape as [number, number];
  // Row t predicts token t + 1; negative labels are ignored.
  const targets = tensor(
    Array.from({ length: B * T }, (_, i) => (i % T === T - 1 ? -100 : Number(labels.values[i + 1]))),
    { shape: [B, T], dtype: "int32" },
  ).to(target.device);
  return {
    ids: toTensor(byName["input_ids"]!, target),
    lossOf: (logits: Tensor) => crossEntropy(logits, targets, { ignoreIndex: -100 }),
  };
}

const numbersOf = ({ shape, values }: ReferenceTensor) => ({ shape, values: values as Float32Array });

/** Compares the outputs of a case with ours of the same names. */
function compareAll(
  { outputs }: RefsCase,
  target: Target,
  isMeant: (reference: ReferenceTensor) => boolean,
  ownOf: (name: string) => Tensor | undefined | Promise<Tensor | undefined>,
): Promise<Check[]> {
  const limit = tolerance("logits", target.class);
  return Promise.all(
    outputs
      .map(readTensor)
      .filter(isMeant)
      .map(async (reference) => {
        const actual = await ownOf(reference.name);
        if (!actual) return mismatch(reference.name, limit, "is not known");
        const ours = { shape: actual.shape, values: await actual.read() };
        return compareNumbers(reference.name, ours, numbersOf(reference), limit, { absolute: true });
      }),
  );
}

/** The tensors of a model under the names of Hugging Face. */
async function savedTensors(model: Model) {
  const out = memoryFolder();
  await exportModel(model, { to: "hf", out, dtype: "float32" });
  const weights = out.files.find(({ name }) => name.endsWith(".safetensors"))!;
  const { tensors } = await readSafetensors(new Uint8Array(await weights.arrayBuffer()));
  return new Map(Object.entries(tensors));
}
