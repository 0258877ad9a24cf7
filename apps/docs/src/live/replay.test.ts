import { add, exp, mul, sum, tensor, write, type Device, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { mostReads, Replay } from "./replay";
import { laterDevice } from "./unfit-devices";

const on = (device: Device, numbers: number[]) => tensor(numbers, { device });

test("synchronous reads return the data of an asynchronous device", async () => {
  const device = laterDevice();
  const replay = new Replay(device);
  const seen: number[][] = [];
  let runs = 0;
  await replay.run(async () => {
    runs += 1;
    const x = on(device, [1, 2]);
    const read = (y: Tensor) => seen.push([runs, ...(y.data as Float32Array)]);
    read(add(x, x));
    await Promise.resolve();
    read(mul(x, 3));
  });
  // A run for each missing read, and one with both.
  expect(seen).toEqual([
    [2, 2, 4],
    [3, 2, 4],
    [3, 3, 6],
  ]);
  expect(runs).toBe(3);
});

test("code that awaits reads, or only reads host data, is not repeated", async () => {
  const device = laterDevice();
  let runs = 0;
  await new Replay(device).run(async () => {
    runs += 1;
    const x = on(device, [1, 2]);
    expect([...x.data]).toEqual([1, 2]);
    expect([...(await exp(x).read())][0]).toBeCloseTo(Math.E, 5);
  });
  expect(runs).toBe(1);
});

test("repeated reads are requested once, and again after a change", async () => {
  const device = laterDevice();
  let runs = 0;
  let messages: number[] = [];
  await new Replay(device).run(async () => {
    runs += 1;
    const y = add(on(device, [1, 2]), 1);
    messages = [];
    for (let i = 0; i < 100; i++) messages.push((y.data as Float32Array)[i % 2]!);
    write(y, 0, 0, on(device, [7]));
    messages.push((y.data as Float32Array)[0]!);
    return Promise.resolve();
  });
  expect(messages.slice(0, 2)).toEqual([2, 3]);
  expect(messages.at(-1)).toBe(7);
  expect(runs).toBe(3);
});

test("code that catches the error of missing data is repeated with the data", async () => {
  const device = laterDevice();
  const messages: unknown[] = [];
  await new Replay(device).run(async () => {
    try {
      messages.push(sum(on(device, [1, 2])).data[0]);
    } catch {
      messages.push("caught");
    }
    return Promise.resolve();
  });
  expect(messages).toEqual(["caught", 3]);
});

test("it ends with an error of the code, and after too many reads", async () => {
  const device = laterDevice();
  const replay = new Replay(device);
  const x = on(device, [1]);
  await expect(
    replay.run(async () => {
      await Promise.resolve();
      throw new Error(String(add(x, 1).data[0]));
    }),
  ).rejects.toThrow("2");
  const reads = (count: number) =>
    replay.run(async () => {
      for (let i = 0; i < count; i++) void add(x, i).data;
      return Promise.resolve();
    });
  await expect(reads(mostReads)).resolves.toBeUndefined();
  await expect(reads(mostReads + 1)).rejects.toThrow(/reads more than 32 results at once.*await x\.read\(\)/);
});
