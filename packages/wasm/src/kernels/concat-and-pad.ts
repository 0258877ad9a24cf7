import { bytesPerElement, type View } from "@qkv/tensor";
import { withLength } from "@qkv/core";
import { deviceAddress, float32Bits, withCall, type Call, type DeviceTensor } from "../call.js";
import type { Engine } from "../engine.js";
import { writeStridedLoop } from "./strided-loop.js";

/** Concatenates tensors along an axis: tensors in the device's memory, with elements of 32 bits. */
export function concatKernel(engine: Engine) {
  return (inputs: readonly View[], outputs: readonly View[], { axis }: { axis: number }): boolean => {
    const output = outputs[0]!;
    if (![...inputs, output].every(isDevice32Bit)) return false;
    return withCall(engine, (call) => {
      const to = call.output(output);
      let start = 0;
      return inputs.every((input) => {
        const at = start;
        start += input.shape[axis]!;
        return copyInto(engine, call, call.input(input), to, axis, at);
      });
    });
  };
}

/** Pads a tensor along an axis with a number: a tensor in the device's memory, with elements of 32 bits. */
export function padKernel(engine: Engine) {
  return (
    [x]: readonly View[],
    [output]: readonly View[],
    { axis, before, after, value }: { axis: number; before: number; after: number; value: number },
  ): boolean => {
    if (!isDevice32Bit(x!) || !isDevice32Bit(output!)) return false;
    return withCall(engine, (call) => {
      const to = call.output(output!);
      const length = x!.shape[axis]!;
      const pointer = call.write([x!.dtype === "float32" ? float32Bits(value) : value]);
      const padding = (length: number): DeviceTensor => ({
        shape: withLength(x!.shape, axis, length),
        strides: x!.shape.map(() => 0),
        pointer,
      });
      return (
        copyInto(engine, call, padding(before), to, axis, 0) &&
        copyInto(engine, call, call.input(x!), to, axis, before) &&
        copyInto(engine, call, padding(after), to, axis, before + length)
      );
    });
  };
}

/** True for tensors with elements of 32 bits in the device's memory: others would be copied in and out. */
const isDevice32Bit = (view: View): boolean =>
  bytesPerElement(view.dtype) === 4 && deviceAddress(view) !== undefined;

/** Copies a tensor into another one, from index `start` of an axis on. */
function copyInto(
  engine: Engine,
  call: Call,
  from: DeviceTensor,
  { strides, pointer }: DeviceTensor,
  axis: number,
  start: number,
): boolean {
  if (from.shape.includes(0)) return true;
  const to = { shape: from.shape, strides };
  const at = pointer + 4 * start * strides[axis]!;
  const loop = writeStridedLoop(call, 0, 0, from.shape, [from, to], [from.pointer, at], 0);
  return engine.parallel("copyRows", loop.items, 0, loop.at);
}
