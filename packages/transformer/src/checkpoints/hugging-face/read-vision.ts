import { checks, FormatError, knownNames } from "@qkv/core";
import { checkpointsCommand } from "../checkpoints-command.js";
import { configFields, type ConfigFields } from "../../architectures/config-fields.js";
import { readStored, stored, under, type StoredTensor } from "../../architectures/stored-tensor.js";
import {
  dualEncoderArchitectures,
  visionArchitectures,
} from "../../architectures/vision/vision-architectures.js";
import type { TaskHeadNames } from "../../architectures/encoders/encoder-architecture.js";
import type { VisionArchitecture } from "../../architectures/vision/vision-architecture.js";
import type { ReadFile } from "../../loading/open-file.js";
import type { Weights } from "../../loading/weights.js";
import type { DualEncoderParams } from "../../models/dual-encoder.js";
import { pooledWidth, type TaskHeadConfig } from "../../models/task-head.js";
import type { VisionTransformerParams } from "../../models/vision-transformer.js";
import { findPrefix, type DualEncoderCheckpoint, type VisionCheckpoint } from "./family.js";
import { ignoredFields } from "./fields-without-effect.js";
import { readLabels, headScores } from "./read-encoder.js";

/** Reads a vision transformer, with its head if the file has one. */
export async function readVision(json: unknown, file: ReadFile, weights: Weights): Promise<VisionCheckpoint> {
  const fields = configFields(json, file);
  const architecture = findArchitecture(visionArchitectures, fields, file, "`loadDualEncoder` or `loadAny`");
  const { config: baseConfig, tensors } = architecture.read(fields);
  const path = findPrefix(weights, architecture.first, ["", ...architecture.prefixes]);
  const head = readHead(architecture, path, fields, weights);
  const config = head ? { ...baseConfig, head: head.config } : baseConfig;
  fields.finish(ignoredFields(...architecture.ignored));
  const params = await readTensors(
    [under("", path.replace(/\.$/, ""), tensors), ...(head ? head.tensors(baseConfig.embedDim) : [])],
    weights,
    architecture.ignoredTensors,
  );
  return { kind: "vision", config, params: params as VisionTransformerParams };
}

/** Reads a dual encoder. */
export async function readDualEncoder(
  json: unknown,
  file: ReadFile,
  weights: Weights,
): Promise<DualEncoderCheckpoint> {
  const fields = configFields(json, file);
  const architecture = findArchitecture(dualEncoderArchitectures, fields, file, "`loadVision` or `loadAny`");
  const { config, tensors } = architecture.read(fields);
  fields.finish(ignoredFields(...architecture.ignored));
  const params = await readTensors(tensors, weights, architecture.ignoredTensors);
  return { kind: "dual-encoder", config, params: params as DualEncoderParams };
}

async function readTensors(
  tensors: readonly StoredTensor[],
  weights: Weights,
  ignored: RegExp,
): Promise<object> {
  const params = await readStored(tensors, weights);
  weights.finish(ignored);
  return params;
}

function findArchitecture<Table extends { readonly modelTypes: readonly string[] }>(
  tables: readonly Table[],
  fields: ConfigFields,
  file: ReadFile,
  others: string,
): Table {
  const type = fields.text("model_type");
  const architecture = tables.find(({ modelTypes }) => modelTypes.includes(type));
  if (architecture) return architecture;
  const known = tables.flatMap(({ modelTypes }) => modelTypes);
  return checks(file.fn, { source: file.name }, FormatError).refuse({
    argument: "model_type",
    received: type,
    expected: `one of ${knownNames(type, known, checkpointsCommand)}`,
    fix: `load another kind of model with ${others}.`,
  });
}

/** The head of the class in `architectures`, or the pooler if the file has one; undefined without either. */
function readHead(
  { heads }: VisionArchitecture,
  path: string,
  fields: ConfigFields,
  weights: Weights,
): { config: TaskHeadConfig; tensors(embedDim: number): StoredTensor[] } | undefined {
  const { pooler, image } = heads(path, fields);
  const className = String(fields.list("architectures")?.[0] ?? "");
  const hasLabels = /ForImageClassification(WithTeacher)?$/.test(className);
  if (!hasLabels && !(pooler && weights.has(`${pooler.dense}.weight`))) return undefined;
  const [task, names] = hasLabels ? (["image", image] as const) : (["pooler", pooler!] as const);
  const { activation, output, pooling, distillation } = names;
  const config: TaskHeadConfig = {
    task,
    labels: hasLabels ? readLabels(`${output}.weight`, fields, weights) : [],
    ...(activation !== undefined && { activation }),
    ...(pooling !== undefined && { pooling }),
    ...(distillation !== undefined && { distillation: true }),
    ...headScores(task, fields, weights.shape(`${output}.weight`)?.[0]),
  };
  return { config, tensors: (C) => headTensors(C, config, names) };
}

/** Projections of a head, which are not quantized. */
export function headTensors(
  C: number,
  config: TaskHeadConfig,
  { dense, output, distillation }: TaskHeadNames,
): StoredTensor[] {
  const headLinear = (param: string, name: string, out: number, inner: number): StoredTensor[] => [
    stored(`head.${param}.weight`, `${name}.weight`, [out, inner]),
    stored(`head.${param}.bias`, `${name}.bias`, [out]),
  ];
  return [
    ...(dense === undefined ? [] : headLinear("dense", dense, C, C)),
    ...(output === undefined
      ? []
      : headLinear("output", output, config.labels.length, pooledWidth(config, C))),
    ...(distillation === undefined ? [] : headLinear("distillation", distillation, config.labels.length, C)),
  ];
}
