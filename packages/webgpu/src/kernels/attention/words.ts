import type { GpuBuffer } from "../../buffers.js";
import type { ForwardContext } from "../../context.js";

type Kept = {
  readonly engine: ForwardContext["engine"];
  readonly words: Int32Array;
  readonly buffer: GpuBuffer;
};

/** Bytes of words that are kept, and the most lists of them. */
const [mostBytes, mostLists] = [2 ** 22, 64];

/**
 * Small lists of words on the GPU, found again by what they hold: the layers of a model ask for the same ones one after the
 * other. A buffer is written only while no recorded work reads it, so that a token stays one submission.
 */
export class Words {
  /** The one that was used last is the last. */
  readonly #kept: Kept[] = [];
  #bytes = 0;

  buffer({ engine, store }: ForwardContext, words: Int32Array): GpuBuffer {
    const same = this.#kept.findLastIndex((one) => one.engine === engine && isEqual(one.words, words));
    const [known] = same < 0 ? [] : this.#kept.splice(same, 1);
    if (known) {
      this.#kept.push(known);
      return known.buffer;
    }
    const buffer = engine.buffers.allocate(store.op, words.byteLength);
    engine.write(buffer, words);
    this.#kept.push({ engine, words, buffer });
    this.#bytes += words.byteLength;
    while (this.#kept.length > 1 && (this.#bytes > mostBytes || this.#kept.length > mostLists)) {
      const oldest = this.#kept.shift()!;
      this.#bytes -= oldest.words.byteLength;
      if (!oldest.engine.lost && !oldest.engine.closed) oldest.engine.buffers.free(oldest.buffer);
    }
    return buffer;
  }
}

function isEqual(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}
