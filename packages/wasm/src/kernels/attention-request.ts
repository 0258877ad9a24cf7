import {
  callSizes,
  differByHead,
  assertExhaustive,
  isPaged,
  segmentLength,
  type AttentionCall,
  type Expression,
  type KeyValueSegment,
} from "@qkv/attention-contract";
import type { View } from "@qkv/tensor";
import { attentionRequestWords, keyValueSegmentWords, type AttentionRequest } from "../binaries/layout.js";
import type { Call, DeviceTensor } from "../call.js";
import { compileProgram, type Program } from "./program.js";

/** Addresses of the results, and of the tensors of the backward pass. */
export type RequestTensors = { readonly output: DeviceTensor; readonly lse: DeviceTensor } & Partial<
  Pick<
    AttentionRequest,
    "dOutput" | "dLse" | "dSinks" | "dTables" | "dTableStep" | "partials" | "partialBytes" | "chunkTiles"
  >
> & {
    readonly dQuery?: DeviceTensor;
    readonly dKeys?: readonly DeviceTensor[];
    readonly dValues?: readonly DeviceTensor[];
  };

/** The words of a segment of keys or values. */
function segmentWords(call: Call, segment: KeyValueSegment<DeviceTensor>, B: number): number[] {
  if (!isPaged(segment)) return tensorWords(segment);
  const { data, scale, table, blockLength } = segment;
  // Entries of the block table after the end of a sequence may be invalid.
  const validTable = table.map((block) => (block < 0 || block >= data.shape[0]! ? 0 : block));
  return keyValueSegmentWords({
    length: segmentLength(segment),
    data,
    table: call.copy(validTable),
    blocks: table.length / B,
    blockLength,
    scale: scale && { pointer: scale.pointer, strides: broadcastStrides(scale) },
  });
}

/** The words of a segment that is a single tensor. */
function tensorWords(data: DeviceTensor): number[] {
  const length = data.shape[2]!;
  return keyValueSegmentWords({ length, data, table: 0, blocks: 0, blockLength: 0, scale: undefined });
}

/** Strides, 0 along axes of length 1 (broadcast). */
function broadcastStrides({ shape, strides }: DeviceTensor): number[] {
  return strides.map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
}

export type Programs = { readonly score: Program | undefined; readonly weight: Program | undefined };

/** Compiles the expressions of a call to programs. Undefined if the kernels do not support one of their steps. */
export function compilePrograms(call: AttentionCall<View>): Programs | undefined {
  const { scoreMod, weightMod, keyValues } = call;
  const { B, S } = callSizes(call);
  // Expressions read key positions per batch, not per head. Masks are in the plan.
  if ((scoreMod || weightMod) && differByHead(keyValues.positions, B, S)) return undefined;
  const score = scoreMod && compileProgram(scoreMod);
  const weight = weightMod && compileProgram(weightMod);
  if ((scoreMod && !score) || (weightMod && !weight)) return undefined;
  return { score, weight };
}

/**
 * Writes the request of an attention call to memory.
 *
 * @returns The address of the request.
 */
export function writeRequest(
  call: Call,
  request: AttentionCall<DeviceTensor>,
  programs: Programs,
  to: RequestTensors,
): number {
  const {
    query,
    keyValues: { key, value, positions },
    firstQuery,
    scale,
    softcap = 0,
    sinks,
    plan,
    scoreMod,
    weightMod,
    traces: _, // a separate call computes traced weights as its output
    ...rest
  } = request;
  assertExhaustive(rest);
  const { B, H, T, S, D, Dv, group } = callSizes(request);
  const tiles = plan.rows * plan.columns;
  const listed = "start" in positions ? undefined : positions;
  const first = typeof firstQuery === "number" ? new Int32Array(B).fill(firstQuery) : firstQuery;
  const [classes, bitsAt, bits, firstQueries] = call.copyAll([
    plan.classes,
    plan.bitsAt,
    plan.bits,
    first,
  ]) as [number, number, number, number];
  const programAddress = (compiled: Program | undefined, mod: Expression<DeviceTensor> | undefined) =>
    compiled && mod ? call.copy(compiled.words(mod.tables.map(({ pointer }) => pointer))) : 0;
  const words = attentionRequestWords({
    heads: H,
    queries: T,
    keys: S,
    dim: D,
    valueDim: Dv,
    group,
    scale,
    softcap,
    rows: plan.rows,
    columns: plan.columns,
    planBatch: plan.batches === 1 ? 0 : plan.heads * tiles,
    planHead: plan.heads === 1 ? 0 : tiles,
    classes,
    bitsAt,
    bits,
    query,
    output: to.output.pointer,
    lse: to.lse.pointer,
    scoreMod: programAddress(programs.score, scoreMod),
    weightMod: programAddress(programs.weight, weightMod),
    sinks: sinks?.pointer ?? 0,
    sinkStep: sinks?.strides[0] ?? 0,
    firstQueries,
    positions: listed ? call.copy(listed) : 0,
    positionBatch: listed && listed.length === B * S ? S : 0,
    firstKey: "start" in positions ? positions.start : 0,
    dOutput: to.dOutput,
    dLse: to.dLse,
    dQuery: to.dQuery?.pointer ?? 0,
    dSinks: to.dSinks ?? 0,
    dTables: to.dTables ?? 0,
    dTableStep: to.dTableStep ?? 0,
    partials: to.partials ?? 0,
    partialBytes: to.partialBytes ?? 0,
    chunkTiles: to.chunkTiles ?? 0,
    segments: key.length,
  });
  for (const segment of key) words.push(...segmentWords(call, segment, B));
  for (const segment of value) words.push(...segmentWords(call, segment, B));
  for (const gradient of to.dKeys ?? []) words.push(...tensorWords(gradient));
  for (const gradient of to.dValues ?? []) words.push(...tensorWords(gradient));
  return call.write(words);
}
