import { matmul, randn } from "@qkv/tensor";
import { expect, test } from "vitest";
import { wasm } from "./wasm.js";

const x = randn([512, 512], { seed: 1 });

test.each([1, 2])(
  "`abortCallback` aborts a call of %d threads between work items, and the device works afterwards",
  async (threads) => {
    let left = Infinity;
    const device = await wasm({ threads, abortCallback: () => (left -= 1) < 0 });
    const on = x.to(device);
    const expected = matmul(on, on).data;
    left = 3;
    const { bytes } = device.memory();
    const aborted = (): unknown => device.scope(() => matmul(on, on));
    expect(aborted).toThrow(/aborted by `abortCallback`/);
    expect(aborted).toThrow(expect.objectContaining({ name: "AbortError" }));
    expect(device.memory().bytes).toBe(bytes);
    left = Infinity;
    expect(matmul(on, on).data).toEqual(expected);
    await device.close();
  },
);

test("an `abortCallback` that is not a function is refused", async () => {
  await expect(wasm({ abortCallback: true as never })).rejects.toThrow(
    /`abortCallback` is true, expected a function.*\nFix: leave it out/,
  );
});
