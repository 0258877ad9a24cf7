// Assertions about errors after a fault, and the contents of tensors as text, to compare them before and after it.
import assert from "node:assert/strict";
import { isQkvError } from "../../packages/core/dist/index.js";
import { tensorsOf } from "../../packages/tensor/dist/index.js";

/** The error that `f` throws. Fails if it throws none. */
export async function thrown(f) {
  try {
    await f();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

/** Asserts that an error is a QkvError of this name with a fix. */
export function assertOurs(error, name) {
  assert.ok(isQkvError(error), `${error?.stack ?? error} is no QkvError`);
  assert.equal(error.name, name, error.message);
  assert.match(error.message, /\nFix: /);
}

/** The bytes of all tensors in a tree, in base64. */
export function numbersOf(tree) {
  return tensorsOf(tree)
    .map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"))
    .join(" ");
}
