import {
  checkNumbers,
  checks,
  checkSameDevice,
  type DType,
  isContiguous,
  refuseNonTensor,
  type Shape,
  sizeOf,
} from "@qkv/core";
import type { Device, Kernel, View } from "./contracts.js";
import { isTensor, Tensor, type Layout } from "./tensor.js";

/** Shape and type of an op's result, known before it is computed. */
export type Spec = { readonly shape: Shape; readonly dtype: DType };

/** Arguments of backward: one run of the op, and the gradients of its outputs. */
export type Backward<Attributes> = {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes;
  /** One per output; undefined where nothing used that output. */
  readonly gradients: readonly (Tensor | undefined)[];
  /** True if the gradient of an input is needed. */
  wants(input: number): boolean;
};

/**
 * An operation, whole: its name, its shape rule, its plain kernel (the specification that every device's kernel is
 * tested against) and its backward. An op that only looks at the same numbers in another order has `view` in place
 * of a kernel.
 */
export type Op<Attributes> = {
  readonly name: string;
  /** The shape rule. Checks the inputs and throws a ShapeError that names the argument. */
  infer(inputs: readonly Tensor[], attributes: Attributes): readonly Spec[];
  readonly kernel?: Kernel<Attributes>;
  /** True if it only copies elements and computes nothing: then it accepts 16-bit floats too. Default false. */
  readonly dataMovement?: boolean;
  /** Input that may be of 16-bit floats, which the kernels widen. Default: none. */
  readonly halfInput?: number;
  /** Floating-point operations of one run. Default: one for each number of the outputs, none for data movement. */
  flops?(inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: Attributes): number;
  view?(input: Tensor, attributes: Attributes): Layout;
  /**
   * Input whose memory an output takes, by the outputs' order, where the call allows it: kernels read the input's numbers before
   * they write there. An input that is not packed keeps its memory. Default: every output gets its own.
   */
  overwrites?(attributes: Attributes): readonly (number | undefined)[];
  /** Gradients of the inputs, in their order, written with ops. */
  backward?(call: Backward<Attributes>): readonly (Tensor | undefined)[];
};

/** An op as tapes and counts see it, once it ran: its name, its cost and its way back. */
export type RanOp<Attributes> = Pick<Op<Attributes>, "name" | "dataMovement" | "flops" | "backward"> & {
  /** Of an op whose inputs have names: itself and the call's arguments. */
  readonly named?: readonly [op: NamedOp<never, unknown>, args: readonly unknown[]];
};

/**
 * An operation whose inputs have names, as attention's: its kernels get the arguments as they were made, and then the
 * outputs. A device's kernel has the same form.
 */
export type NamedOp<Args extends readonly unknown[], Outputs> = {
  readonly name: string;
  /** True if tensors of a call may be of 16-bit floats, which the kernels widen. Default false. */
  readonly halfInputs?: boolean;
  /** The tensors of a call, always in the same order: what its gradient may flow to. */
  tensors(...args: Args): readonly Tensor[];
  /** The outputs of a call, each made from its shape and type, always in the same order. */
  outputs(make: (spec: Spec) => Tensor, ...args: Args): Outputs;
  /** The plain kernel. */
  kernel(...call: [...Args, Outputs]): unknown;
  flops(...args: Args): number;
  /** Gradients of {@link NamedOp.tensors}, in their order. `gradients` is undefined where nothing used an output. */
  backward(outputs: Outputs, gradients: Outputs, ...args: Args): readonly (Tensor | undefined)[];
};

/** An op and its backward, where the op is also run without: on views that stand on no tape. */
export function withGradient<A>(op: Op<A>, backward: NonNullable<Op<A>["backward"]>): Op<A> {
  return { ...op, backward };
}

/** Gradients of the inputs of an op that ran, in place of those by its own `backward`. */
export type WayBack = (op: RanOp<never>, call: Backward<unknown>) => readonly (Tensor | undefined)[];

/** Ways back by the names of ops. Empty but inside of {@link withBackward}. */
export const waysBack = new Map<string, WayBack>();

/**
 * Runs `f`, in which gradients go back through ops of these names by other rules than the ops' own: through a slower one that has
 * gradients itself, for instance.
 *
 * @param rules - By the name of an op; each returns the gradients of its inputs, in their order. Synchronous, as gradients are.
 *
 * @example
 * ```ts
 * import { exp, grad, mul, sum, tensor, withBackward } from "@qkv/tensor";
 *
 * // The slope of exp, cut off at 1.
 * const cut = { exp: () => [tensor([1])] };
 * withBackward(cut, () => grad((x) => sum(exp(x)))(tensor([5]))).toNested(); // => [1]
 * ```
 */
export function withBackward<T>(rules: Readonly<Record<string, WayBack>>, f: () => T): T {
  const check = checks("withBackward");
  const isTable = (value: unknown) =>
    typeof value === "object" &&
    value !== null &&
    Object.values(value).every((rule) => typeof rule === "function");
  check.each(
    { rules },
    isTable,
    "an object with a function for each op",
    "write `{ exp: ({ name }, { inputs, gradients }) => […] }`.",
  );
  check.type({ f }, "function");
  const before = new Map(waysBack);
  for (const [name, rule] of Object.entries(rules)) waysBack.set(name, rule);
  try {
    return f();
  } finally {
    waysBack.clear();
    for (const [name, rule] of before) waysBack.set(name, rule);
  }
}

/** Told of one run of an op. */
export type Recorder = (
  op: RanOp<never>,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  attributes: unknown,
) => void;

/** Told of each kernel that ran. Empty unless somebody counts. */
export const observers = new Set<Recorder>();

/**
 * Tells each tape that watches one of the inputs, if any does. A tensor carries its places, so there is no current tape: gradients
 * of gradients are tapes beside each other.
 */
export const record: Recorder = (op, inputs, outputs, attributes) => {
  const tapes = new Set(inputs.flatMap(({ nodes = [] }) => nodes.map(({ tape }) => tape)));
  for (const tape of tapes) (tape.record as Recorder)(op, inputs, outputs, attributes);
};

/** True if a tape watches one of the inputs. */
function isRecorded(inputs: readonly Tensor[]): boolean {
  for (let i = 0; i < inputs.length; i++) if (inputs[i]!.nodes) return true;
  return false;
}

/**
 * Runs an op where its inputs live, and returns all its outputs. Decoding a token runs some hundred small ones between
 * matrices that empty the processor's caches: what is made here and in a device's kernels on the way counts. A device's
 * own kernel knows where storages lie, and gets the tensors as they are.
 */
export function runAll<Attributes>(
  op: Op<Attributes>,
  inputs: readonly Tensor[],
  attributes: Attributes,
): Tensor[] {
  const device = sharedDevice(op.name, inputs, op.dataMovement ?? !op.kernel, op.halfInput);
  const own = op.kernel && (device.kernels[op.name] as Kernel<Attributes> | undefined);
  const specs = op.infer(inputs, attributes);
  const overwritten = op.overwrites?.(attributes);
  const outputs = new Array<Tensor>(specs.length);
  for (let i = 0; i < specs.length; i++) {
    const { shape, dtype } = specs[i]!;
    const input = op.view ? inputs[0]! : overwritten && inputs[overwritten[i] ?? -1];
    if (op.view) outputs[i] = new Tensor(device, input!.storage, shape, op.view(input!, attributes));
    else if (input && fillsStorage(input)) outputs[i] = new Tensor(device, input.storage, shape);
    // A device's kernel writes every number; the plain ones may count on zeros.
    else outputs[i] = new Tensor(device, device.allocate(dtype, sizeOf(shape), !own), shape);
  }
  if (op.kernel) {
    const ran = own && own(inputs, outputs, attributes) !== false;
    if (own && !ran)
      outputs.forEach((output, i) => {
        if (overwritten?.[i] === undefined) viewOf(output).array.fill(0);
      });
    if (!ran) op.kernel(inputs.map(readOf), outputs.map(viewOf), attributes);
    device.countCall(op.name, ran ? "device" : "plain");
    if (observers.size > 0)
      for (const observe of observers) observe(op as RanOp<never>, inputs, outputs, attributes);
  }
  if (isRecorded(inputs)) record(op as RanOp<never>, inputs, outputs, attributes);
  return outputs;
}

/** True for a tensor whose numbers are all that its storage holds, in their order. */
const fillsStorage = ({ storage, shape, strides, offset }: Tensor): boolean =>
  isContiguous(shape, strides) && offset === 0 && storage.length === sizeOf(shape);

/** Runs an op whose inputs have names where they live, and returns its outputs by their names. */
export function runNamed<Args extends readonly unknown[], Outputs>(
  op: NamedOp<Args, Outputs>,
  ...args: Args
): Outputs {
  const inputs = op.tensors(...args);
  const device = sharedDevice(op.name, inputs, op.halfInputs ?? false);
  const own = device.kernels[op.name] as NamedOp<Args, Outputs>["kernel"] | undefined;
  const made: Tensor[] = [];
  const outputs = op.outputs(
    ({ shape, dtype }) => {
      const output = new Tensor(device, device.allocate(dtype, sizeOf(shape), !own), shape);
      made.push(output);
      return output;
    },
    ...args,
  );
  const ran = own && own(...args, outputs) !== false;
  if (own && !ran) for (const output of made) viewOf(output).array.fill(0);
  if (!ran) op.kernel(...args, outputs);
  device.countCall(op.name, ran ? "device" : "plain");
  if (observers.size === 0 && !isRecorded(inputs)) return outputs;
  const asRun: RanOp<unknown> = {
    name: op.name,
    named: [op as NamedOp<never, unknown>, args],
    flops: () => op.flops(...args),
    backward({ gradients }) {
      let i = 0;
      return op.backward(
        outputs,
        op.outputs(() => gradients[i++] as Tensor, ...args),
        ...args,
      );
    },
  };
  for (const observe of observers) observe(asRun, inputs, made, undefined);
  if (isRecorded(inputs)) record(asRun, inputs, made, undefined);
  return outputs;
}

/** Runs an op with one output. */
export function run<Attributes>(
  op: Op<Attributes>,
  inputs: readonly Tensor[],
  attributes: Attributes,
): Tensor {
  return runAll(op, inputs, attributes)[0]!;
}

/** A tensor's view for a plain kernel that reads and writes it. */
export function viewOf(tensor: Tensor): View {
  return view(tensor);
}

/** A tensor's view for a plain kernel that only reads it. */
export function readOf(tensor: Tensor): View {
  return view(tensor, "read");
}

/** A plain kernel asks for the numbers again and again: where they are at hand it gets them at once. */
function view({ device, storage, dtype, shape, strides, offset }: Tensor, use?: "read"): View {
  if (!device.remote) return { array: device.array(storage), storage, dtype, shape, strides, offset };
  return {
    get array() {
      return device.array(storage, use);
    },
    storage,
    dtype,
    shape,
    strides,
    offset,
  };
}

/** The device of the inputs, which must be one, and hold numbers where the op computes with them. */
function sharedDevice(
  fn: string,
  inputs: readonly Tensor[],
  dataMovement: boolean,
  halfInput?: number,
): Device {
  let { device } = inputs[0]!;
  for (let i = 0; i < inputs.length; i++) {
    const { device: own, dtype } = inputs[i]!;
    if (own !== device) {
      if (own.isOver?.(device)) device = own;
      else if (!device.isOver?.(own)) checkSameDevice(fn, own, device);
    }
    if (dtype !== "float32" && !dataMovement && i !== halfInput) checkNumbers(fn, dtype);
  }
  return device;
}

/** Refuses what is not a tensor. For the public door of an op. */
export function checkTensor(fn: string, argument: string, value: unknown): Tensor {
  return isTensor(value) ? value : refuseNonTensor(fn, argument, value);
}
