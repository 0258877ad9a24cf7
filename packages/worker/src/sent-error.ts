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
  /** Fields of a QkvError; undefined for other errors. */
  readonly facts: ErrorFacts | undefined;
};

/** The result of a function of the worker: a value, or the error that it threw. */
export type SentResult<T> = { readonly value: T } | { readonly error: SentError };

const kinds = { ArgumentError, DeviceError, FormatError, QkvError, ShapeError, VersionError };
const builtIns = { EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/** Runs a function, and returns what it returns or throws in a form that can be sent. */
export async function captureResult<T>(f: () => T | Promise<T>): Promise<SentResult<T>> {
  try {
    return { value: await f() };
  } catch (error) {
    return { error: toSent(error) };
  }
}

/** The value of a result. @throws The error of the result, with its class. */
export function unwrapResult<T>(result: SentResult<T>): T {
  if ("value" in result) return result.value;
  throw fromSent(result.error);
}

function toSent(error: unknown): SentError {
  const { name = "Error", message = String(error), stack } = (error ?? {}) as Partial<Error>;
  if (!isQkvError(error)) return { name, message, stack, facts: undefined };
  const { fn, argument, source, expected, fix } = error;
  const sentFacts = { fn, argument, expected, fix, received: cloneable(error.received) };
  return { name, message, stack, facts: source === undefined ? sentFacts : { ...sentFacts, source } };
}

/** A value that structured cloning accepts: numbers, texts and short lists are kept, others become descriptions. */
function cloneable(value: unknown): unknown {
  const isPlain = (element: unknown) =>
    element === null || !["object", "function", "symbol"].includes(typeof element);
  const isShort = Array.isArray(value) && value.length <= 64 && value.every(isPlain);
  return isPlain(value) || isShort ? value : describeValue(value);
}

function fromSent({ name, message, stack, facts }: SentError): Error {
  const error = emptyError(name, facts);
  // The stack is that of the worker, where the error was thrown.
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
