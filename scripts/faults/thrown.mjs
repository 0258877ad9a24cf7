// What a fault must give: an error, and numbers that are the same as before.
import assert from "node:assert/strict";
import { isQkvError } from "../../packages/core/dist/index.js";
import { tensorsOf } from "../../packages/tensor/dist/index.js";

/** The error of something that must fail. */
export async function thrown(f) {
  try {
    await f();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

/** Asserts that an error is one of ours, by its name. */
export function assertOurs(error, name) {
  assert.ok(isQkvError(error), `${error?.stack ?? error} is no error of ours`);
  assert.equal(error.name, name, error.message);
  assert.match(error.message, /\nFix: /);
}

/** All numbers of nested tensors, to compare. */
export function numbersOf(tree) {
  return tensorsOf(tree)
    .map(({ data }) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"))
    .join(" ");
}
