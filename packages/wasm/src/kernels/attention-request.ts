import type { AttentionRequest, View } from "@qkv/tensor";
import type { Call } from "../call.js";
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
};

/** Inputs of a call by their place in the list. */
export function inputPlaces({ parts, scoreMod, weightMod }: AttentionRequest) {
  const tables = 1 + 2 * parts;
  const scoreTables = tables + (scoreMod?.tables.length ?? 0);
  return { parts, tables, scoreTables, end: scoreTables + (weightMod?.tables.length ?? 0) };
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
  const keys = inputs.slice(1, 1 + parts);
  const values = inputs.slice(1 + parts, tables);
  const [B, H, T, D] = query.shape as [number, number, number, number];
  const S = keys.reduce((sum, { shape }) => sum + shape[2]!, 0);
  const tiles = plan.rows * plan.columns;
  const listed = "start" in positions ? undefined : positions;
  const part = ({ shape, strides }: View, pointer: number) => [shape[2]!, pointer, ...strides];
  const placed = (list: readonly Placed[] = []) => list.flatMap(({ view, pointer }) => part(view, pointer));
  const strided = (one: Placed | undefined, axes: number) =>
    one ? [one.pointer, ...one.view.strides] : new Array<number>(1 + axes).fill(0);
  const words = new Uint32Array([
    ...[H, T, S, D, values[0]!.shape[3]!, H / keys[0]!.shape[1]!],
    ...new Uint32Array(new Float32Array([scale, softcap]).buffer),
    ...[plan.rows, plan.columns, plan.batches === 1 ? 0 : plan.heads * tiles, plan.heads === 1 ? 0 : tiles],
    ...[call.copy(plan.classes), call.copy(plan.bitsAt), call.copy(plan.bits)],
    ...[pointers[0]!, ...query.strides],
    ...[to.output.pointer, to.lse.pointer],
    programs.score ? call.copy(programs.score.words(pointers.slice(tables, scoreTables))) : 0,
    programs.weight ? call.copy(programs.weight.words(pointers.slice(scoreTables, end))) : 0,
    ...(hasSinks ? [pointers[end]!, inputs[end]!.strides[0]!] : [0, 0]),
    typeof firstQuery === "number" ? firstQuery : 0, // expressions alone read it
    listed ? call.copy(listed) : 0,
    listed && listed.length === B * S ? S : 0,
    "start" in positions ? positions.start : 0,
    ...strided(to.dOutput, 4),
    ...strided(to.dLse, 3),
    ...[to.dQuery?.pointer ?? 0, to.dSinks ?? 0, to.dTables ?? 0, to.dTableStep ?? 0],
    parts,
    ...keys.flatMap((view, i) => part(view, pointers[1 + i]!)),
    ...values.flatMap((view, i) => part(view, pointers[1 + parts + i]!)),
    ...placed(to.dKeys),
    ...placed(to.dValues),
  ]);
  return call.copy(words);
}
