import {
  callSizes,
  handledAll,
  isPaged,
  segmentLength,
  type AttentionCall,
  type Expression,
  type KeyValueSegment,
} from "@qkv/attention-contract";
import type { View } from "@qkv/tensor";
import { bitsOf, type Call, type Placed } from "../call.js";
import { programOf, type Program } from "./program.js";

/** Where results go; and what only backward reads and writes. */
export type RequestPlaces = {
  readonly output: Placed;
  readonly lse: Placed;
  /** Gradients that reached the output and the logarithms; undefined where none did. */
  readonly dOutput?: Placed | undefined;
  readonly dLse?: Placed | undefined;
  readonly dQuery?: Placed;
  readonly dKeys?: readonly Placed[];
  readonly dValues?: readonly Placed[];
  /** Where partial gradients of sinks and tables go. */
  readonly dSinks?: number;
  readonly dTables?: number;
  readonly dTableStep?: number;
  readonly partials?: number;
};

/** Adds how one segment of keys or values lies. */
function pushSegment(words: number[], call: Call, segment: KeyValueSegment<Placed>, B: number): void {
  if (!isPaged(segment)) return pushTensor(words, segment);
  const { data, scale, table, blockLength } = segment;
  const { shape, strides } = data;
  const scales = scale ? [scale.pointer, ...steps(scale)] : [0, 0, 0, 0, 0];
  // Where a batch is shorter than others its table may name anything.
  const known = table.map((block) => (block < 0 || block >= shape[0]! ? 0 : block));
  words.push(segmentLength(segment), data.pointer, ...strides);
  words.push(call.copy(known), table.length / B, blockLength, ...scales);
}

/** A segment that is one tensor: eight words are for blocks alone. */
function pushTensor(words: number[], { pointer, shape, strides }: Placed): void {
  const [batch, head, row, column] = strides as [number, number, number, number];
  words.push(shape[2]!, pointer, batch, head, row, column, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** A tensor that may be missing: where it begins, and its strides along `axes` axes. */
function pushStrided(words: number[], one: Placed | undefined, axes: number): void {
  words.push(one?.pointer ?? 0);
  for (let axis = 0; axis < axes; axis++) words.push(one?.strides[axis] ?? 0);
}

/** Strides that stand still along axes of length 1. */
function steps({ shape, strides }: Placed): number[] {
  return strides.map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
}

export type Programs = { readonly score: Program | undefined; readonly weight: Program | undefined };

/** The programs of a call's expressions, or undefined where the kernels lack a step. */
export function programsOf({ scoreMod, weightMod }: AttentionCall<View>): Programs | undefined {
  const score = scoreMod && programOf(scoreMod);
  const weight = weightMod && programOf(weightMod);
  if ((scoreMod && !score) || (weightMod && !weight)) return undefined;
  return { score, weight };
}

/**
 * Writes a call of attention to memory, as assembly/request.ts reads it: 32-bit words, in that order.
 *
 * @returns Where the request begins.
 */
export function writeRequest(
  call: Call,
  request: AttentionCall<Placed>,
  programs: Programs,
  to: RequestPlaces,
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
    want: _, // traces run on the plain device
    ...rest
  } = request;
  handledAll(rest);
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
  const program = (own: Program | undefined, mod: Expression<Placed> | undefined) =>
    own && mod ? call.copy(own.words(mod.tables.map(({ pointer }) => pointer))) : 0;
  const words = [H, T, S, D, Dv, group];
  words.push(bitsOf(scale), bitsOf(softcap), plan.rows, plan.columns);
  words.push(plan.batches === 1 ? 0 : plan.heads * tiles, plan.heads === 1 ? 0 : tiles);
  words.push(classes, bitsAt, bits);
  pushStrided(words, query, 4);
  words.push(to.output.pointer, to.lse.pointer);
  words.push(program(programs.score, scoreMod), program(programs.weight, weightMod));
  words.push(sinks?.pointer ?? 0, sinks?.strides[0] ?? 0, firstQueries);
  words.push(listed ? call.copy(listed) : 0, listed && listed.length === B * S ? S : 0);
  words.push("start" in positions ? positions.start : 0);
  pushStrided(words, to.dOutput, 4);
  pushStrided(words, to.dLse, 3);
  words.push(to.dQuery?.pointer ?? 0, to.dSinks ?? 0, to.dTables ?? 0, to.dTableStep ?? 0);
  words.push(to.partials ?? 0, key.length);
  for (const segment of key) pushSegment(words, call, segment, B);
  for (const segment of value) pushSegment(words, call, segment, B);
  for (const gradient of to.dKeys ?? []) pushTensor(words, gradient);
  for (const gradient of to.dValues ?? []) pushTensor(words, gradient);
  return call.write(words);
}
