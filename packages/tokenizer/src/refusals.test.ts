import { isQkvError, type ArgumentError } from "@qkv/core";
import { describe, expect, test } from "vitest";
import * as chat from "./chat.js";
import * as english from "./english-bytes.js";
import * as index from "./index.js";
import * as patching from "./patching.js";
import * as tracing from "./tracing.js";
import * as training from "./training.js";

type Call = (...args: unknown[]) => unknown;
const wrong: readonly (readonly unknown[])[] = [
  [],
  [undefined],
  [null],
  ["text"],
  [5],
  [Number.NaN],
  [{}],
  [[]],
  [[null]],
  [true],
  [() => undefined],
  [null, null],
  ["text", null],
  ["text", "text"],
  ["text", 5],
  [5, "text"],
  [{}, "text"],
  [{}, { nonsense: true }],
  [[], { nonsense: true }],
  ["text", { nonsense: true }],
  [new Uint8Array(3)],
  [new Uint8Array(3), { nonsense: true }],
  [{ nonsense: true }],
];
const shown = (args: readonly unknown[]) =>
  args
    .map((value) => (typeof value === "function" ? "a function" : (JSON.stringify(value) ?? "undefined")))
    .join(", ");

/** Runs the deferred part of a result: a promise, and the first item of a generator. */
async function finish(result: unknown): Promise<void> {
  const later = await result;
  if (typeof later !== "object" || later === null) return;
  if (Symbol.asyncIterator in later) for await (const _ of later as AsyncIterable<unknown>) break;
  else if (Symbol.iterator in later) for (const _ of later as Iterable<unknown>) break;
}

const modules: Readonly<Record<string, unknown>>[] = [index, chat, english, patching, tracing, training];
const functions = modules
  .flatMap((module) => Object.entries(module))
  .filter((entry): entry is [string, Call] => typeof entry[1] === "function");

describe.each(functions)("%s", (name, call) => {
  test.each(wrong.map((args) => [shown(args), args] as const))(
    "of (%s) works or is refused by name",
    async (_, args) => {
      const needs = call.length > 0 && (args.length === 0 || args[0] === null);
      try {
        await finish(call(...args));
        expect(needs, "nothing, and null, are not taken for arguments").toBe(false);
      } catch (error) {
        expect(isQkvError(error), String(error)).toBe(true);
        expect((error as ArgumentError).fn).toBe(name);
      }
    },
  );
});
