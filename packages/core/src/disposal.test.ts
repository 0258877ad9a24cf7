import { expect, test, vi } from "vitest";
import { asyncDisposable, disposable } from "./disposal.js";

test("resources are freed in reverse order at the end of a block, also if it throws", async () => {
  const freed: string[] = [];
  const work = async () => {
    using _one = disposable(() => void freed.push("one"));
    await using _two = asyncDisposable(async () => {
      await Promise.resolve();
      freed.push("two");
    });
    throw new Error("in the middle");
  };
  await expect(work()).rejects.toThrow("in the middle");
  expect(freed).toEqual(["two", "one"]);
});

test("engines without Symbol.dispose get an object too", () => {
  const free = () => undefined;
  const [dispose, asyncDispose] = [Symbol.dispose, Symbol.asyncDispose];
  vi.stubGlobal(
    "Symbol",
    Object.assign((name: string) => `own ${name}`, { iterator: Symbol.iterator }),
  );
  const made = [disposable(free), asyncDisposable(async () => free())];
  vi.unstubAllGlobals();
  expect(made.map((one) => Object.keys(one))).toEqual([["own dispose"], ["own asyncDispose"]]);
  expect([dispose in made[0]!, asyncDispose in made[1]!]).toEqual([false, false]);
});
