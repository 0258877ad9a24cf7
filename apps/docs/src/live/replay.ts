import type { Device, Storage, TypedArray } from "@qkv/tensor";

/** Maximum number of synchronous reads, without `await x.read()`, from an asynchronous device. */
export const mostReads = 32;

/**
 * Runs code with synchronous reads of `x.data` on an asynchronous device, such as a GPU: a run is aborted at the first read
 * of missing data, and repeated when it is available. Each run of the same code makes the same requests in the same order.
 */
export class Replay {
  readonly #device: Device;
  readonly #array: Device["array"];
  #answers: TypedArray[] = [];
  #asked = 0;
  #missing: Storage | undefined;
  /** Responses since the last operation, which may have changed any tensor. */
  readonly #since = new Map<Storage, TypedArray>();

  /** @param device - Used by the caller only: its methods `array` and `countCall` are replaced. */
  constructor(device: Device) {
    this.#device = device;
    this.#array = device.array.bind(device);
    const countCall = device.countCall.bind(device);
    device.array = (storage, use) => this.#read(storage, use);
    device.countCall = (op, ranOn) => {
      this.#since.clear();
      countCall(op, ranOn);
    };
  }

  /**
   * Calls `once` until all data is available.
   *
   * @param once - One run. Errors for missing data are ignored.
   * @throws {Error} The error of the last run; or if a run makes more than `mostReads` reads of missing data.
   */
  async run(once: () => Promise<void>): Promise<void> {
    this.#answers = [];
    for (;;) {
      [this.#asked, this.#missing] = [0, undefined];
      this.#since.clear();
      const outcome = await once().then(
        () => ({ threw: false }) as const,
        (error: unknown) => ({ threw: true, error }) as const,
      );
      // The code may have caught the error that aborted it here.
      const missing = this.#missing as Storage | undefined;
      if (missing === undefined) {
        if (outcome.threw) throw outcome.error;
        return;
      }
      if (this.#answers.length === mostReads)
        throw new Error(
          `The code reads more than ${mostReads} results at once. A GPU gives them to code that waits: write \`await x.read()\` for \`x.data\`.`,
        );
      this.#answers.push(await this.#device.fetch!(missing));
    }
  }

  #read(storage: Storage, use?: "read"): TypedArray {
    if (!this.#device.isPending?.(storage)) return this.#array(storage, use);
    const known = this.#since.get(storage);
    if (known) return known;
    const answer = this.#answers[this.#asked++];
    if (answer) {
      this.#since.set(storage, answer);
      return answer;
    }
    this.#missing ??= storage;
    throw new Error("a number that is not there yet");
  }
}
