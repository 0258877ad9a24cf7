import { visibleText } from "./visible-text.js";

/** The facts every error of the project carries: as its message, and as fields of the same names. */
export type ErrorFacts = {
  /** The function that refused, as the caller wrote it: `slidingWindow`. */
  fn: string;
  /** The argument, or the field of a file, that is wrong. */
  argument: string;
  /** The file, where a field of it is wrong: `model.gguf`. */
  source?: string;
  /** The received value. */
  received: unknown;
  /** The expected value, as a noun phrase: `a whole number of tokens, 1 or more`. */
  expected: string;
  /** The remedy, as a sentence: `count the query itself.` */
  fix: string;
  /** The error that led to this one. */
  cause?: unknown;
};

const errorKey = Symbol.for("@qkv/error");

/**
 * The base of every error thrown by a qkv package. Its message names the function, the argument, what came, what
 * was expected and the fix; the same facts are its fields.
 *
 * Compare `error.name` or use {@link isQkvError} rather than `instanceof`: two versions of the package, or its
 * ESM and its CJS build, may live in one program.
 */
export class QkvError extends Error {
  declare readonly fn: string;
  declare readonly argument: string;
  declare readonly source?: string;
  /** Not enumerable: consoles that print fields would print all of a tensor below a message that describes it. */
  declare readonly received: unknown;
  declare readonly expected: string;
  declare readonly fix: string;

  constructor(facts: ErrorFacts) {
    const { received, cause, ...enumerable } = facts;
    const { fn, argument, source, expected, fix } = enumerable;
    // A ShapeError received the shape of a tensor, unless its argument is `shape` itself. Other lists are no shapes.
    const kind = (new.target.prototype as QkvError).name;
    const receivedTensor = kind === "ShapeError" && argument !== "shape" && isShape(received);
    const verb = receivedTensor ? "has shape" : "is";
    const message = `${fn}: \`${source ? `${source}: ` : ""}${argument}\` ${verb} ${describeValue(received)}, expected ${expected}.`;
    super(
      // Names and strings from files are escaped: they cannot end the line or send control codes to a terminal.
      `${visibleText(message).replaceAll("\n", "\\n")}\nFix: ${visibleText(fix)}`,
      cause === undefined ? undefined : { cause },
    );
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

/** Tells an error of any qkv package, whichever copy of the package threw it. */
export function isQkvError(value: unknown): value is QkvError {
  return typeof value === "object" && value !== null && errorKey in value;
}

/** An argument has the wrong value or the wrong kind. */
export class ArgumentError extends QkvError {
  override get name(): string {
    return "ArgumentError";
  }
}

/** A tensor has the wrong shape. `received` is its shape. */
export class ShapeError extends QkvError {
  override get name(): string {
    return "ShapeError";
  }
}

/** A file is damaged, cut short, or of another format. `argument` is the field of the file. */
export class FormatError extends QkvError {
  override get name(): string {
    return "FormatError";
  }
}

/** A device could not do its work: a lost context, a dead worker, memory that ran out. */
export class DeviceError extends QkvError {
  override get name(): string {
    return "DeviceError";
  }
}

/** A value comes from another version of a package whose contract differs from this one's. */
export class VersionError extends QkvError {
  override get name(): string {
    return "VersionError";
  }
}

function isShape(value: unknown): boolean {
  return Array.isArray(value) && value.every((size) => typeof size === "number");
}

/** Describes a value in one short line, for messages. Long strings and long or deep lists are shortened. */
export function describeValue(value: unknown): string {
  return describe(value, 3);
}

/** @param depth - Levels of nested lists that are still written out. */
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
  if (ArrayBuffer.isView(value)) return `${oneOf(value.constructor.name)} of ${value.byteLength} bytes`;
  if (value instanceof RegExp) return String(value);
  if (value instanceof Error) return `${value.name} (${value.message})`;
  const { dtype, shape, then } = value as { dtype?: unknown; shape?: unknown; then?: unknown };
  if (typeof then === "function") return "a promise (`await` it)";
  if (typeof dtype === "string" && isShape(shape)) return `a ${dtype} tensor of shape ${describe(shape, 1)}`;
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  if (name && name !== "Object") return oneOf(name);
  const keys = Object.keys(value);
  if (keys.length > 6) keys.splice(6, keys.length, "…");
  return `an object with ${keys.length > 0 ? `keys ${keys.join(", ")}` : "no keys"}`;
}

/** A thing of a class, with its article: `an AbortController`, `a Uint8Array`. */
const oneOf = (name: string): string => `${/^[AEIO]/.test(name) ? "an" : "a"} ${name}`;
