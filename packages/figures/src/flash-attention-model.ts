import {
  and,
  attention,
  causal,
  documents,
  maskTensor,
  prefix,
  slidingWindow,
  tracedAttention,
  type Mask,
} from "@qkv/attention";
import { tilePlan } from "@qkv/attention-contract";
import { checks } from "@qkv/core";
import { attentionTraffic } from "@qkv/cost";
import { mul, randn, slice, tensor, type Tensor } from "@qkv/tensor";
import {
  flashAttention,
  type FlashAttentionChoices,
  type FlashAttentionModel,
  type FlashMaskName,
  type FlashTile,
  type OnlineSoftmaxState,
} from "@qkv/viz/figures/flash-attention";

const D = 4;
const bytesPerNumber = 4;
const long = { numHeads: 8, headDim: 64, sramBytes: 196_608, limitBytes: 134_217_728 };
const lengths = [1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072];

const masks: Record<FlashMaskName, (tokens: number) => Mask | undefined> = {
  causal: () => causal(),
  none: () => undefined,
  window: () => slidingWindow(4),
  documents: (tokens) =>
    and(causal(), documents(Array.from({ length: tokens }, (_, t) => Number(t >= tokens / 2)))),
  prefix: (tokens) => prefix(tokens / 4),
};

/**
 * Computes the numbers of *FlashAttention*: queries, keys and values from a seed, one call of `attention`, and the running
 * maximum, sum and output accumulator after each tile of it. Tiles are classified by `tilePlan`; bytes of long sequences
 * are those of `attentionTraffic`.
 *
 * @throws {ArgumentError} If a choice is not one that the figure offers, or has another name.
 *
 * @example
 * ```ts
 * import { flashAttentionModel } from "@qkv/figures/flash-attention";
 *
 * const { tiles } = flashAttentionModel({ tokens: 8, tileSize: 4, mask: "causal" });
 * tiles.map(({ kind }) => kind); // => ["partial", "empty", "full", "partial"]
 * ```
 */
export function flashAttentionModel(choices: Partial<FlashAttentionChoices> = {}): FlashAttentionModel {
  const check = checks("flashAttentionModel");
  const known = Object.keys(flashAttention.initial) as (keyof FlashAttentionChoices)[];
  const { tileSize, mask, tokens, length } = { ...flashAttention.initial, ...check.options(choices, known) };
  check.oneOf({ tileSize }, [2, 4, 8]);
  check.oneOf({ mask }, Object.keys(masks) as FlashMaskName[]);
  check.oneOf({ tokens }, [8, 12, 16]);
  check.oneOf({ length }, lengths);

  const [query, key, value] = [4, 2, 3].map((seed) => mul(randn([1, 1, tokens, D], { seed }), 1.2)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const rule = masks[mask](tokens);
  const options = rule ? { mask: rule } : {};
  const { scores } = tracedAttention(query, key, value, options, ["scores"]);
  return {
    tileSize,
    mask,
    query: frame(query),
    key: frame(key),
    value: frame(value),
    output: frame(attention(query, key, value, options)),
    scores: frame(scores),
    tiles: flashTiles({ query, key, value, scores }, rule, tileSize),
    storedBytes: attentionTraffic({ batchSize: 1, numHeads: 1, length: tokens, headDim: D, bytesPerNumber })
      .stored.bytesMoved,
    long: { ...long, lengths: lengths.map(longAttention) },
  };
}

type Call = { query: Tensor; key: Tensor; value: Tensor; scores: Tensor };

/** Computes all tiles, block of queries by block of queries. */
function flashTiles(
  { query, key, value, scores }: Call,
  mask: Mask | undefined,
  tileSize: number,
): FlashTile[] {
  const N = query.shape[2]!;
  const visible = tensor(
    Array.from({ length: N }, (_, t) =>
      Array.from({ length: N }, (_, s) => scores.data[t * N + s]! > -Infinity),
    ),
  );
  const bound = mask?.bind({ queryLength: N, keyLength: N, batches: 1, heads: 1 });
  const blocks = Array.from({ length: Math.ceil(N / tileSize) }, (_, i): [number, number] => [
    i * tileSize,
    Math.min(N, (i + 1) * tileSize),
  ]);
  const bytes = ([start, end]: [number, number], matrices: number) =>
    matrices * (end - start) * D * bytesPerNumber;
  const tiles: FlashTile[] = [];
  let bytesMoved = 0;
  blocks.forEach((rows, row) => {
    const queries = slice(query, 2, ...rows);
    let before = empty(rows[1] - rows[0]);
    bytesMoved += bytes(rows, 1); // its queries are read
    blocks.forEach((columns, column) => {
      const kind = tileKind(bound, rows, columns);
      let after = before;
      if (kind !== "empty") {
        const end = columns[1];
        const traced = tracedAttention(
          queries,
          slice(key, 2, 0, end),
          slice(value, 2, 0, end),
          { mask: maskTensor(slice(slice(visible, 0, ...rows), 1, 0, end)) },
          ["scores", "lse"],
        );
        after = onlineSoftmaxState(traced);
        bytesMoved += bytes(columns, 2); // its keys and values are read
      }
      if (column === blocks.length - 1) bytesMoved += bytes(rows, 1); // the output is written
      tiles.push({ row, column, kind, before, after, bytesMoved });
      before = after;
    });
  });
  return tiles;
}

/** Class of a tile: full, partial or empty. */
function tileKind(
  bound: ReturnType<Mask["bind"]> | undefined,
  [firstQuery, lastQuery]: [number, number],
  [firstKey, lastKey]: [number, number],
): FlashTile["kind"] {
  const keys = Int32Array.from({ length: lastKey - firstKey }, (_, s) => firstKey + s);
  const extent = { batches: 1, heads: 1, queries: lastQuery - firstQuery, firstQuery, keyPositions: [keys] };
  const { classes } = tilePlan(bound, extent, false, false);
  return (["empty", "partial", "full"] as const)[classes[0]!]!;
}

/** The online-softmax state m, l, o of attention over the first keys. */
function onlineSoftmaxState({
  output,
  scores,
  lse,
}: {
  output: Tensor;
  scores: Tensor;
  lse: Tensor;
}): OnlineSoftmaxState {
  const [T, S] = scores.shape.slice(-2) as [number, number];
  const max = Array.from({ length: T }, (_, t) => Math.max(...scores.data.slice(t * S, (t + 1) * S)));
  const sum = max.map((m, t) => (m === -Infinity ? 0 : Math.exp(lse.data[t]! - m)));
  const accumulator = sum.map((l, t) => Array.from(output.data.slice(t * D, (t + 1) * D), (o) => o * l));
  return { max, sum, accumulator };
}

const empty = (queries: number): OnlineSoftmaxState => ({
  max: new Array<number>(queries).fill(-Infinity),
  sum: new Array<number>(queries).fill(0),
  accumulator: Array.from({ length: queries }, () => new Array<number>(D).fill(0)),
});

function longAttention(length: number) {
  const { numHeads, headDim, sramBytes } = long;
  const call = { batchSize: 1, numHeads, length, headDim, bytesPerNumber, sramBytes };
  const { stored, tiled } = attentionTraffic(call);
  return {
    length,
    scoreBytes: numHeads * length ** 2 * bytesPerNumber,
    storedBytes: stored.bytesMoved,
    tiledBytes: tiled.bytesMoved,
  };
}

/** The matrix of the single head as plain numbers. */
function frame(x: Tensor): { data: number[]; shape: [number, number] } {
  return { data: Array.from(x.data, Number), shape: x.shape.slice(-2) as [number, number] };
}
