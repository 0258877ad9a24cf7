import { ArgumentError, ShapeError } from "./errors.js";

/** Throws an {@link ArgumentError} with these facts. */
export function refuse(
  fn: string,
  argument: string,
  received: unknown,
  expected: string,
  fix: string,
): never {
  throw new ArgumentError({ fn, argument, received, expected, fix });
}

/** Throws a {@link ShapeError} with these facts. `received` is the shape of the argument. */
export function refuseShape(
  fn: string,
  argument: string,
  received: unknown,
  expected: string,
  fix: string,
): never {
  throw new ShapeError({ fn, argument, received, expected, fix });
}
