import type { Answered, Asked, Question } from "./worker";

type AnsweredQuestion = Extract<Answered, { id: number }>;

/** Sends requests to the worker of the first page. Only the latest request of each kind is answered. */
export class Answers {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { type: string; done: (answered: AnsweredQuestion) => void }>();
  #count = 0;

  /** @param deviceChanged - Called when the worker changes to another device. */
  constructor(worker: Worker, deviceChanged: () => void) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Answered>) => {
      if (data.id === undefined) return deviceChanged();
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      waiting?.done(data);
    };
  }

  /** Resolves with `undefined` if a later request of the same kind replaced this one. */
  ask<T>(question: Question): Promise<T | undefined> {
    for (const [id, { type, done }] of this.#waiting) {
      if (type !== question.type) continue;
      this.#waiting.delete(id);
      done({ id });
    }
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      const done = ({ answer, error }: AnsweredQuestion) =>
        error === undefined ? resolve(answer as T | undefined) : reject(new Error(error));
      this.#waiting.set(id, { type: question.type, done });
      this.#worker.postMessage({ id, question } satisfies Asked);
    });
  }

  end(): void {
    this.#worker.terminate();
  }
}
