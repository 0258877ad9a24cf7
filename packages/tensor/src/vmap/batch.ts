import { isContiguous, refuse, type Shape, sizeOf } from "@qkv/core";
import type { Device, Storage } from "../contracts.js";
import { stopGradient } from "../grad.js";
import { type NamedOp, type Op, type RanOp, record, type Recorder, run, runAll, runNamed } from "../op.js";
import { contiguous, copyOp } from "../ops/contiguous.js";
import { reshaped } from "../ops/reshape.js";
import { sliceOp } from "../ops/slice-and-pad.js";
import { stack } from "../ops/stack.js";
import { sumTo } from "../ops/sum-to.js";
import { fullLike } from "../tensor-like.js";
import type { Node, Tape } from "../tape.js";
import { Tensor } from "../tensor.js";
import { mapTensors, tensorsOf } from "../tree.js";
import { type Batched, repeat, runBatched } from "./batching-rules.js";

/**
 * One call of `vmap`: a device whose tensors represent one example and have no numbers. An op on them is recorded by their tape, which
 * runs it for all examples on the underlying device.
 */
export type Batch = {
  /** The tensor that represents one example of `x`, `[N, …]`. */
  enter(x: Tensor): Tensor;
  /** The tensor of all examples that a tensor of one example represents. */
  valueOf(x: Tensor): Batched;
  /** Ends the batch: later ops on its tensors throw. */
  close(): void;
};

type BatchNode = Node & { value?: Batched };

/** Devices of the open batches, the innermost last. */
const openDevices: Device[] = [];

/** Opens a batch of `size` examples on an underlying device. */
export function openBatch(size: number, under: Device): Batch {
  const inner = openDevices.findLast((device) => device.isOver!(under)) ?? under;
  const values = new WeakMap<Storage, Batched>();
  const constants = new WeakMap<Storage, Storage>();
  let open = true;

  const device: Device = {
    name: `vmap over ${inner.name}`,
    isOver: (other) => other === inner || inner.isOver?.(other) === true,
    // Kernels compute nothing for one example; they only ensure that the tape records the op.
    kernels: new Proxy({}, { get: (_, name) => batchKernel(String(name), inner, toTape) }),
    ...(inner.weightTypes && { weightTypes: inner.weightTypes }),
    ...(inner.keyValueTypes && { keyValueTypes: inner.keyValueTypes }),
    scope: (f) => f(),
    recording: (f) => f(),
    retain: () => undefined,
    report: () => inner.report(),
    memory: () => inner.memory(),
    allocate: (dtype, length) => ({ dtype, length }),
    fromHost(dtype, array) {
      const storage = { dtype, length: array.length };
      constants.set(storage, inner.fromHost(dtype, array));
      return storage;
    },
    array(storage, use) {
      if (!values.has(storage)) return inner.array(sharedStorage(storage), use);
      refuse(
        "vmap",
        "f",
        "a function that reads the numbers of a tensor",
        "operations alone, since one call stands for all examples",
        "choose by numbers with `where` or `maskedFill`; read what depends on no example outside of `f`.",
      );
    },
    countCall: () => undefined,
  };

  const tape: Tape & { readonly record: Recorder } = {
    record(op, inputs, outputs, attributes) {
      if (outputs[0]?.device !== device) return; // an op of an inner batch
      if (!open) {
        refuse(
          "vmap",
          "f",
          `${op.name} on a tensor of one example, after the call`,
          "tensors that stay inside of `f`",
          "return what you need from `f`: the result is of all examples.",
        );
      }
      const batchedInputs = inputs.map(valueOf);
      const { kernel, view, overwrites } = op as Op<never>;
      const ranBefore = !view && !overwrites && outputs.some(({ storage }) => values.has(storage));
      const recordsOnly = ranBefore || !(kernel ?? view ?? op.named);
      const results = (recordsOnly ? recordedOp : computed)(op, batchedInputs, outputs, attributes);
      outputs.forEach((output, i) => {
        const value = results[i]!;
        const node = nodeOf(output);
        if (node) node.value = value;
        else (output.nodes ??= []).push({ tape, value } as BatchNode);
        if (!recordsOnly && !view) values.set(output.storage, value);
      });
    },
  };

  const nodeOf = (x: Tensor) => x.nodes?.find((node) => node.tape === tape) as BatchNode | undefined;

  function toTape(call: readonly unknown[]): void {
    for (const x of tensorsOf(call))
      if (x.device === device && !nodeOf(x)) (x.nodes ??= []).push({ tape } as BatchNode);
  }

  /** The allocation of a tensor that all examples share. */
  function sharedStorage(storage: Storage): Storage {
    const existing = constants.get(storage);
    if (existing) return existing;
    const zeros = inner.fromHost(
      storage.dtype,
      fullLike(0, [storage.length], { device: inner, dtype: storage.dtype }).array,
    );
    constants.set(storage, zeros);
    return zeros;
  }

  function valueOf(x: Tensor): Batched {
    if (x.device !== device) return { x, batched: false };
    const recorded = nodeOf(x)?.value;
    if (recorded) return recorded;
    const base = values.get(x.storage);
    if (!base) return { x: new Tensor(inner, sharedStorage(x.storage), x.shape, x), batched: false };
    // A view without nodes on tapes, as from `stopGradient`.
    const { batched } = base;
    const { device: baseDevice, storage, strides, offset } = contiguous(stopGradient(base.x));
    const ifBatched = <T>(value: T) => (batched ? [value] : []);
    const layout = { strides: [...ifBatched(strides[0]!), ...x.strides], offset: offset + x.offset };
    return { x: new Tensor(baseDevice, storage, [...ifBatched(size), ...x.shape], layout), batched };
  }

  function computed(
    op: RanOp<never>,
    inputs: readonly Batched[],
    outputs: readonly Tensor[],
    attributes: unknown,
  ): readonly Batched[] {
    if (!inputs.some(({ batched }) => batched))
      return rerun(
        op,
        inputs.map(({ x }) => x),
        attributes,
      ).map((x) => ({ x, batched: false }));
    const batchedOutputs = op.named ? undefined : runBatched({ op, inputs, attributes, size });
    return (batchedOutputs ?? perExample(op, inputs, outputs, attributes)).map((x) => ({ x, batched: true }));
  }

  /** An op that only records outputs that were already computed, with a backward for tapes outside of the batch. */
  function recordedOp(
    op: RanOp<never>,
    inputs: readonly Batched[],
    outputs: readonly Tensor[],
    attributes: unknown,
  ): readonly Batched[] {
    const results = outputs.map((output) => {
      const { x, batched } = valueOf(output);
      return { x: stopGradient(x), batched };
    });
    const outer: Op<unknown> = {
      name: op.name,
      infer: () => [],
      backward: ({ gradients, wants }) => {
        const outputGradients = gradients.map(
          (gradient, i) => gradient && { x: gradient, batched: results[i]!.batched },
        );
        return batchedBackward(op, inputs, results, outputGradients, wants, attributes);
      },
    };
    record(
      outer as Op<never>,
      inputs.map(({ x }) => x),
      results.map(({ x }) => x),
      undefined,
    );
    return results;
  }

  /** Runs the backward of an op in a separate batch, and returns the gradients of its inputs. */
  function batchedBackward(
    op: RanOp<never>,
    inputs: readonly Batched[],
    outputs: readonly Batched[],
    gradients: readonly (Batched | undefined)[],
    wants: (input: number) => boolean,
    attributes: unknown,
  ): readonly (Tensor | undefined)[] {
    const batch = openBatch(size, inner);
    try {
      return inputGradients(batch);
    } finally {
      batch.close();
    }
    function inputGradients(batch: Batch) {
      const entered = ({ x, batched }: Batched) => (batched ? batch.enter(x) : x);
      const exampleGradients = (op as unknown as Op<unknown>).backward!({
        inputs: inputs.map(entered),
        outputs: outputs.map(entered),
        gradients: gradients.map((gradient) => gradient && entered(gradient)),
        wants,
        attributes,
      });
      return exampleGradients.map((gradient, i) => {
        if (!gradient) return undefined;
        const { x, batched } = batch.valueOf(gradient);
        const gradients = batched ? x : repeat(x, size);
        // The gradient of a shared tensor is the sum over the examples.
        const { shape } = inputs[i]!.x;
        return inputs[i]!.batched ? gradients : reshaped(sumTo(gradients, [1, ...shape]), shape);
      });
    }
  }

  function perExample(
    op: RanOp<never>,
    inputs: readonly Batched[],
    outputs: readonly Tensor[],
    attributes: unknown,
  ): readonly Tensor[] {
    const runs = Array.from({ length: size }, (_, n) =>
      rerun(
        op,
        inputs.map(({ x, batched }) => (batched ? example(x, n) : x)),
        attributes,
      ),
    );
    return outputs.map(({ shape, dtype }, i) =>
      size === 0
        ? fullLike(0, [0, ...shape], { device: inner, dtype })
        : stack(runs.map((results) => results[i]!)),
    );
  }

  openDevices.push(device);
  return {
    valueOf,
    close() {
      open = false;
      openDevices.splice(openDevices.indexOf(device), 1);
    },
    enter(x) {
      const shape: Shape = x.shape.slice(1);
      const value = { x, batched: true };
      const storage = device.allocate(x.dtype, sizeOf(shape));
      values.set(storage, value);
      const entered = new Tensor(device, storage, shape);
      entered.nodes = [{ tape, value } as BatchNode];
      return entered;
    },
  };
}

/** Example n of a tensor of all examples. */
function example(x: Tensor, n: number): Tensor {
  return reshaped(run(sliceOp, [x], { axis: 0, start: n, end: n + 1 }), x.shape.slice(1));
}

/** Runs an op again with other inputs. */
function rerun(op: RanOp<never>, inputs: readonly Tensor[], attributes: unknown): readonly Tensor[] {
  if (!op.named) return runAll(op as Op<unknown>, inputs, attributes);
  const [named, args] = op.named as readonly [NamedOp<unknown[], unknown>, unknown[]];
  // Its kernels may expect an input as an earlier op wrote it: contiguous, from the start of an allocation.
  const packed = inputs.map((x) =>
    x.offset === 0 && isContiguous(x.shape, x.strides) ? x : run(copyOp, [x], undefined),
  );
  const original = named.tensors(...args);
  const replacements = new Map(
    original.flatMap((x, i) => (x === packed[i] ? [] : [[x, packed[i]!] as const])),
  );
  let replaced = 0;
  const newArgs = mapTensors(args, (x) => {
    const replacement = replacements.get(x);
    if (replacement) replaced += 1;
    return replacement ?? x;
  });
  // The tables of a recorded expression occur several times, and its steps refer to the original ones.
  if (replaced !== original.filter((x) => replacements.has(x)).length)
    refuse(
      "vmap",
      "f",
      `${op.name} with a tensor inside of a function that differs from example to example`,
      "such tensors as arguments, or nested in objects and lists",
      "give the function a tensor that all examples share, or call it for each example.",
    );
  const results: Tensor[] = [];
  const outputs: typeof named.outputs = (make, ...rest) =>
    named.outputs(
      (spec) => {
        const output = make(spec);
        if (output) results.push(output);
        return output;
      },
      ...rest,
    );
  runNamed({ ...named, outputs }, ...newArgs);
  return results.slice();
}

/** A kernel of the batch's device, if the underlying device has one or does not need one. */
function batchKernel(name: string, inner: Device, toTape: (call: readonly unknown[]) => void) {
  // Callers test for this kernel to choose between two equivalent implementations.
  if (name === "scan" && !inner.kernels[name]) return undefined;
  if (["write", "sgd", "adam"].includes(name))
    return () =>
      refuse(
        "vmap",
        "f",
        `a function that changes a tensor in place (${name})`,
        "operations that return tensors",
        "return the new numbers from `f`, and write them outside.",
      );
  return (...call: readonly unknown[]) => toTape(call);
}
