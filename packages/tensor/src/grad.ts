import { checks, isFloat, refuse, refuseShape, sameShape, sizeOf } from "@qkv/core";
import { add } from "./ops/add.js";
import { checkTensor, type RanOp, type Recorder, backwardRules } from "./op.js";
import { fullLike } from "./tensor-like.js";
import type { Node, Tape } from "./tape.js";
import { Tensor } from "./tensor.js";
import { mapTensors, tensorsOf } from "./tree.js";

/**
 * The gradient of a function that returns one number, with respect to its first argument: a tensor, or tensors nested in objects
 * and lists.
 *
 * @param f - Called with the first argument and the rest. Returns a tensor of one number.
 * @returns A function of the same arguments that returns the gradient, nested like the first argument. Tensors that are not floats
 *   have a gradient of zeros.
 * @throws {ShapeError} If `f` returns more than one number.
 *
 * @example
 * ```ts
 * import { grad, mul, sum, tensor } from "@qkv/tensor";
 *
 * const slope = grad((x) => sum(mul(x, x)));
 * slope(tensor([1, 2, 3])).toNested(); // => [2, 4, 6]
 * ```
 */
export function grad<P = Tensor, Rest extends unknown[] = Tensor[]>(f: (params: P, ...rest: Rest) => Tensor) {
  const both = valueAndGradFor("grad", f);
  return (params: P, ...rest: Rest): P => both(params, ...rest)[1];
}

/**
 * The value of a function and its gradient, from one pass.
 *
 * @returns A function that returns `[value, gradient]`.
 *
 * @example
 * ```ts
 * import { mul, sum, tensor, valueAndGrad, type Tensor } from "@qkv/tensor";
 *
 * const loss = valueAndGrad(({ w }: { w: Tensor }, x: Tensor) => sum(mul(w, x)));
 * const [value, gradient] = loss({ w: tensor([1, 2]) }, tensor([3, 4]));
 * value.toNested(); // => 11
 * gradient.w.toNested(); // => [3, 4]
 * ```
 */
export function valueAndGrad<P = Tensor, Rest extends unknown[] = Tensor[]>(
  f: (params: P, ...rest: Rest) => Tensor,
) {
  return valueAndGradFor("valueAndGrad", f);
}

/** The first tensor of params. Refuses params without one. */
export function someTensor(fn: string, params: unknown): Tensor {
  const [first] = tensorsOf(params);
  if (first) return first;
  refuse(
    fn,
    "params",
    params,
    "a tensor, or tensors nested in objects and lists",
    "the gradient is taken with respect to the first argument: pass the tensors there.",
  );
}

/** `valueAndGrad` for a public function `fn`, which errors name. */
export function valueAndGradFor<P, Rest extends unknown[]>(
  fn: string,
  f: (params: P, ...rest: Rest) => Tensor,
) {
  checks(fn).type({ f }, "function");
  return (params: P, ...rest: Rest): [value: Tensor, gradient: P] => {
    const { device } = someTensor(fn, params);
    return device.scope(() => {
      const watched = watch(params);
      // Tensors that backward needs must outlive the scopes inside f.
      const value = device.recording(() => f(watched.params, ...rest));
      watched.tape.open = false;
      checkTensor(fn, "f(…)", value);
      if (sizeOf(value.shape) !== 1) {
        refuseShape(
          fn,
          "f(…)",
          value.shape,
          "one number",
          "end the function with `sum` or `mean`; for other directions use `vjp`.",
        );
      }
      const gradient = pull(watched, [value], [fullLike(1, value.shape, value)]);
      watched.tape.entries.length = 0;
      return [value, gradient];
    });
  };
}

/**
 * The value of a function and its vector–Jacobian product: `pullback(dy)` is the gradient of `Σ dy · f(params)`.
 *
 * @example
 * ```ts
 * import { mul, tensor, vjp } from "@qkv/tensor";
 *
 * const { value, pullback } = vjp((x) => mul(x, x), tensor([1, 2]));
 * value.toNested(); // => [1, 4]
 * pullback(tensor([1, 10])).toNested(); // => [2, 40]
 * ```
 */
export function vjp<P, Y>(f: (params: P) => Y, params: P): { value: Y; pullback(gradient: Y): P } {
  checks("vjp").type({ f }, "function");
  const { device } = someTensor("vjp", params);
  const watched = watch(params);
  // Scopes inside f must not free tensors that the pullback needs.
  const value = device.recording(() => f(watched.params));
  watched.tape.open = false;
  const outputs = tensorsOf(value);
  return {
    value,
    pullback(gradient) {
      const gradients = tensorsOf(gradient);
      const odd = outputs.findIndex(
        (output, i) => !gradients[i] || !sameShape(output.shape, gradients[i].shape),
      );
      if (odd >= 0 || gradients.length !== outputs.length) {
        refuseShape(
          "pullback",
          "gradient",
          gradients[Math.max(0, odd)]?.shape,
          `one tensor for each of f's, of its shape [${outputs[Math.max(0, odd)]?.shape.join(", ")}]`,
          "nest the gradients as f's result is nested.",
        );
      }
      return pull(watched, outputs, gradients);
    },
  };
}

/**
 * The same numbers, through which no gradient flows.
 *
 * @example
 * ```ts
 * import { grad, mul, stopGradient, sum, tensor } from "@qkv/tensor";
 *
 * grad((x) => sum(mul(x, stopGradient(x))))(tensor([3])).toNested(); // => [3]
 * ```
 */
export function stopGradient(x: Tensor): Tensor {
  const { device, storage, shape } = checkTensor("stopGradient", "x", x);
  return new Tensor(device, storage, shape, x);
}

/** One run of an op on a tape. */
type Entry = {
  readonly op: RanOp<unknown>;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: unknown;
  /** The inputs' nodes on the tape; undefined for inputs that do not depend on the params. */
  readonly from: readonly (Node | undefined)[];
  readonly to: readonly Node[];
};

type Recording = { readonly record: Recorder; open: boolean; readonly entries: Entry[] };

function newTape(): Recording {
  const tape: Recording = {
    open: true,
    entries: [],
    record(op, inputs, outputs, attributes) {
      if (!tape.open) return;
      const from = inputs.map((input) => nodeOn(tape, input));
      const to = outputs.map((output) => {
        const node = { tape };
        (output.nodes ??= []).push(node);
        return node;
      });
      tape.entries.push({ op: op as RanOp<unknown>, inputs, outputs, attributes, from, to });
    },
  };
  return tape;
}

type Watched<P> = { readonly tape: Recording; readonly params: P };

/** Views of the params that are recorded by a new tape, and also by the tapes that recorded them before. */
function watch<P>(params: P): Watched<P> {
  const tape = newTape();
  const watched = mapTensors(params, (x) => {
    const view = stopGradient(x);
    view.nodes = [...(x.nodes ?? []), ...(isFloat(x.dtype) ? [{ tape }] : [])];
    return view;
  });
  return { tape, params: watched };
}

/** Number of tape entries after which unused gradients are freed. */
const freeInterval = 8;

/** Runs a tape backwards, from the gradients of outputs to those of the params. */
function pull<P>({ tape, params }: Watched<P>, outputs: readonly Tensor[], gradients: readonly Tensor[]): P {
  const at = new Map<Node, Tensor>();
  /** Nodes that received gradients since unused gradients were last freed. */
  const reached = new Set<Node>();
  const arrive = (node: Node | undefined, gradient: Tensor | undefined): void => {
    if (!node || !gradient) return;
    const before = at.get(node);
    at.set(node, before ? add(before, gradient) : gradient);
    reached.add(node);
  };
  outputs.forEach((output, i) => arrive(nodeOn(tape, output), gradients[i]));
  const walk = (i: number): void => {
    const { op, inputs, outputs, attributes, from, to } = tape.entries[i]!;
    const arrived = to.map((node) => at.get(node));
    if (arrived.every((gradient) => gradient === undefined)) return;
    for (const node of to) at.delete(node);
    const rule = backwardRules.get(op.name);
    if (!op.backward && !rule) {
      refuse(
        "grad",
        "f",
        `a function that uses ${op.name}`,
        "operations that have a gradient",
        `wrap the input of ${op.name} with \`stopGradient\` if no gradient is meant to flow through it.`,
      );
    }
    const wants = (input: number) => from[input] !== undefined;
    const call = { inputs, outputs, attributes, gradients: arrived, wants };
    // The scope frees the intermediate tensors of an op's backward, such as a 16-bit matrix that was cast to float32.
    const back = outputs[0]!.device.scope(() => (rule ? rule(op, call) : op.backward!(call)));
    from.forEach((node, input) => arrive(node, back[input]));
  };
  for (let end = tape.entries.length; end > 0; end -= freeInterval) {
    reached.clear();
    // Gradients that are no longer needed are freed.
    tape.entries[end - 1]!.outputs[0]!.device.scope(() => {
      for (let i = end - 1; i >= Math.max(0, end - freeInterval); i--) walk(i);
      return Array.from(reached, (node) => at.get(node));
    });
  }
  return mapTensors(params, (x) => {
    const node = nodeOn(tape, x);
    return (node && at.get(node)) ?? fullLike(0, x.shape, x, isFloat(x.dtype) ? x.dtype : "float32");
  });
}

function nodeOn(tape: Tape, x: Tensor): Node | undefined {
  return x.nodes?.find((node) => node.tape === tape);
}
