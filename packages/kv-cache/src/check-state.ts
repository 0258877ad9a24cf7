import { checks, isList, knownNames, ShapeError } from "@qkv/core";
import type { LayerState } from "@qkv/attention-contract";
import { checkTensor } from "@qkv/tensor";
import type { SavedLayer } from "./layer-store.js";
import { refuseSaved } from "./saved.js";

const check = /* @__PURE__ */ checks("advance");

/** True for names that a saved file can hold. */
const isName = (name: string) => /^[a-z]\w*$/i.test(name);
const isCount = (n: unknown) => Number.isSafeInteger(n) && (n as number) >= 0;
const shapeText = (shape: readonly unknown[]) => `[${shape.join(", ")}]`;

/**
 * Checks the arguments of `advance`. Refuses a layer that the cache does not have, and a state whose names, types or shapes
 * differ from those of the last state.
 *
 * @param previous - State of the layer before the call, and its batch size (0: not known yet).
 * @returns Number of new tokens of each sequence, `[B]`.
 */
export function checkAdvance(
  layer: number,
  numLayers: number,
  state: LayerState,
  tokens: number | ArrayLike<number>,
  previous: { readonly state: LayerState | undefined; readonly batches: number },
): number[] {
  checkLayer("advance", layer, numLayers);
  const fix = "give the tensors of the layer by name: `{ state, conv }`.";
  check.each({ state }, (value) => typeof value === "object" && value !== null, "tensors by name", fix);
  const names = Object.keys(state);
  const previousNames = previous.state && Object.keys(previous.state);
  const hasValidNames = names.length > 0 && names.every(isName);
  if (
    !hasValidNames ||
    (previousNames &&
      (previousNames.length !== names.length || previousNames.some((name) => !Object.hasOwn(state, name))))
  ) {
    check.refuse({
      argument: "state",
      received: `tensors named ${knownNames(undefined, names, "`state`") || "nothing"}`,
      expected: previousNames
        ? `those of the last state: ${knownNames(undefined, previousNames, "the last `state`")}`
        : "one tensor or more, with names of letters and digits",
      fix,
    });
  }
  let batches = previous.batches;
  for (const name of names) {
    const { shape, dtype, device } = checkTensor("advance", `state.${name}`, state[name]!);
    batches ||= shape[0] ?? 0;
    const last = previous.state?.[name];
    const [dtypes, inner] = last
      ? [[last.dtype], last.shape.slice(1)]
      : [["float32", "float64"], shape.slice(1)];
    const sameShape =
      shape.length === inner.length + 1 && inner.every((length, i) => shape[i + 1] === length);
    const sameBatches = shape.length > 0 && batches > 0 && shape[0] === batches;
    if (!dtypes.includes(dtype) || !sameShape || !sameBatches) {
      check.refuse(
        {
          argument: `state.${name}`,
          received: `${dtype} ${shapeText(shape)}`,
          expected: `${dtypes.join(" or ")} ${shapeText([batches || "B", ...(last ? inner : [...inner.keys()].map(() => "…"))])}`,
          fix: "keep batches first, and the sizes of a state the same from token to token; `reset` the cache before another batch or model.",
        },
        ShapeError,
      );
    }
    const [first] = Object.values(state);
    if (device !== first!.device) {
      check.refuse({
        argument: `state.${name}`,
        received: `a tensor on ${device.name}`,
        expected: `one on ${first!.device.name}, as the others`,
        fix: "move it with `tensor.to(device)`.",
      });
    }
  }
  const counts = typeof tokens === "number" ? new Array<number>(batches).fill(tokens) : tokens;
  if (!isList(counts) || counts.length !== batches || !Array.from(counts).every(isCount)) {
    check.refuse({
      argument: "tokens",
      received: isList(tokens) ? shapeText(Array.from(tokens)) : tokens,
      expected: `an integer number of tokens, or ${batches} of them, one per batch element`,
      fix: "give the number of tokens between the last state and this one.",
    });
  }
  return Array.from(counts);
}

/** Refuses a layer that the cache does not have. */
export function checkLayer(fn: string, layer: number, numLayers: number): void {
  if (Number.isInteger(layer) && layer >= 0 && layer < numLayers) return;
  checks(fn).refuse({
    argument: "layer",
    received: layer,
    expected: `a layer from 0 to ${numLayers - 1}`,
    fix: "make the cache with `numLayers` of the model.",
  });
}

const damaged = "the file is damaged or was changed: restore another copy, or read the prompt again.";

/** Refuses a saved layer that a cache of states cannot have written. */
export function checkSavedState({ tensors, numbers }: SavedLayer, current: LayerState | undefined): void {
  const lengths: unknown = Object.hasOwn(numbers, "lengths") ? numbers["lengths"] : undefined;
  if (!Array.isArray(lengths) || lengths.length === 0 || !lengths.every(isCount))
    refuseSaved("numbers: lengths", lengths, "integers, one per batch element", damaged);
  const B = lengths.length;
  const names = Object.keys(tensors);
  const expectedNames = current ? Object.keys(current) : names;
  if (names.length === 0 && lengths.some((n) => n > 0))
    refuseSaved("tensors", "none", `a state after ${lengths.join(", ")} tokens`, damaged);
  if (
    names.length > 0 &&
    (names.length !== expectedNames.length || expectedNames.some((name) => !Object.hasOwn(tensors, name)))
  )
    refuseSaved(
      "tensors",
      knownNames(undefined, names, "the file"),
      `${knownNames(undefined, expectedNames, "`cache.state(layer)`")}, as the cache holds`,
      "restore into a cache of the model that was saved.",
    );
  for (const name of names) {
    const [{ dtype, shape }, currentTensor] = [tensors[name]!, current?.[name]];
    const inner = (currentTensor ?? tensors[name]!).shape.slice(1);
    const fits =
      isName(name) &&
      (currentTensor ? dtype === currentTensor.dtype : dtype === "float32" || dtype === "float64") &&
      shape[0] === B &&
      shape.length === inner.length + 1 &&
      inner.every((length, i) => shape[i + 1] === length);
    if (fits) continue;
    const expected = `${currentTensor?.dtype ?? "float32 or float64"} ${shapeText([B, ...inner])}`;
    refuseSaved(
      name,
      `${dtype} ${shapeText(shape)}`,
      expected,
      currentTensor ? "restore into a cache of the model that was saved." : damaged,
    );
  }
}
