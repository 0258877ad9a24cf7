import { unpackHalf } from "@qkv/core";
import { js, type Device } from "@qkv/tensor";
import { expect, test } from "vitest";
import { placeOn } from "./place.js";

const remote: Device = { ...js(), remote: true, weightTypes: ["float16", "bfloat16"] };

test.each([js(), remote])(
  "numbers of 16 bits stay as they are stored, on host devices and others",
  (device) => {
    for (const [type, bits] of [
      ["float16", [0x3c00, 0xc000, 0x3800]],
      ["bfloat16", [0x3f80, 0xc000, 0x3f00]],
    ] as const) {
      const place = placeOn(device, [3], type);
      place.numbers().set(bits);
      const { dtype, storage } = place.done();
      expect(dtype).toBe(type);
      expect([...unpackHalf(device.array(storage) as Uint16Array, type)]).toEqual([1, -2, 0.5]);
    }
  },
);
