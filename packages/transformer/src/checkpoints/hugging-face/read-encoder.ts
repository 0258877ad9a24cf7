import type { ConfigFields } from "../../architectures/config-fields.js";
import type {
  EncoderArchitecture,
  EncoderHeads,
  MaskedTokenHeadNames,
  TaskHeadNames,
} from "../../architectures/encoders/encoder-architecture.js";
import {
  linear,
  norm,
  readStored,
  stored,
  under,
  type StoredTensor,
} from "../../architectures/stored-tensor.js";
import type { Weights } from "../../loading/weights.js";
import type { EncoderConfig, EncoderParams } from "../../models/encoder.js";
import type { TaskHeadConfig } from "../../models/task-head.js";
import { findPrefix, type Checkpoint } from "./family.js";
import { ignoredFields } from "./fields-without-effect.js";

/** Reads an encoder, with its head if the file has one. */
export async function readEncoder(
  architecture: EncoderArchitecture,
  type: string,
  fields: ConfigFields,
  weights: Weights,
): Promise<Checkpoint> {
  const { config: baseConfig, tensors } = architecture.read(fields, type);
  const path = findPrefix(weights, architecture.embeddingName, ["", ...architecture.prefixes]);
  const heads = architecture.heads(path, type, fields);
  const task = readTask(heads, fields, weights);
  const head = task && { ...task, config: headConfig(task, fields, weights) };
  const config: EncoderConfig = head ? { ...baseConfig, head: head.config } : baseConfig;
  const masked = task && task.task !== "pooler" ? undefined : heads.maskedToken;
  const hasMasked = masked !== undefined && weights.has(`${masked.dense}.weight`);
  if (!fields.flag("tie_word_embeddings", true) && hasMasked)
    fields.unsupported(
      "tie_word_embeddings",
      "true: the matrix of the head for masked tokens is the embedding",
    );
  fields.finish(ignoredFields(...architecture.ignored, ...(architecture.ignoredBy?.(baseConfig) ?? [])));
  const entries = [
    under("", path.replace(/\.$/, ""), tensors),
    ...(hasMasked ? maskedTokenTensors(config, masked, weights) : []),
    ...(head ? taskTensors(config, head.config, head.names, weights) : []),
  ];
  const params = (await readStored(entries, weights)) as EncoderParams;
  weights.finish(architecture.ignoredTensors);
  return { kind: "encoder", config, params };
}

type Task = { readonly task: TaskHeadConfig["task"]; readonly names: TaskHeadNames };

const suffixes = {
  sequence: "ForSequenceClassification",
  token: "ForTokenClassification",
  span: "ForQuestionAnswering",
  pooler: "Model",
} as const;

/** The head of the class in `architectures`; undefined without one. A base model may lack its pooler. */
function readTask(heads: EncoderHeads, fields: ConfigFields, weights: Weights): Task | undefined {
  const name = String(fields.list("architectures")?.[0] ?? "");
  for (const [task, suffix] of Object.entries(suffixes) as [keyof typeof suffixes, string][]) {
    const names = heads[task];
    if (!name.endsWith(suffix)) continue;
    if (task === "pooler" && !(names && weights.has(`${names.dense}.weight`))) continue;
    if (names) return { task, names };
    return fields.unsupported(
      "architectures",
      `a class whose head is known in this architecture, as ${suffixes.pooler}`,
    );
  }
  return undefined;
}

function headConfig({ task, names }: Task, fields: ConfigFields, weights: Weights): TaskHeadConfig {
  const { activation, normEps, output, pooling } = names;
  return {
    task,
    labels:
      task === "pooler"
        ? []
        : task === "span"
          ? ["start", "end"]
          : readLabels(`${output}.weight`, fields, weights),
    ...(activation !== undefined && { activation }),
    ...(normEps !== undefined && { normEps }),
    ...(pooling === "mean" && { pooling }),
    ...headScores(task, fields, weights.shape(`${output}.weight`)?.[0]),
  };
}

/** Names of the labels. Default: `LABEL_0` and so on, as many as the head has outputs. */
export function readLabels(name: string, fields: ConfigFields, weights: Weights): string[] {
  const labelFields = fields.nested("id2label");
  const count = labelFields?.unread(new Set()).length ?? weights.shape(name)?.[0] ?? 2;
  return Array.from({ length: count }, (_, i) => labelFields?.text(String(i)) ?? `LABEL_${i}`);
}

/** `scores` of a head: with a single label, a sigmoid, unless `problem_type` is regression. */
export function headScores(
  task: TaskHeadConfig["task"],
  fields: ConfigFields,
  count: number | undefined,
): Pick<TaskHeadConfig, "scores"> {
  const problem = fields.text("problem_type", "");
  if (task !== "sequence" && task !== "image") return {};
  if (problem === "regression") return { scores: "none" };
  if (problem === "multi_label_classification" || (problem === "" && count === 1))
    return { scores: "sigmoid" };
  return {};
}

function maskedTokenTensors(
  { vocabSize: V, embedDim: C, embeddingRank: E = C }: EncoderConfig,
  { dense, norm: gain, biases, biased = true }: MaskedTokenHeadNames,
  weights: Weights,
): StoredTensor[] {
  const bias = { bias: biased };
  return [
    linear("maskedTokenHead.dense", dense, [E, C], bias),
    norm("maskedTokenHead.norm", gain, E, bias),
    stored("maskedTokenHead.bias", biases.find(weights.has) ?? biases[0]!, [V]),
  ];
}

function taskTensors(
  { embedDim: C }: EncoderConfig,
  { labels }: TaskHeadConfig,
  { dense, norm: gain, output }: TaskHeadNames,
  weights: Weights,
): StoredTensor[] {
  // Heads are computed in floats: their matrices are not quantized on loading.
  const headLinear = (param: string, name: string, out: number, biased = weights.has(`${name}.bias`)) => [
    stored(`${param}.weight`, `${name}.weight`, [out, C], "table"),
    ...(biased ? [stored(`${param}.bias`, `${name}.bias`, [out])] : []),
  ];
  return [
    ...(dense === undefined ? [] : headLinear("head.dense", dense, C)),
    ...(gain === undefined ? [] : [norm("head.norm", gain, C)]),
    ...(output === undefined ? [] : headLinear("head.output", output, labels.length, true)),
  ];
}
