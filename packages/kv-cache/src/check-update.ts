import { checks, ShapeError, type Shape } from "@qkv/core";
import { checkTensor, type DType, type Tensor } from "@qkv/tensor";

const check = /* @__PURE__ */ checks("update");

/** Cached tensors of a layer: the next tokens must have the same dtype, batch size, heads and head dimensions. */
export type CachedTensors = {
  readonly key?: Tensor;
  readonly value?: Tensor;
  /** Batch size. */
  readonly batches?: number;
  /** Type that new tokens must have, if the layer stores them in another type. */
  readonly dtype?: DType;
};

/** Refuses tensors that are not keys and values, or that do not match those of the layer. */
export function checkUpdate(
  layer: number,
  numLayers: number,
  key: Tensor,
  value: Tensor,
  cached: CachedTensors | undefined,
): void {
  if (!Number.isInteger(layer) || layer < 0 || layer >= numLayers) {
    check.refuse({
      argument: "layer",
      received: layer,
      expected: `a layer from 0 to ${numLayers - 1}`,
      fix: "make the cache with `numLayers` of the model.",
    });
  }
  checkTokens("key", key, cached?.key, cached);
  checkTokens("value", value, cached?.value, cached);
  const [B, Hkv, T] = key.shape;
  if (value.shape[2] !== T || value.shape[0] !== B || value.shape[1] !== Hkv) {
    check.refuse(
      {
        argument: "value",
        received: value.shape,
        expected: `as many tokens as key has, [${key.shape.join(", ")}]`,
        fix: "give one value for each key.",
      },
      ShapeError,
    );
  }
}

/** True for a shape `[B, Hkv, T, D]` with the known lengths; undefined allows any length above 0, and for T also 0. */
function fits(shape: Shape, known: readonly (number | undefined)[]): boolean {
  if (shape.length !== 4) return false;
  for (let axis = 0; axis < 4; axis++) {
    const length = shape[axis]!;
    if (known[axis] === undefined ? length === 0 && axis !== 2 : length !== known[axis]) return false;
  }
  return true;
}

/** Refuses new keys or values `x` that do not match the cached keys or values of the layer. */
function checkTokens(
  argument: string,
  x: Tensor,
  cachedTensor: Tensor | undefined,
  cached: CachedTensors | undefined,
): void {
  const { shape, dtype } = checkTensor("update", argument, x);
  const known = [cached?.batches, cachedTensor?.shape[1], undefined, cachedTensor?.shape[3]];
  const cachedType = cachedTensor && (cached?.dtype ?? cachedTensor.dtype);
  const dtypeFits = cachedType ? dtype === cachedType : dtype === "float32" || dtype === "float64";
  if (dtypeFits && fits(shape, known)) return;
  const [B = "B", Hkv = "Hkv", , D = "D"] = known;
  check.refuse(
    {
      argument,
      received: dtypeFits ? shape : dtype,
      expected: `${cachedType ?? "float32 or float64"} [${B}, ${Hkv}, T, ${D}]${cached ? ", like the cached tokens" : ""}`,
      fix: "append tokens of one sequence; `reset` the cache before another batch or model.",
    },
    dtypeFits ? ShapeError : undefined,
  );
}
