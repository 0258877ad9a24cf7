import type { Device, Storage, TypedArray } from "@qkv/tensor";

/** The most numbers that are read at once, without `await x.read()`, from a device that gives them later. */
export const mostReads = 32;

/**
 * Runs code that reads `x.data` on a device whose numbers come later, as those of a GPU do: a run ends at the first number
 * that is not there yet, and is repeated with it. Each run of the same code asks for the same numbers in the same order.
 */
export class Replay {
  readonly #device: Device;
  readonly #array: Device["array"];
  #answers: TypedArray[] = [];
  #asked = 0;
  #missing: Storage | undefined;
  /** Answers since the last operation, which may have changed any number. */
  readonly #since = new Map<Storage, TypedArray>();

  /** @param device - The caller's own: its methods `array` and `countCall` are replaced. */
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
   * Runs `once` until it has all numbers.
   *
   * @param once - One run. What it throws for a number that is missing does not count.
   * @throws {Error} The error of the last run; and where a run reads more than `mostReads` numbers that are not there.
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
      // Code may have caught the error that ended it here.
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
