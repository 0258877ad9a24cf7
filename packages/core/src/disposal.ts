/**
 * An object with the method that `using` calls at the end of a block. Engines without `Symbol.dispose` do not support `using`.
 *
 * @param free - Frees the resources. It must allow a second call.
 *
 * @example
 * ```ts
 * import { disposable } from "@qkv/core";
 *
 * const freed: string[] = [];
 * {
 *   using file = { name: "a", ...disposable(() => void freed.push("a")) };
 *   file.name; // => "a"
 * }
 * freed; // => ["a"]
 * ```
 */
export function disposable(free: () => void): { [Symbol.dispose](): void } {
  return { [Symbol.dispose ?? Symbol("dispose")]: free } as never;
}

/**
 * An object with the method that `await using` calls and awaits at the end of a block.
 *
 * @param free - Frees the resources. It must allow a second call.
 *
 * @example
 * ```ts
 * import { asyncDisposable } from "@qkv/core";
 *
 * const freed: string[] = [];
 * {
 *   await using worker = { name: "b", ...asyncDisposable(async () => void freed.push("b")) };
 *   worker.name; // => "b"
 * }
 * freed; // => ["b"]
 * ```
 */
export function asyncDisposable(free: () => Promise<void>): { [Symbol.asyncDispose](): Promise<void> } {
  return { [Symbol.asyncDispose ?? Symbol("asyncDispose")]: free } as never;
}
