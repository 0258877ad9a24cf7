import type { AttentionRequest } from "@qkv/attention-contract";
import type { View } from "@qkv/tensor";
import { bitsOf, type Call } from "../call.js";
import { programOf } from "./program.js";

/** The inputs of one call, told apart, each with the address of its first number. */
type Placed = { readonly view: View; readonly pointer: number };

/** What only backward needs. */
export type BackwardPlaces = {
  readonly output: Placed;
  readonly lse: Placed;
  /** What reached the output and the logarithms; undefined where nothing did. */
  readonly dOutput: Placed | undefined;
  readonly dLse: Placed | undefined;
  readonly dQuery: Placed;
  readonly dKeys: readonly Placed[];
  readonly dValues: readonly Placed[];
  /** Where partial gradients of sinks and tables go. */
  readonly dSinks: number;
  readonly dTables: number;
  readonly dTableStep: number;
  readonly partials: number;
};

/** Inputs of a call by their place in the list. */
export function inputPlaces({ parts, scoreMod, weightMod, hasSinks }: AttentionRequest) {
  const tables = 1 + 2 * parts;
  const scoreTables = tables + (scoreMod?.tables.length ?? 0);
  const end = scoreTables + (weightMod?.tables.length ?? 0);
  return { parts, tables, scoreTables, end, scales: end + (hasSinks ? 1 : 0) };
}

/** Keys that are stored. */
export function storedLength({ parts, layouts }: AttentionRequest, inputs: readonly View[]): number {
  let length = 0;
  for (let i = 0; i < parts; i++) length += layouts?.[i]?.length ?? inputs[1 + i]!.shape[2]!;
  return length;
}

/** Adds how each part of keys, and then of values, lies. */
function pushParts(
  words: number[],
  call: Call,
  request: AttentionRequest,
  inputs: readonly View[],
  pointers: readonly number[],
): void {
  let scale = inputPlaces(request).scales;
  for (let i = 0; i < 2 * request.parts; i++) {
    const layout = request.layouts?.[i];
    const view = inputs[1 + i]!;
    const pointer = pointers[1 + i]!;
    if (!layout) {
      pushTensor(words, view, pointer);
      continue;
    }
    const { table, blockLength, length, scaled } = layout;
    const blocks = table.length / inputs[0]!.shape[0]!;
    const scales = scaled ? [pointers[scale]!, ...steps(inputs[scale++]!)] : [0, 0, 0, 0, 0];
    // Where a batch is shorter than others its table may name anything.
    const known = table.map((block) => (block < 0 || block >= view.shape[0]! ? 0 : block));
    words.push(length, pointer, ...view.strides, call.copy(known), blocks, blockLength, ...scales);
  }
}

/** A part that is one tensor: eight words are for blocks alone. */
function pushTensor(words: number[], { shape, strides }: View, pointer: number): void {
  const [batch, head, row, column] = strides as [number, number, number, number];
  words.push(shape[2]!, pointer, batch, head, row, column, 0, 0, 0, 0, 0, 0, 0, 0);
}

/** A tensor that may be missing: where it begins, and its strides along `axes` axes. */
function pushStrided(words: number[], one: Placed | undefined, axes: number): void {
  words.push(one?.pointer ?? 0);
  for (let axis = 0; axis < axes; axis++) words.push(one?.view.strides[axis] ?? 0);
}

/** Strides that stand still along axes of length 1. */
function steps({ shape, strides }: View): number[] {
  return strides.map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
}

/** The programs of a call's expressions, or undefined where the kernels lack a step. */
export function programsOf(request: AttentionRequest, inputs: readonly View[]) {
  const { tables, scoreTables, end } = inputPlaces(request);
  const { scoreMod, weightMod } = request;
  const score = scoreMod && programOf(scoreMod, inputs.slice(tables, scoreTables));
  const weight = weightMod && programOf(weightMod, inputs.slice(scoreTables, end));
  if ((scoreMod && !score) || (weightMod && !weight)) return undefined;
  return { score, weight };
}

/**
 * Writes a call of attention to memory, as assembly/request.ts reads it: 32-bit words, in that order.
 *
 * @param pointers - Where the inputs begin.
 * @param backward - For forward, only where output and lse go.
 * @returns Where the request begins.
 */
export function writeRequest(
  call: Call,
  request: AttentionRequest,
  programs: NonNullable<ReturnType<typeof programsOf>>,
  inputs: readonly View[],
  pointers: readonly number[],
  to: Pick<BackwardPlaces, "output" | "lse"> & Partial<BackwardPlaces>,
): number {
  const { plan, parts, positions, scale, softcap, firstQuery, hasSinks } = request;
  const { tables, scoreTables, end } = inputPlaces(request);
  const query = inputs[0]!;
  const [B, H, T, D] = query.shape as [number, number, number, number];
  const S = storedLength(request, inputs);
  const tiles = plan.rows * plan.columns;
  const listed = "start" in positions ? undefined : positions;
  const first = typeof firstQuery === "number" ? new Int32Array(B).fill(firstQuery) : firstQuery;
  const [classes, bitsAt, bits, firstQueries] = call.copyAll([
    plan.classes,
    plan.bitsAt,
    plan.bits,
    first,
  ]) as [number, number, number, number];
  const words = [H, T, S, D, inputs[1 + parts]!.shape[3]!, H / inputs[1]!.shape[1]!];
  words.push(bitsOf(scale), bitsOf(softcap), plan.rows, plan.columns);
  words.push(plan.batches === 1 ? 0 : plan.heads * tiles, plan.heads === 1 ? 0 : tiles);
  words.push(classes, bitsAt, bits);
  pushStrided(words, { view: query, pointer: pointers[0]! }, 4);
  words.push(to.output.pointer, to.lse.pointer);
  words.push(programs.score ? call.copy(programs.score.words(pointers.slice(tables, scoreTables))) : 0);
  words.push(programs.weight ? call.copy(programs.weight.words(pointers.slice(scoreTables, end))) : 0);
  words.push(hasSinks ? pointers[end]! : 0, hasSinks ? inputs[end]!.strides[0]! : 0, firstQueries);
  words.push(listed ? call.copy(listed) : 0, listed && listed.length === B * S ? S : 0);
  words.push("start" in positions ? positions.start : 0);
  pushStrided(words, to.dOutput, 4);
  pushStrided(words, to.dLse, 3);
  words.push(to.dQuery?.pointer ?? 0, to.dSinks ?? 0, to.dTables ?? 0, to.dTableStep ?? 0);
  words.push(to.partials ?? 0, parts);
  pushParts(words, call, request, inputs, pointers);
  for (const { view, pointer } of to.dKeys ?? []) pushTensor(words, view, pointer);
  for (const { view, pointer } of to.dValues ?? []) pushTensor(words, view, pointer);
  return call.write(words);
}
