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
 * One call of `vmap`: a device for tensors that stand for one example, of the shape that the function is written for. They hold no
 * numbers. An op on them tells their tape, which runs it for all examples on the device under it.
 */
export type Batch = {
  /** The tensor of one example for a tensor of all, `[N, …]`. */
  enter(x: Tensor): Tensor;
  /** The tensor that stands behind one of the function's. */
  valueOf(x: Tensor): Batched;
  /** Ends the batch: ops on its tensors are refused from now on. */
  close(): void;
};

type BatchNode = Node & { value?: Batched };

/** Devices of the batches that are open, the innermost last: one is opened over the one around it. */
const around: Device[] = [];

/** A batch of `size` examples over the tensors of a device. */
export function openBatch(size: number, under: Device): Batch {
  const inner = around.findLast((device) => device.isOver!(under)) ?? under;
  const values = new WeakMap<Storage, Batched>();
  const constants = new WeakMap<Storage, Storage>();
  let open = true;

  const device: Device = {
    name: `vmap over ${inner.name}`,
    isOver: (other) => other === inner || inner.isOver?.(other) === true,
    // Nothing is computed for one example: a kernel makes sure that the tape is told.
    kernels: new Proxy({}, { get: (_, name) => kernelOf(String(name), inner, toTape) }),
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
      if (!values.has(storage)) return inner.array(constantOf(storage), use);
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
      if (outputs[0]?.device !== device) return; // an op of a batch inside of this one
      if (!open) {
        refuse(
          "vmap",
          "f",
          `${op.name} on a tensor of one example, after the call`,
          "tensors that stay inside of `f`",
          "return what you need from `f`: the result is of all examples.",
        );
      }
      const given = inputs.map(valueOf);
      const { kernel, view, overwrites } = op as Op<never>;
      const ranBefore = !view && !overwrites && outputs.some(({ storage }) => values.has(storage));
      const tells = ranBefore || !(kernel ?? view ?? op.named);
      const made = (tells ? told : computed)(op, given, outputs, attributes);
      outputs.forEach((output, i) => {
        const value = made[i]!;
        const node = nodeOf(output);
        if (node) node.value = value;
        else (output.nodes ??= []).push({ tape, value } as BatchNode);
        if (!tells && !view) values.set(output.storage, value);
      });
    },
  };

  const nodeOf = (x: Tensor) => x.nodes?.find((node) => node.tape === tape) as BatchNode | undefined;

  function toTape(call: readonly unknown[]): void {
    for (const x of tensorsOf(call))
      if (x.device === device && !nodeOf(x)) (x.nodes ??= []).push({ tape } as BatchNode);
  }

  /** The allocation of numbers that all examples share. */
  function constantOf(storage: Storage): Storage {
    const known = constants.get(storage);
    if (known) return known;
    const made = inner.fromHost(
      storage.dtype,
      fullLike(0, [storage.length], { device: inner, dtype: storage.dtype }).array,
    );
    constants.set(storage, made);
    return made;
  }

  function valueOf(x: Tensor): Batched {
    if (x.device !== device) return { x, batched: false };
    const known = nodeOf(x)?.value;
    if (known) return known;
    const whole = values.get(x.storage);
    if (!whole) return { x: new Tensor(inner, constantOf(x.storage), x.shape, x), batched: false };
    // A view beside all tapes, as `stopGradient` makes one.
    const { batched } = whole;
    const { device: home, storage, strides, offset } = contiguous(stopGradient(whole.x));
    const lead = <T>(value: T) => (batched ? [value] : []);
    const layout = { strides: [...lead(strides[0]!), ...x.strides], offset: offset + x.offset };
    return { x: new Tensor(home, storage, [...lead(size), ...x.shape], layout), batched };
  }

  function computed(
    op: RanOp<never>,
    given: readonly Batched[],
    outputs: readonly Tensor[],
    attributes: unknown,
  ): readonly Batched[] {
    if (!given.some(({ batched }) => batched))
      return again(
        op,
        given.map(({ x }) => x),
        attributes,
      ).map((x) => ({ x, batched: false }));
    const own = op.named ? undefined : runBatched({ op, inputs: given, attributes, size });
    return (own ?? oneByOne(op, given, outputs, attributes)).map((x) => ({ x, batched: true }));
  }

  /** An op that only tells tapes of what others have computed: of its outputs, and its way back for tapes around the batch. */
  function told(
    op: RanOp<never>,
    given: readonly Batched[],
    outputs: readonly Tensor[],
    attributes: unknown,
  ): readonly Batched[] {
    const made = outputs.map((output) => {
      const { x, batched } = valueOf(output);
      return { x: stopGradient(x), batched };
    });
    const outer: Op<unknown> = {
      name: op.name,
      infer: () => [],
      backward: ({ gradients, wants }) => {
        const arrived = gradients.map(
          (gradient, i) => gradient && { x: gradient, batched: made[i]!.batched },
        );
        return backwardOf(op, given, made, arrived, wants, attributes);
      },
    };
    record(
      outer as Op<never>,
      given.map(({ x }) => x),
      made.map(({ x }) => x),
      undefined,
    );
    return made;
  }

  /** The gradients of an op's inputs, as a batch of their own. */
  function backwardOf(
    op: RanOp<never>,
    inputs: readonly Batched[],
    outputs: readonly Batched[],
    gradients: readonly (Batched | undefined)[],
    wants: (input: number) => boolean,
    attributes: unknown,
  ): readonly (Tensor | undefined)[] {
    const batch = openBatch(size, inner);
    try {
      return pulled(batch);
    } finally {
      batch.close();
    }
    function pulled(batch: Batch) {
      const entered = ({ x, batched }: Batched) => (batched ? batch.enter(x) : x);
      const back = (op as unknown as Op<unknown>).backward!({
        inputs: inputs.map(entered),
        outputs: outputs.map(entered),
        gradients: gradients.map((gradient) => gradient && entered(gradient)),
        wants,
        attributes,
      });
      return back.map((gradient, i) => {
        if (!gradient) return undefined;
        const { x, batched } = batch.valueOf(gradient);
        const all = batched ? x : repeat(x, size);
        // A value that all examples share gets the sum of its gradients from each.
        const { shape } = inputs[i]!.x;
        return inputs[i]!.batched ? all : reshaped(sumTo(all, [1, ...shape]), shape);
      });
    }
  }

  function oneByOne(
    op: RanOp<never>,
    given: readonly Batched[],
    outputs: readonly Tensor[],
    attributes: unknown,
  ): readonly Tensor[] {
    const runs = Array.from({ length: size }, (_, n) =>
      again(
        op,
        given.map(({ x, batched }) => (batched ? example(x, n) : x)),
        attributes,
      ),
    );
    return outputs.map(({ shape, dtype }, i) =>
      size === 0 ? fullLike(0, [0, ...shape], { device: inner, dtype }) : stack(runs.map((made) => made[i]!)),
    );
  }

  around.push(device);
  return {
    valueOf,
    close() {
      open = false;
      around.splice(around.indexOf(device), 1);
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

/** Example n of a tensor of all. */
function example(x: Tensor, n: number): Tensor {
  return reshaped(run(sliceOp, [x], { axis: 0, start: n, end: n + 1 }), x.shape.slice(1));
}

/** The op on tensors in place of its inputs. */
function again(op: RanOp<never>, inputs: readonly Tensor[], attributes: unknown): readonly Tensor[] {
  if (!op.named) return runAll(op as Op<unknown>, inputs, attributes);
  const [named, args] = op.named as readonly [NamedOp<unknown[], unknown>, unknown[]];
  // Its kernels may take what an earlier one wrote as it was: packed, from the beginning of an allocation.
  const own = inputs.map((x) =>
    x.offset === 0 && isContiguous(x.shape, x.strides) ? x : run(copyOp, [x], undefined),
  );
  const before = named.tensors(...args);
  const places = new Map(before.flatMap((x, i) => (x === own[i] ? [] : [[x, own[i]!] as const])));
  let replaced = 0;
  const others = mapTensors(args, (x) => {
    const other = places.get(x);
    if (other) replaced += 1;
    return other ?? x;
  });
  // A table that a recorded expression reads is there more than once, and its steps know it as it was.
  if (replaced !== before.filter((x) => places.has(x)).length)
    refuse(
      "vmap",
      "f",
      `${op.name} with a tensor inside of a function that differs from example to example`,
      "such tensors as arguments, or nested in objects and lists",
      "give the function a tensor that all examples share, or call it for each example.",
    );
  const made: Tensor[] = [];
  const outputs: typeof named.outputs = (make, ...rest) =>
    named.outputs(
      (spec) => {
        const output = make(spec);
        if (output) made.push(output);
        return output;
      },
      ...rest,
    );
  runNamed({ ...named, outputs }, ...others);
  return made.slice();
}

/** A kernel of the batch's device, where the device under it has one or does not need one. */
function kernelOf(name: string, inner: Device, toTape: (call: readonly unknown[]) => void) {
  // Asked for to choose another way, which is as right.
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
