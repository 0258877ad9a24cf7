import {
  callSizes,
  isPaged,
  segmentLength,
  type AttentionCall,
  type AttentionOutputs,
} from "@qkv/attention-contract";
import type { ForwardContext } from "../../context.js";
import { Params } from "../../params.js";
import type { ViewLayout } from "../../store.js";
import { gridFor } from "../../wgsl/grid.js";
import type { TensorAccess } from "./call-layout.js";
import { addCallTables, withTables } from "./call-tables.js";
import { addScoreParams } from "./call-words.js";
import { expressionKey } from "./expression-text.js";
import { mergeText } from "./merge-text.js";
import { planTile } from "./plan-words.js";
import { scoreText } from "./score-text.js";
import { chunkTiles, rowsPerWorkgroup, splitText } from "./split-text.js";

/** Largest number of queries of a head for which the keys are split. More queries are enough work for a workgroup. */
const maxQueries = 8;
/** Largest number of parameters of a split, without those of the tables of its expression. */
const baseParams = 52;

/** True for calls that {@link decode} computes: few queries, no traces, no `weightMod`. */
export function isDecoding(call: AttentionCall<ViewLayout>): boolean {
  const { T, D, Dv, group } = callSizes(call);
  const { scoreMod, weightMod, traces } = call;
  const tables = scoreMod?.lookedUp.reduce((sum, { shape }) => sum + 1 + shape.length, 0) ?? 0;
  return (
    T <= maxQueries &&
    !weightMod &&
    traces.every((name) => name === "lse") &&
    baseParams + tables <= new Params().words.length &&
    Dv <= 1024 &&
    rowsPerWorkgroup(group * T, D) > 0
  );
}

/**
 * Attention of a few queries over many keys (decoding), as in Flash-Decoding: the keys of each segment, read in place, are
 * split over workgroups, and a second dispatch merges the partial results.
 */
export function decode<T extends ViewLayout>(
  context: ForwardContext,
  { plans, writeTables, storedRows }: TensorAccess<T>,
  call: AttentionCall<T>,
  outputs: AttentionOutputs<ViewLayout>,
): void {
  const { store, engine } = context;
  const { op } = store;
  const sizes = callSizes(call);
  const { B, H, Hkv, T, D, Dv, group } = sizes;
  const { query, keyValues, plan, scoreMod, sinks } = call;
  const segments = keyValues.key.map((key, i) => ({ key, value: keyValues.value[i]! }));
  // A row is a query of one of the heads that share a key-value head. A workgroup computes R of them.
  const rows = group * T;
  const R = rowsPerWorkgroup(rows, D);
  const parts = Math.ceil(rows / R);
  // The buffer has the words of the call, the block tables of its segments, and the plan.
  const callWords = addScoreParams(new Params(), call, sizes);
  const lists: Int32Array[] = [callWords.words];
  let end = callWords.words.length;
  const add = (list: Int32Array): number => {
    lists.push(list);
    end += list.length;
    return end - list.length;
  };
  const tableAt = (segment: (typeof segments)[number]["key"]): number =>
    isPaged(segment) ? add(segment.table.map((block) => Math.max(0, block))) : 0;
  const tablesAt = segments.map(({ key, value }) => [tableAt(key), tableAt(value)] as const);
  // The tile plan of the mask: for each tile, the offset of its mask bits · 4 + its class (0: masked, 1: partly visible,
  // 2: visible); then the bits.
  const planAt = add(Int32Array.from(plan.classes, (tileClass, tile) => plan.bitsAt[tile]! * 4 + tileClass));
  add(new Int32Array(plan.bits.buffer, plan.bits.byteOffset, plan.bits.length));
  const words = new Int32Array(end);
  lists.reduce((at, list) => (words.set(list, at), at + list.length), 0);
  const wordBuffer = plans.words.buffer(context, words);
  // Chunks begin at tiles of the plan.
  let at = 0;
  let chunks = 0;
  const placed = segments.map((segment, i) => {
    const [first, past] = [at, (at += segmentLength(segment.key))];
    const firstColumn = Math.floor(first / planTile);
    const endColumn = first === past ? firstColumn : Math.ceil(past / planTile);
    const numChunks = Math.ceil((endColumn - firstColumn) / chunkTiles);
    const place = { first, past, firstColumn, endColumn, firstChunk: chunks, chunks: numChunks };
    chunks += numChunks;
    return { ...segment, ...place, tablesAt: tablesAt[i]! };
  });
  const partials = engine.buffers.allocate(op, B * H * T * chunks * 16 * (1 + Math.ceil(Dv / 4)));
  try {
    withTables(context, writeTables, call, (tableBuffer) => {
      const readsTables = tableBuffer && scoreMod && scoreMod.tables.length > 0;
      for (const segment of placed) {
        const params = new Params();
        addScoreParams(params, call, sizes);
        params.u32("planAt", planAt).u32("rows", rows).u32("parts", parts).u32("chunks", chunks);
        params.u32("first", segment.first).u32("end", segment.past).u32("firstChunk", segment.firstChunk);
        params.u32("firstColumn", segment.firstColumn).u32("endColumn", segment.endColumn);
        const stored = [
          storedRows(context, params, "query", query, B, 0),
          storedRows(context, params, "key", segment.key, B, segment.tablesAt[0]),
          storedRows(context, params, "value", segment.value, B, segment.tablesAt[1]),
        ];
        addCallTables(params, call);
        const { listed } = callWords; // true if key positions are listed, since they are not consecutive
        const softcap = !!call.softcap;
        engine.record({
          op,
          key: [
            "split",
            ...[D, Dv, R, softcap, listed, !!readsTables, scoreMod ? expressionKey(scoreMod) : ""],
            ...stored.map(({ key }) => key),
          ].join(":"),
          text: () =>
            splitText({
              params,
              bindings: {
                ...Object.assign({}, ...stored.map(({ bindings }) => bindings)),
                words: "u32",
                ...(readsTables && { tables: "f32" }),
              } as Record<string, string>,
              text: `${stored.map(({ text }) => text).join("\n")}
${scoreText({
  softcap,
  listed,
  tableWord: readsTables ? (index) => `tables[${index}]` : undefined,
  scoreMod,
  weightMod: undefined,
  word: (index) => `words[${index}]`,
  planWord: (index) => `words[p.planAt + ${index}]`,
})}`,
              D,
              Dv,
              workgroupRows: R,
            }),
          reads: [...stored.flatMap(({ reads }) => reads), wordBuffer, ...(readsTables ? [tableBuffer] : [])],
          writes: [partials],
          params,
          groups: [segment.chunks, Hkv, B * parts],
        });
      }
      const params = new Params()
        .u32("rows", B * H * T)
        .u32("chunks", chunks)
        .u32("T", T)
        .u32("H", H);
      engine.record({
        op,
        key: `merge:${Dv}:${!!sinks}`,
        text: () => mergeText(params, Dv, !!sinks),
        reads: [partials, ...(sinks ? [tableBuffer!] : [])],
        writes: [store.write(outputs.output), store.write(outputs.lse)],
        params,
        groups: gridFor(B * H * T),
      });
    });
  } finally {
    engine.buffers.free(partials);
  }
}
