import fc from "fast-check";
import { expect, test } from "vitest";
import { permute, randn, write, zeros } from "@qkv/tensor";
import { wasm } from "../wasm.js";

const size = fc.integer({ min: 0, max: 4 });
const shapes = fc.tuple(size, size, size, size);

test("property: write of rows of any strides along any axis equals the plain device", async () => {
  const device = await wasm({ threads: 1 });
  fc.assert(
    fc.property(shapes, fc.nat(3), fc.nat(3), fc.nat(2), (shape, axis, start, permutation) => {
      const order = [
        [0, 1, 2, 3],
        [0, 2, 1, 3],
        [0, 1, 3, 2],
      ][permutation]!;
      const source = randn(shape, { seed: 1 });
      const rows = permute(source, order);
      const bufferShape = rows.shape.map((length, a) => (a === axis ? length + start + 1 : length));
      const [plain, buffer] = [zeros(bufferShape), zeros(bufferShape).to(device)];
      write(plain, axis, start, rows);
      write(buffer, axis, start, permute(source.to(device), order));
      expect(buffer.data).toEqual(plain.data);
      device.scope(() => write(buffer, axis, start + 1, permute(randn(shape, { seed: 2, device }), order)));
      write(plain, axis, start + 1, permute(randn(shape, { seed: 2 }), order));
      expect(buffer.data).toEqual(plain.data);
    }),
  );
});

test("rows in host arrays, and buffers of other ranks, are written, too", async () => {
  const device = await wasm({ threads: 1 });
  const buffer = zeros([1, 1, 3, 2]).to(device);
  const rows = randn([1, 1, 1, 2], { seed: 1 });
  write(buffer, 2, 1, randn([1, 1, 1, 2], { seed: 1, device }));
  expect([...buffer.data]).toEqual([0, 0, ...rows.data, 0, 0]);
  const list = zeros([4]).to(device);
  write(list, 0, 1, randn([2], { seed: 1 }).to(device));
  expect([...list.data]).toEqual([0, ...rows.data, 0]);
});
