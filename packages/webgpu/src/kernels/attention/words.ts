import type { GpuBuffer } from "../../buffers.js";
import type { ForwardContext } from "../../context.js";

type CachedList = {
  readonly engine: ForwardContext["engine"];
  readonly words: Int32Array;
  readonly buffer: GpuBuffer;
};

/** Capacity of the cache, in bytes and in lists. */
const [maxBytes, maxLists] = [2 ** 22, 64];

/**
 * Cache of small lists of 32-bit words on the GPU, by content: positions, block tables and tile plans of attention calls. The
 * layers of a model request the same lists in succession. A cached buffer is never written again, so no layer has to submit the
 * work of earlier ones first, and a generated token needs one submission.
 */
export class Words {
  /** In order of use, the most recent one last. */
  readonly #lists: CachedList[] = [];
  #bytes = 0;

  /** A buffer with this content, from the cache or uploaded. */
  buffer({ engine, store }: ForwardContext, words: Int32Array): GpuBuffer {
    const index = this.#lists.findLastIndex((list) => list.engine === engine && isEqual(list.words, words));
    const [cached] = index < 0 ? [] : this.#lists.splice(index, 1);
    if (cached) {
      this.#lists.push(cached);
      return cached.buffer;
    }
    const buffer = engine.buffers.allocate(store.op, words.byteLength);
    engine.write(buffer, words);
    this.#lists.push({ engine, words, buffer });
    this.#bytes += words.byteLength;
    while (this.#lists.length > 1 && (this.#bytes > maxBytes || this.#lists.length > maxLists)) {
      const oldest = this.#lists.shift()!;
      this.#bytes -= oldest.words.byteLength;
      if (!oldest.engine.lost && !oldest.engine.closed) oldest.engine.buffers.free(oldest.buffer);
    }
    return buffer;
  }
}

function isEqual(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((word, i) => word === b[i]);
}
