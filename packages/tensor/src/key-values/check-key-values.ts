import { refuse, refuseShape } from "@qkv/core";
import type { KeyValues, Part } from "../contracts.js";
import { checkTensor } from "../op.js";
import type { Tensor } from "../tensor.js";
import { isBlocks, partLength } from "./blocks.js";
import { checkBlocks } from "./check-blocks.js";

/**
 * Refuses a query, keys and values that do not fit together.
 *
 * @param query - `[B, H, T, D]`, of type float32 or float64.
 * @param keyValues - `Hkv`, a divisor of `H`, heads of keys `D` wide; as many value parts as key parts, of equal lengths.
 * @throws {ShapeError} If shapes differ from that.
 * @throws {ArgumentError} If types differ, parts are missing or positions do not tell a place for each key.
 */
export function checkKeyValues(
  fn: string,
  query: Tensor,
  { key: keys, value: values, positions }: KeyValues,
): void {
  checkTensor(fn, "query", query);
  if (query.dtype !== "float32" && query.dtype !== "float64") {
    refuse(
      fn,
      "query",
      query.dtype,
      "of type float32 or float64",
      'compute in one of them: `cast(query, "float32")`.',
    );
  }
  if (query.shape.length !== 4) {
    refuseShape(
      fn,
      "query",
      query.shape,
      "[B, H, T, D]: batch, heads, queries, head size",
      "add the axes that are missing with `reshape`.",
    );
  }
  const [B, H, , D] = query.shape as [number, number, number, number];
  if (keys.length === 0 || keys.length !== values.length) {
    refuse(
      fn,
      "keyValues",
      `${keys.length} key and ${values.length} value parts`,
      "as many of each, at least one",
      "give one value part for each key part; no keys at all are one part of length 0.",
    );
  }
  keys.forEach((key, i) => {
    const value = values[i]!;
    checkBlocks(fn, "key", key, query);
    checkBlocks(fn, "value", value, query);
    const Hkv = headsOf(keys[0]!);
    const [, heads, S, width] = shapeOf(key, B);
    const fits =
      shapeOf(key, B).length === 4 &&
      shapeOf(key, B)[0] === B &&
      heads === Hkv &&
      H % Hkv! === 0 &&
      width === D;
    if (!fits) {
      const expected = `[${B}, numKvHeads, S, ${D}] with numKvHeads a divisor of numHeads = ${H}`;
      refuseShape(
        fn,
        "key",
        shapeOf(key, B),
        expected,
        `project keys and values to a number of heads that divides ${H}.`,
      );
    }
    const shape = shapeOf(value, B);
    const Dv = i > 0 ? shapeOf(values[0]!, B)[3] : undefined;
    const wanted = [B, Hkv, S, Dv ?? shape[3]];
    if (shape.length !== 4 || shape.some((length, axis) => length !== wanted[axis])) {
      const expected = `[${B}, ${Hkv}, ${S}, ${Dv ?? "headDim of your choice"}], since key is [${shapeOf(key, B).join(", ")}]`;
      refuseShape(fn, "value", shape, expected, "give one value for each key.");
    }
    for (const [argument, part] of [
      ["key", key],
      ["value", value],
    ] as const) {
      const x = isBlocks(part) ? (part.scale ?? part.data) : part;
      if (x.dtype !== query.dtype) refuseType(fn, argument, x, query);
    }
  });
  const S = keys.reduce((sum, part) => sum + partLength(part), 0);
  checkPositions(fn, positions, B, S);
}

/** `[B, Hkv, S, D]`, however the part lies. */
function shapeOf(part: Part, B: number): readonly (number | undefined)[] {
  return isBlocks(part) ? [B, part.data.shape[1], partLength(part), part.data.shape[3]] : part.shape;
}

function headsOf(part: Part): number | undefined {
  return isBlocks(part) ? part.data.shape[1] : part.shape[1];
}

function checkPositions(fn: string, positions: KeyValues["positions"], B: number, S: number): void {
  if ("start" in positions || positions.length === S || positions.length === B * S) return;
  refuse(
    fn,
    "positions",
    `${positions.length} positions`,
    `S = ${S} of them, or B · S = ${B * S}`,
    "say for each key where it stands, or give `{ start }` for keys without gaps.",
  );
}

/** Refuses a tensor whose type is not the query's. */
export function refuseType(fn: string, argument: string, x: Tensor, query: Tensor): never {
  const fix = `use \`cast(${argument}, "${query.dtype}")\`, or cast the query.`;
  refuse(fn, argument, x.dtype, `of type ${query.dtype}, as the query is`, fix);
}
