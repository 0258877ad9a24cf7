/** The last bytes of a stream: at least `context`, if there are as many, and a bounded number more. */
export class History {
  readonly #context: number;
  #buffer = new Uint8Array(256);
  #length = 0;

  constructor(context = Infinity) {
    this.#context = context;
  }

  /** A view, valid until the next `push`. */
  get bytes(): Uint8Array {
    const start = Math.max(0, this.#length - this.#context);
    return this.#buffer.subarray(start, this.#length);
  }

  push(byte: number): void {
    if (this.#length === this.#buffer.length) {
      const recent = this.bytes;
      const buffer = recent.length > this.#length / 2 ? new Uint8Array(2 * this.#length) : this.#buffer;
      buffer.set(recent);
      this.#length = recent.length;
      this.#buffer = buffer;
    }
    this.#buffer[this.#length++] = byte;
  }
}
