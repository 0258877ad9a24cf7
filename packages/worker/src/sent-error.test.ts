import { DeviceError, isQkvError, ShapeError } from "@qkv/core";
import { expect, test } from "vitest";
import { captureResult, unwrapResult, type SentResult } from "./sent-error.js";

/** The error that another thread receives when a function throws one. */
async function throughThread(error: unknown): Promise<unknown> {
  const message = await captureResult(() => {
    throw error;
  });
  try {
    return unwrapResult(structuredClone(message) as SentResult<never>);
  } catch (error) {
    return error;
  }
}

test("errors of qkv keep their class, message, facts and stack", async () => {
  const facts = { fn: "matmul", argument: "b", expected: "[3, N]", fix: "transpose it." };
  const thrown = new ShapeError({ ...facts, received: [2, 3] });
  const arrived = (await throughThread(thrown)) as ShapeError;
  expect(arrived).toBeInstanceOf(ShapeError);
  expect(isQkvError(arrived)).toBe(true);
  expect(arrived).toMatchObject({ name: "ShapeError", ...facts, received: [2, 3] });
  expect([arrived.message, arrived.stack]).toEqual([thrown.message, thrown.stack]);
  expect(Object.keys(arrived)).not.toContain("stack");
});

test("a received value that cannot be cloned becomes the description of the message", async () => {
  const received = { read: () => 1 };
  const thrown = new DeviceError({
    fn: "f",
    argument: "x",
    source: "a.gguf",
    received,
    expected: "y",
    fix: "z.",
  });
  const arrived = (await throughThread(thrown)) as DeviceError;
  expect(arrived).toMatchObject({ received: "an object with keys read", source: "a.gguf" });
  expect(arrived.message).toBe(thrown.message);
  const long = Array.from({ length: 100 }, () => 7);
  const other = new DeviceError({ fn: "f", argument: "x", received: long, expected: "y", fix: "z." });
  expect((await throughThread(other)) as DeviceError).toMatchObject({
    received: expect.stringMatching(/100 in all/),
  });
});

test("built-in errors keep their class; others their name", async () => {
  const range = await throughThread(new RangeError("too far"));
  expect(range).toBeInstanceOf(RangeError);
  expect(range).toMatchObject({ name: "RangeError", message: "too far" });
  expect(await throughThread(new DOMException("stopped", "AbortError"))).toMatchObject({
    name: "AbortError",
    message: "stopped",
  });
  expect(await throughThread("text")).toMatchObject({ name: "Error", message: "text" });
});

test("a value is returned unchanged", async () => {
  expect(unwrapResult(await captureResult(() => [1]))).toEqual([1]);
  expect(unwrapResult(await captureResult(() => undefined))).toBe(undefined);
});
