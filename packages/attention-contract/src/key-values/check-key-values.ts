import { isPacked, refuse, refuseShape, sameShape, type Shape } from "@qkv/core";
import { checkTensor, type Tensor } from "@qkv/tensor";
import { isPaged, segmentLength } from "./segments.js";
import { checkPagedBlocks } from "./check-paged-blocks.js";
import type { KeyValues, KeyValueSegment } from "./key-values.js";

/**
 * Refuses a query, keys and values whose shapes or types do not fit together.
 *
 * @param query - `[B, H, T, D]`, float32 or float64.
 * @param keyValues - Segments of keys `[B, Hkv, Sᵢ, D]`, with Hkv a divisor of H, and equally many segments of values
 *   `[B, Hkv, Sᵢ, Dv]`.
 * @throws {ShapeError} If a shape is another one.
 * @throws {ArgumentError} If types differ, segments are missing, or there is not one position per key.
 */
export function checkKeyValues(fn: string, query: Tensor, keyValues: KeyValues): void {
  checkTensor(fn, "query", query);
  const { key: keys, value: values, positions } = (keyValues ?? {}) as KeyValues;
  if (!Array.isArray(keys) || !Array.isArray(values) || typeof positions !== "object" || !positions) {
    const fix = "pass what a cache returns, or `{ key: [key], value: [value], positions: { start: 0 } }`.";
    refuse(fn, "keyValues", keyValues, "segments of keys and values with their positions", fix);
  }
  if (query.dtype !== "float32" && query.dtype !== "float64") {
    refuse(
      fn,
      "query",
      query.dtype,
      "of type float32 or float64",
      'compute in one of them: `cast(query, "float32")`.',
    );
  }
  checkQueryShape(fn, query.shape);
  const B = query.shape[0]!;
  if (keys.length === 0 || keys.length !== values.length) {
    refuse(
      fn,
      "keyValues",
      `${keys.length} key and ${values.length} value segments`,
      "as many of each, at least one",
      "give one segment of values for each segment of keys; no keys at all are one segment of length 0.",
    );
  }
  keys.forEach((key, i) => {
    const value = values[i]!;
    checkPagedBlocks(fn, "key", key, query);
    checkPagedBlocks(fn, "value", value, query);
    const first = i > 0 ? { Hkv: shapeOf(keys[0]!, B)[1]!, Dv: shapeOf(values[0]!, B)[3]! } : undefined;
    checkHeads(fn, query.shape, shapeOf(key, B), shapeOf(value, B), first);
    checkType(fn, "key", key, query);
    checkType(fn, "value", value, query);
  });
  const S = keys.reduce((sum, segment) => sum + segmentLength(segment), 0);
  checkPositions(fn, positions, [B, shapeOf(keys[0]!, B)[1]!, S]);
}

/** Refuses a query that is not `[B, H, T, D]`. */
export function checkQueryShape(fn: string, shape: Shape): void {
  if (shape.length === 4) return;
  const fix = "add the axes that are missing with `reshape`.";
  refuseShape(fn, "query", shape, "[B, H, T, D]: batch, heads, queries, head size", fix);
}

/**
 * Refuses keys and values that do not fit a query `[B, H, T, D]`.
 *
 * @param first - Key-value heads and width of values of the first segment. Default: this is the first segment.
 */
export function checkHeads(
  fn: string,
  query: Shape,
  key: Shape,
  value: Shape,
  first?: { readonly Hkv: number; readonly Dv: number },
): void {
  const [B, H, , D] = query as [number, number, number, number];
  const { Hkv, Dv } = first ?? { Hkv: key[1]!, Dv: value[3]! };
  if (!sameShape(key, [B, Hkv, key[2]!, D]) || H % Hkv !== 0) {
    const expected = `[${B}, numKvHeads, S, ${D}] with numKvHeads a divisor of numHeads = ${H}`;
    const fix = `project keys and values to a number of heads that divides ${H}.`;
    refuseShape(fn, "key", key, expected, fix);
  }
  if (!sameShape(value, [B, Hkv, key[2]!, Dv])) {
    const width = first ? Dv : "headDim of your choice";
    const expected = `[${B}, ${Hkv}, ${key[2]}, ${width}], since key is [${key.join(", ")}]`;
    refuseShape(fn, "value", value, expected, "give one value for each key.");
  }
}

/**
 * Refuses a segment whose type is not that of the query. With a float32 query, keys and values may be float16 or bfloat16, the types
 * of `isPacked`; quantized ones have a scale, whose type is checked instead.
 */
function checkType(fn: string, argument: string, segment: KeyValueSegment, query: Tensor): void {
  const scale = isPaged(segment) ? segment.scale : undefined;
  const x = scale ?? (isPaged(segment) ? segment.data : segment);
  if (x.dtype === query.dtype || (!scale && isPacked(x.dtype) && query.dtype === "float32")) return;
  refuseType(fn, argument, x, query);
}

/** The shape `[B, Hkv, S, D]` of a tensor, or of the keys or values in paged blocks. */
function shapeOf(segment: KeyValueSegment, B: number): Shape {
  if (!isPaged(segment)) return segment.shape;
  const { shape } = segment.data;
  return [B, shape[1]!, segmentLength(segment), shape[3]!];
}

function checkPositions(
  fn: string,
  positions: KeyValues["positions"],
  [B, Hkv, S]: readonly [number, number, number],
): void {
  if ("start" in positions) {
    if (Number.isInteger(positions.start) && positions.start >= 0) return;
    const fix = "give the position of the first key; 0 at the start of a sequence.";
    refuse(fn, "positions.start", positions.start, "an integer, 0 or more", fix);
  }
  if (ArrayBuffer.isView(positions) && [S, B * S, B * Hkv * S].includes(positions.length)) return;
  refuse(
    fn,
    "positions",
    `${positions.length} positions`,
    `S = ${S} of them, B · S = ${B * S}, or B · Hkv · S = ${B * Hkv * S}`,
    "give the position of each key, or `{ start }` for keys without gaps.",
  );
}

/** Refuses sinks that are not `[H]` or have another type than the query. */
export function checkSinks(fn: string, sinks: Tensor, query: Tensor): void {
  const { shape } = checkTensor(fn, "sinks", sinks);
  const H = query.shape[1]!;
  if (shape.length !== 1 || shape[0] !== H) {
    const expected = `[${H}]: one logit for each query head`;
    refuseShape(fn, "sinks", shape, expected, "give as many logits as heads.");
  }
  if (sinks.dtype !== query.dtype) refuseType(fn, "sinks", sinks, query);
}

/** Throws the error for a tensor whose type differs from that of the query. */
export function refuseType(fn: string, argument: string, x: Tensor, query: Tensor): never {
  const fix = `use \`cast(${argument}, "${query.dtype}")\`, or cast the query.`;
  refuse(fn, argument, x.dtype, `of type ${query.dtype}, as the query is`, fix);
}
