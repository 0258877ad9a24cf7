import { checks } from "@qkv/core";
import { concat, slice, type Tensor } from "@qkv/tensor";
import type { Segment } from "./resets.js";
import { tokenCountAxes } from "./token-count.js";
import { zerosLike } from "./zeros-like.js";

type Tensors = Readonly<Record<string, Tensor>>;
type Axes = Readonly<Record<string, string>>;
type Result = { readonly output: Tensor; readonly state: Tensors };
type Run = (inputs: Tensors, initialState: Tensors | undefined) => Result;

/** A call of a mixer over segments. Each segment starts without a state, except the first, which continues from `initialState`. */
export type SegmentedCall = {
  readonly name: string;
  /** Axes of inputs and of the state's tensors, by name. */
  readonly axes: { readonly inputs: Axes; readonly state: Axes };
  readonly inputs: Tensors;
  readonly initialState: Tensors | undefined;
  /** Segments of each sequence, in order. Tokens between and after them are padding, with zeros in the output. */
  readonly segments: readonly (readonly Segment[])[];
};

/**
 * Runs each segment separately. Sequences with equal segments run together, unless their states have different token counts.
 */
export function inSegments(run: Run, call: SegmentedCall): Result {
  const { name, axes, inputs, initialState, segments } = call;
  if (runTogether(call)) return inOrder(run, call, segments[0]!);
  const batches = segments.map((sequenceSegments, b) => {
    const ofBatch = (x: Tensor, axes: string) => sliceAxis(x, axes, "B", b, b + 1);
    const state = initialState && mapNamed(axes.state, (name, axes) => ofBatch(initialState[name]!, axes));
    const sequenceInputs = mapNamed(inputs, (name, x) => ofBatch(x, axes.inputs[name]!));
    return inOrder(run, { ...call, inputs: sequenceInputs, initialState: state }, sequenceSegments);
  });
  const joined = mapNamed(axes.state, (field) => {
    const parts = batches.map(({ state }) => state[field]!);
    const unlike = parts.find(({ shape }) =>
      shape.some((length, i) => i > 0 && length !== parts[0]!.shape[i]),
    );
    if (unlike) refuseUnequal(name, field, parts[0]!, unlike);
    return concat(parts, 0);
  });
  const outputs = batches.map(({ output }) => output);
  return { output: concat(outputs, 0), state: joined };
}

/** True if all sequences have equal segments, and their states have equal token counts. */
function runTogether({ axes, initialState, segments }: SegmentedCall): boolean {
  const counts = Object.keys(axes.state).filter((name) => axes.state[name] === tokenCountAxes);
  const equalCounts = counts.every((name) => new Set(initialState?.[name]?.data).size <= 1);
  return (
    equalCounts && new Set(segments.map((sequenceSegments) => JSON.stringify(sequenceSegments))).size === 1
  );
}

function inOrder(run: Run, call: SegmentedCall, segments: readonly Segment[]): Result {
  const { axes, inputs, initialState } = call;
  const value = inputs["value"]!; // [B, H, T, V], as the output
  let state = initialState;
  let done = 0;
  const outputs: Tensor[] = [];
  for (const [start, end] of segments) {
    const part = mapNamed(inputs, (name, x) => sliceAxis(x, axes.inputs[name]!, "T", start, end));
    const result = run(part, start === 0 ? initialState : undefined);
    outputs.push(result.output);
    state = result.state;
    done = end;
  }
  if (state === undefined) refuseEmpty(call.name);
  const [B, H, T, V] = value.shape as [number, number, number, number];
  if (done < T) outputs.push(zerosLike(value, [B, H, T - done, V]));
  return { output: outputs.length === 1 ? outputs[0]! : concat(outputs, 2), state };
}

/** A range of the axis with the given letter; a tensor without that axis is returned unchanged. */
function sliceAxis(x: Tensor, axes: string, letter: string, start: number, end: number): Tensor {
  const axis = axes.split(" ").indexOf(letter);
  const whole = axis < 0 || (start === 0 && end === x.shape[axis]);
  return whole ? x : slice(x, axis, start, end);
}

const mapNamed = <Value, Mapped>(
  values: Readonly<Record<string, Value>>,
  f: (name: string, value: Value) => Mapped,
): Record<string, Mapped> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, f(name, value)]));

function refuseEmpty(name: string): never {
  return checks("mix").refuse({
    argument: "padding",
    received: "a batch without a real token",
    expected: "one token or more per batch element, or an `initialState`",
    fix: `leave that batch element out: ${name} has no state before its first token.`,
  });
}

function refuseUnequal(name: string, field: string, first: Tensor, other: Tensor): never {
  return checks("mix").refuse({
    argument: "documents or padding",
    received: `batches whose \`state.${field}\` have shapes [${first.shape.join(", ")}] and [${other.shape.join(", ")}]`,
    expected: "states of one size",
    fix: `mix batches of different lengths apart: the state of ${name} grows with the tokens of the last document.`,
  });
}
