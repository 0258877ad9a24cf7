import { expect, test } from "vitest";
import { tensor } from "../create.js";
import { cast } from "./cast.js";

test("numbers of 16 bits are unpacked piece by piece, and all of them", () => {
  const numbers = Array.from({ length: 2 ** 15 + 3 }, (_, i) => (i % 251) - 125);
  const wide = cast(cast(tensor(numbers), "bfloat16"), "float32");
  expect(Array.from(wide.data)).toEqual(numbers);
});
