import type { Answered, Asked, Question } from "./worker";

type AnsweredQuestion = Extract<Answered, { id: number }>;

/** Asks the worker of the first page. Of questions of one kind only the latest is answered. */
export class Answers {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { type: string; done: (answered: AnsweredQuestion) => void }>();
  #count = 0;

  /** @param deviceChanged - Told that questions are from now on answered on another device. */
  constructor(worker: Worker, deviceChanged: () => void) {
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Answered>) => {
      if (data.id === undefined) return deviceChanged();
      const waiting = this.#waiting.get(data.id);
      this.#waiting.delete(data.id);
      waiting?.done(data);
    };
  }

  /** Resolves with `undefined` where a later question of the same kind took this one's place. */
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
