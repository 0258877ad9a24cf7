import { expect, test, vi } from "vitest";
import { tensor } from "../create.js";
import { slice } from "./slice-and-pad.js";
import { cast } from "./cast.js";

const numbers = Array.from({ length: 2 ** 15 + 3 }, (_, i) => (i % 251) - 125);

test.each(["bfloat16", "float16"] as const)(
  "a cast from %s converts all elements, also of several chunks",
  (dtype) => {
    const x = cast(tensor(numbers), dtype);
    expect(Array.from(cast(x, "float32").data)).toEqual(numbers);
    expect(Array.from(cast(x, "float64").data)).toEqual(numbers);
    expect(Array.from(cast(slice(x, 0, 5, 9), "float32").data)).toEqual(numbers.slice(5, 9));
  },
);

test("a cast from bfloat16 to float32 allocates only the result", () => {
  const x = cast(tensor(numbers), "bfloat16");
  let made = 0;
  vi.stubGlobal(
    "Float32Array",
    new Proxy(Float32Array, {
      construct(target, args: [number]) {
        made += 1;
        return new target(...args);
      },
    }),
  );
  const wide = cast(x, "float32");
  vi.unstubAllGlobals();
  expect(made).toBeLessThanOrEqual(1);
  expect(Array.from(wide.data)).toEqual(numbers);
});
