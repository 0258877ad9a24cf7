import {
  checkComputeDtype,
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

/** Shape and dtype of an op's output. */
export type Spec = { readonly shape: Shape; readonly dtype: DType };

/** Arguments of `backward`: one run of the op, and the gradients of its outputs. */
export type Backward<Attributes> = {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: Attributes;
  /** One for each output; undefined for outputs that nothing used. */
  readonly gradients: readonly (Tensor | undefined)[];
  /** True if the gradient of an input is needed. */
  wants(input: number): boolean;
};

/**
 * An operation: its name, shape rule, plain kernel (the specification that the devices' kernels are tested against) and backward.
 * Ops that return a view of their input have `view` instead of a kernel.
 */
export type Op<Attributes> = {
  readonly name: string;
  /** The shape rule. Checks the inputs and throws a ShapeError that names the argument. */
  infer(inputs: readonly Tensor[], attributes: Attributes): readonly Spec[];
  readonly kernel?: Kernel<Attributes>;
  /** True if the op only copies elements, so that it also supports 16-bit floats. Default false. */
  readonly dataMovement?: boolean;
  /** Index of an input that may have 16-bit floats, which kernels convert to float32. Default: none. */
  readonly halfInput?: number;
  /** Number of floating-point operations of a run. Default: one for each output number, none for data movement. */
  flops?(inputs: readonly Tensor[], outputs: readonly Tensor[], attributes: Attributes): number;
  view?(input: Tensor, attributes: Attributes): Layout;
  /**
   * For each output, the index of an input whose memory it may reuse: kernels read the input's numbers before they overwrite them.
   * Memory of inputs that are not contiguous is not reused. Default: every output has its own memory.
   */
  overwrites?(attributes: Attributes): readonly (number | undefined)[];
  /** Gradients of the inputs, in their order, written with ops. */
  backward?(call: Backward<Attributes>): readonly (Tensor | undefined)[];
};

/** The part of an op that tapes and counters use after it ran: name, cost and backward. */
export type RanOp<Attributes> = Pick<Op<Attributes>, "name" | "dataMovement" | "flops" | "backward"> & {
  /** For an op with named inputs: the op and the arguments of the call. */
  readonly named?: readonly [op: NamedOp<never, unknown>, args: readonly unknown[]];
};

/**
 * An operation with named inputs, such as attention: kernels receive the arguments of the call, and then the outputs. A device's
 * kernel has the same form.
 */
export type NamedOp<Args extends readonly unknown[], Outputs> = {
  readonly name: string;
  /** True if tensors of a call may have 16-bit floats, which kernels convert to float32. Default false. */
  readonly halfInputs?: boolean;
  /** The input tensors of a call, which may have gradients, in a fixed order. */
  tensors(...args: Args): readonly Tensor[];
  /** Creates the outputs of a call by `make`, in a fixed order. */
  outputs(make: (spec: Spec) => Tensor, ...args: Args): Outputs;
  /** The plain kernel. */
  kernel(...call: [...Args, Outputs]): unknown;
  flops(...args: Args): number;
  /** Gradients of {@link NamedOp.tensors}, in their order. `gradients` has undefined for outputs that nothing used. */
  backward(outputs: Outputs, gradients: Outputs, ...args: Args): readonly (Tensor | undefined)[];
};

/** An op with this backward. Ops with a backward of their own, such as `linear`, use the op without it. */
export function withGradient<A>(op: Op<A>, backward: NonNullable<Op<A>["backward"]>): Op<A> {
  return { ...op, backward };
}

/** Computes the gradients of the inputs of an op that ran, instead of its own `backward`. */
export type BackwardRule = (op: RanOp<never>, call: Backward<unknown>) => readonly (Tensor | undefined)[];

/** Backward rules by op name. Empty outside of {@link withBackward}. */
export const backwardRules = new Map<string, BackwardRule>();

/**
 * Runs `f`, inside of which the backward of some ops is replaced, for instance by a slower one that is differentiable itself.
 *
 * @param rules - Backward rules by op name. Each returns the gradients of the op's inputs, in their order.
 *
 * @example
 * ```ts
 * import { exp, grad, mul, sum, tensor, withBackward } from "@qkv/tensor";
 *
 * // A gradient of 1 in place of that of exp.
 * const cut = { exp: () => [tensor([1])] };
 * withBackward(cut, () => grad((x) => sum(exp(x)))(tensor([5]))).toNested(); // => [1]
 * ```
 */
export function withBackward<T>(rules: Readonly<Record<string, BackwardRule>>, f: () => T): T {
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
  const before = new Map(backwardRules);
  for (const [name, rule] of Object.entries(rules)) backwardRules.set(name, rule);
  try {
    return f();
  } finally {
    backwardRules.clear();
    for (const [name, rule] of before) backwardRules.set(name, rule);
  }
}

/** Called with each run of an op. */
export type Recorder = (
  op: RanOp<never>,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  attributes: unknown,
) => void;

/** Called with each kernel that ran. Used by `count`, otherwise empty. */
export const observers = new Set<Recorder>();

/**
 * Records a run of an op on each tape that records one of the inputs. Tensors have their nodes, so there is no current tape, and
 * gradients of gradients use several tapes at once.
 */
export const record: Recorder = (op, inputs, outputs, attributes) => {
  const tapes = new Set(inputs.flatMap(({ nodes = [] }) => nodes.map(({ tape }) => tape)));
  for (const tape of tapes) (tape.record as Recorder)(op, inputs, outputs, attributes);
};

/** True if a tape records one of the inputs. */
function isRecorded(inputs: readonly Tensor[]): boolean {
  for (let i = 0; i < inputs.length; i++) if (inputs[i]!.nodes) return true;
  return false;
}

/**
 * Runs an op on the device of its inputs, and returns all its outputs. Decoding a token runs some hundred small ops between large
 * matrix products that evict the processor's caches, so allocations here and in the kernels matter. A device's own kernel gets the
 * tensors as they are, because it knows the device's storages.
 */
export function runAll<Attributes>(
  op: Op<Attributes>,
  inputs: readonly Tensor[],
  attributes: Attributes,
): Tensor[] {
  const device = sharedDevice(op.name, inputs, op.dataMovement ?? !op.kernel, op.halfInput);
  const deviceKernel = op.kernel && (device.kernels[op.name] as Kernel<Attributes> | undefined);
  const specs = op.infer(inputs, attributes);
  const overwritten = op.overwrites?.(attributes);
  const outputs = new Array<Tensor>(specs.length);
  for (let i = 0; i < specs.length; i++) {
    const { shape, dtype } = specs[i]!;
    const input = op.view ? inputs[0]! : overwritten && inputs[overwritten[i] ?? -1];
    if (op.view) outputs[i] = new Tensor(device, input!.storage, shape, op.view(input!, attributes));
    else if (input && fillsStorage(input)) outputs[i] = new Tensor(device, input.storage, shape);
    // A device's kernel writes every number; plain kernels expect zeros.
    else outputs[i] = new Tensor(device, device.allocate(dtype, sizeOf(shape), !deviceKernel), shape);
  }
  if (op.kernel) {
    const ranOnDevice = deviceKernel && deviceKernel(inputs, outputs, attributes) !== false;
    if (deviceKernel && !ranOnDevice)
      outputs.forEach((output, i) => {
        if (overwritten?.[i] === undefined) viewOf(output).array.fill(0);
      });
    if (!ranOnDevice) op.kernel(inputs.map(readOf), outputs.map(viewOf), attributes);
    device.countCall(op.name, ranOnDevice ? "device" : "plain");
    if (observers.size > 0)
      for (const observe of observers) observe(op as RanOp<never>, inputs, outputs, attributes);
  }
  if (isRecorded(inputs)) record(op as RanOp<never>, inputs, outputs, attributes);
  return outputs;
}

/** True for contiguous tensors that fill their storage. */
const fillsStorage = ({ storage, shape, strides, offset }: Tensor): boolean =>
  isContiguous(shape, strides) && offset === 0 && storage.length === sizeOf(shape);

/** Runs an op with named inputs on their device, and returns its outputs by name. */
export function runNamed<Args extends readonly unknown[], Outputs>(
  op: NamedOp<Args, Outputs>,
  ...args: Args
): Outputs {
  const inputs = op.tensors(...args);
  const device = sharedDevice(op.name, inputs, op.halfInputs ?? false);
  const deviceKernel = device.kernels[op.name] as NamedOp<Args, Outputs>["kernel"] | undefined;
  const made: Tensor[] = [];
  const outputs = op.outputs(
    ({ shape, dtype }) => {
      const output = new Tensor(device, device.allocate(dtype, sizeOf(shape), !deviceKernel), shape);
      made.push(output);
      return output;
    },
    ...args,
  );
  const ranOnDevice = deviceKernel && deviceKernel(...args, outputs) !== false;
  if (deviceKernel && !ranOnDevice) for (const output of made) viewOf(output).array.fill(0);
  if (!ranOnDevice) op.kernel(...args, outputs);
  device.countCall(op.name, ranOnDevice ? "device" : "plain");
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

/** The view of a tensor for a plain kernel that reads and writes it. */
export function viewOf(tensor: Tensor): View {
  return view(tensor);
}

/** The view of a tensor for a plain kernel that only reads it. */
export function readOf(tensor: Tensor): View {
  return view(tensor, "read");
}

/** A view whose array is evaluated once if that is cheap, because plain kernels access it often. */
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

/**
 * The device of the inputs: of a device that `vmap` created and one under it (`isOver`), the former. Refuses inputs on several
 * devices, and dtypes that the op does not support.
 */
function sharedDevice(
  fn: string,
  inputs: readonly Tensor[],
  dataMovement: boolean,
  halfInput?: number,
): Device {
  let { device } = inputs[0]!;
  for (let i = 0; i < inputs.length; i++) {
    const { device: inputDevice, dtype } = inputs[i]!;
    if (inputDevice !== device) {
      if (inputDevice.isOver?.(device)) device = inputDevice;
      else if (!device.isOver?.(inputDevice)) checkSameDevice(fn, inputDevice, device);
    }
    if (dtype !== "float32" && !dataMovement && i !== halfInput) checkComputeDtype(fn, dtype);
  }
  return device;
}

/** Checks that an argument of a public function is a tensor. */
export function checkTensor(fn: string, argument: string, value: unknown): Tensor {
  return isTensor(value) ? value : refuseNonTensor(fn, argument, value);
}
