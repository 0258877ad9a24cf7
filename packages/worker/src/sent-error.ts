import {
  ArgumentError,
  describeValue,
  DeviceError,
  FormatError,
  isQkvError,
  QkvError,
  ShapeError,
  VersionError,
  type ErrorFacts,
} from "@qkv/core";

/** An error as it is sent to another thread: structured cloning keeps neither the class nor the facts. */
export type SentError = {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of errors of qkv. */
  readonly facts: ErrorFacts | undefined;
};

/** The result of a function of the worker: a value, or the error that it threw. */
export type Sent<T> = { readonly value: T } | { readonly error: SentError };

const kinds = { ArgumentError, DeviceError, FormatError, QkvError, ShapeError, VersionError };
const builtIns = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/** Runs a function, and returns what it returns or throws in a form that can be sent. */
export async function sent<T>(f: () => T | Promise<T>): Promise<Sent<T>> {
  try {
    return { value: await f() };
  } catch (error) {
    return { error: toSent(error) };
  }
}

/** The value that was sent. @throws The error that was, as one of its class. */
export function received<T>(answer: Sent<T>): T {
  if ("value" in answer) return answer.value;
  throw fromSent(answer.error);
}

function toSent(error: unknown): SentError {
  const { name = "Error", message = String(error), stack } = (error ?? {}) as Partial<Error>;
  if (!isQkvError(error)) return { name, message, stack, facts: undefined };
  const { fn, argument, source, expected, fix } = error;
  const own = { fn, argument, expected, fix, received: plain(error.received) };
  return { name, message, stack, facts: source === undefined ? own : { ...own, source } };
}

/** A value that can be sent in place of one of any kind: numbers, texts and short lists stay, others become descriptions. */
function plain(value: unknown): unknown {
  const isPlain = (one: unknown) => one === null || !["object", "function", "symbol"].includes(typeof one);
  const isShort = Array.isArray(value) && value.length <= 64 && value.every(isPlain);
  return isPlain(value) || isShort ? value : describeValue(value);
}

function fromSent({ name, message, stack, facts }: SentError): Error {
  const error = emptyError(name, facts);
  // The place in the worker is what a reader looks for.
  for (const [key, value] of Object.entries({ message, stack })) {
    if (value !== undefined) {
      Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: false });
    }
  }
  return error;
}

function emptyError(name: string, facts: ErrorFacts | undefined): Error {
  if (facts) return new (kinds[name as keyof typeof kinds] ?? QkvError)(facts);
  if (Object.hasOwn(builtIns, name)) return new builtIns[name as keyof typeof builtIns]();
  const error = new Error();
  Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  return error;
}
