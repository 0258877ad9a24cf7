import { visibleText } from "./visible-text.js";

/** The facts of every qkv error. They make up its message, and are fields of the error with the same names. */
export type ErrorFacts = {
  /** Name of the function that threw the error, as callers write it: `slidingWindow`. */
  fn: string;
  /** Name of the invalid argument, or of the invalid field of a file. */
  argument: string;
  /** Name of the file, if one of its fields is invalid: `model.gguf`. */
  source?: string;
  /** The received value. */
  received: unknown;
  /** The expected value, as a noun phrase: `an integer number of tokens, 1 or more`. */
  expected: string;
  /** The remedy, as a sentence: `count the query itself.` */
  fix: string;
  /** The error that caused this one. */
  cause?: unknown;
};

/** Largest lengths of a message and of the received value in it. Unit: characters. */
const [mostOfMessage, mostOfValue] = [600, 160];

const errorKey = Symbol.for("@qkv/error");

/**
 * Base class of the errors of qkv packages. The message names the function, the argument, the value received, the value expected
 * and the fix; the error has fields for the same facts.
 *
 * A message has at most 600 characters: long values, names and texts are shortened there. The fields hold them whole.
 *
 * Compare `error.name`, or use {@link isQkvError} instead of `instanceof`: a program may contain two versions of the package, or
 * its ESM and its CJS build.
 */
export class QkvError extends Error {
  declare readonly fn: string;
  declare readonly argument: string;
  declare readonly source?: string;
  /** The received value. Not enumerable, since consoles would print all numbers of a tensor below the message. */
  declare readonly received: unknown;
  declare readonly expected: string;
  declare readonly fix: string;

  constructor(facts: ErrorFacts) {
    const { received, cause, ...enumerable } = facts;
    const { fn, argument, source, expected, fix } = enumerable;
    // In a ShapeError, `received` is the shape of the tensor that the argument names, unless the argument is `shape` itself.
    const kind = (new.target.prototype as QkvError).name;
    const receivedTensor = kind === "ShapeError" && argument !== "shape" && isShape(received);
    const verb = receivedTensor ? "has shape" : "is";
    // Text from files is escaped, so that it cannot break the line or send control codes to a terminal.
    const line = (text: string) => visibleText(text).replaceAll("\n", "\\n");
    const place = shorten(line(source ? `${source}: ${argument}` : argument), 150);
    const begin = `${shorten(line(fn), 60)}: \`${place}\` ${verb} ${shorten(line(describeValue(received)), mostOfValue)}, expected `;
    const [wanted, remedy] = fit(
      line(expected),
      visibleText(fix),
      mostOfMessage - begin.length - ".\nFix: ".length,
    );
    super(`${begin}${wanted}.\nFix: ${remedy}`, cause === undefined ? undefined : { cause });
    Object.assign(this, enumerable);
    Object.defineProperty(this, "received", { value: received });
  }

  override get name(): string {
    return "QkvError";
  }

  get [errorKey](): true {
    return true;
  }
}

/** True for an error of any qkv package, whichever copy of the package threw it. */
export function isQkvError(value: unknown): value is QkvError {
  return typeof value === "object" && value !== null && errorKey in value;
}

/** An argument has an invalid value or a wrong type. */
export class ArgumentError extends QkvError {
  override get name(): string {
    return "ArgumentError";
  }
}

/** A tensor has a wrong shape. `received` is its shape. */
export class ShapeError extends QkvError {
  override get name(): string {
    return "ShapeError";
  }
}

/** A file is damaged, truncated, or of another format. `argument` is the field of the file. */
export class FormatError extends QkvError {
  override get name(): string {
    return "FormatError";
  }
}

/** A device failed: a lost context, a dead worker, or not enough memory. */
export class DeviceError extends QkvError {
  override get name(): string {
    return "DeviceError";
  }
}

/** A value was created by another version of a package, with a different contract. */
export class VersionError extends QkvError {
  override get name(): string {
    return "VersionError";
  }
}

function isShape(value: unknown): boolean {
  return Array.isArray(value) && value.every((size) => typeof size === "number");
}

/** The text with at most `most` characters: its middle is left out. */
function shorten(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${text.slice(0, most - 1 - end)}…${text.slice(text.length - end)}`;
}

/** Shortens two texts to at most `most` characters together, the longer one first. */
function fit(first: string, second: string, most: number): [string, string] {
  const half = Math.floor(most / 2);
  return [
    shorten(first, Math.max(half, most - second.length)),
    shorten(second, Math.max(most - half, most - first.length)),
  ];
}

/** Describes a value in one line of at most 160 characters, for messages. Long strings and long or deep lists are shortened. */
export function describeValue(value: unknown): string {
  return shorten(describe(value, 3), mostOfValue);
}

/** @param depth - Levels of nested lists that are written out; deeper lists are shortened. */
function describe(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value.length > 80 ? `${value.slice(0, 77)}…` : value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `the function ${value.name || "(anonymous)"}`;
  if (value === null || typeof value !== "object") return Object.is(value, -0) ? "-0" : String(value);
  if (Array.isArray(value)) {
    if (depth === 0 && value.length > 0) return "[…]";
    const shown = value.slice(0, 8).map((item) => describe(item, depth - 1));
    if (value.length > 8) shown.push(`… ${value.length} in all`);
    return `[${shown.join(", ")}]`;
  }
  if (ArrayBuffer.isView(value)) return `${withArticle(value.constructor.name)} of ${value.byteLength} bytes`;
  if (value instanceof RegExp) return String(value);
  if (value instanceof Error) return `${value.name} (${value.message})`;
  const { dtype, shape, then } = value as { dtype?: unknown; shape?: unknown; then?: unknown };
  if (typeof then === "function") return "a promise (`await` it)";
  if (typeof dtype === "string" && isShape(shape)) return `a ${dtype} tensor of shape ${describe(shape, 1)}`;
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  if (name && name !== "Object") return withArticle(name);
  const keys = Object.keys(value);
  if (keys.length > 6) keys.splice(6, keys.length, "…");
  return `an object with ${keys.length > 0 ? `keys ${keys.join(", ")}` : "no keys"}`;
}

/** A class name with its article: `an AbortController`, `a Uint8Array`. */
const withArticle = (name: string): string => `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
