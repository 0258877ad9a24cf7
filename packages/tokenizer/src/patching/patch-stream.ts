import { ArgumentError, checks } from "@qkv/core";
import { checkHas } from "../check-arguments.js";
import { checkEntropy, type ByteEntropy } from "./byte-entropy.js";
import { History } from "./history.js";
import type { Patcher } from "./patcher.js";

/** Segments a stream of bytes. The concatenated patches are the bytes. */
export type PatchStream = {
  /** True if a patch starts before the next byte, whatever that byte is; for models that generate. */
  readonly startsNext: boolean;
  /** The patches that these bytes complete. A patch is complete when the next one starts. */
  push(bytes: Uint8Array): Uint8Array[];
  /** Ends the text and returns the last patch, if there were bytes. Resets the stream for a new text. */
  end(): Uint8Array[];
};

/**
 * Segments a text as it arrives. The result does not depend on how it is split between calls of `push`.
 *
 * @param entropy - Required by patchers that use entropies.
 * @throws {ArgumentError} If the patcher needs entropies and there are none, or `entropy` returns an invalid number.
 *
 * @example
 * ```ts
 * import { spacePatching, patchStream } from "@qkv/tokenizer/patching";
 *
 * const stream = patchStream(spacePatching());
 * const [bytes, text] = [new TextEncoder(), new TextDecoder()];
 * stream.push(bytes.encode("to b")).map((patch) => text.decode(patch)); // => ["to "]
 * stream.push(bytes.encode("e or")).map((patch) => text.decode(patch)); // => ["be "]
 * stream.end().map((patch) => text.decode(patch)); // => ["or"]
 * ```
 */
export function patchStream(patcher: Patcher, entropy?: ByteEntropy): PatchStream {
  checkPatcher("patchStream", patcher, entropy);
  const usedEntropy = patcher.readsEntropy ? entropy : undefined;
  let history = new History(usedEntropy?.context);
  let rule = patcher.start();
  let patch: number[] = [];
  let previous: number | undefined;
  let starts: boolean | undefined; // cached result of the rule for the next byte

  /** Calls the rule once per byte. */
  const startsNext = () => {
    if (starts !== undefined) return starts;
    const nextEntropy = usedEntropy ? checkEntropy("patchStream", usedEntropy(history.bytes)) : 0;
    const isStart = rule(previous, nextEntropy);
    return (starts = previous === undefined || isStart);
  };
  return {
    get startsNext() {
      return startsNext();
    },
    push(bytes) {
      const complete: Uint8Array[] = [];
      for (const byte of bytes) {
        if (startsNext() && patch.length > 0) {
          complete.push(Uint8Array.from(patch));
          patch = [];
        }
        patch.push(byte);
        if (usedEntropy) history.push(byte);
        previous = byte;
        starts = undefined;
      }
      return complete;
    },
    end() {
      const last = patch.length > 0 ? [Uint8Array.from(patch)] : [];
      history = new History(usedEntropy?.context);
      rule = patcher.start();
      [patch, previous, starts] = [[], undefined, undefined];
      return last;
    },
  };
}

/** @throws {ArgumentError} If the patcher needs entropies and there are none. */
export function checkPatcher(fn: string, patcher: Patcher, entropy: unknown): void {
  checkHas(checks(fn), { patcher }, ["start"], "a patcher, such as `spacePatching()`");
  if (!patcher.readsEntropy || entropy !== undefined) return;
  throw new ArgumentError({
    fn,
    argument: "entropy",
    received: undefined,
    expected: `a function of the bytes before, which ${patcher.name} reads`,
    fix: "give a model of bytes, such as `englishBytes()` of @qkv/tokenizer/english-bytes.",
  });
}
