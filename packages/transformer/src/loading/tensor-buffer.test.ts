import { unpackHalf } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";
import { expect, test } from "vitest";
import { allocateTensor } from "./tensor-buffer.js";

const remote: Device = { ...js(), remote: true, weightTypes: ["float16", "bfloat16"] };

test.each([js(), remote])(
  "16-bit values keep their bit patterns, on host devices and on remote ones",
  (device) => {
    for (const [type, bits] of [
      ["float16", [0x3c00, 0xc000, 0x3800]],
      ["bfloat16", [0x3f80, 0xc000, 0x3f00]],
    ] as const) {
      const target = allocateTensor(device, [3], type);
      target.values().set(bits);
      const { dtype, storage } = target.done();
      expect(dtype).toBe(type);
      expect([...unpackHalf(device.array(storage) as Uint16Array, type)]).toEqual([1, -2, 0.5]);
    }
  },
);
