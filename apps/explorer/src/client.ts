import { createBirpc, type BirpcReturn } from "birpc";
import { cancelFlag } from "./cancel-flag";
import type {
  AnswerOf,
  Asked,
  ModelFacts,
  ModelSource,
  PageFunctions,
  QuestionOf,
  SessionName,
  WorkerFunctions,
} from "./protocol";

/** The work that is under way. */
export type Work = {
  /** True while a question waits for its answer. */
  readonly isOpen: boolean;
  /** The part of its pass that is done, 0 to 1. */
  readonly part: number;
  /** False while the worker computes, also what nobody waits for any more. */
  readonly isFree: boolean;
};

export const noWork: Work = { isOpen: false, part: 0, isFree: true };

/** The page's end of the worker that holds the model. Whoever cancels a question waits no longer, and soon the worker does not either. */
export class LensClient {
  readonly #worker: Worker;
  readonly #rpc: BirpcReturn<WorkerFunctions, PageFunctions, false>;
  readonly #open = new Map<number, { cancel: () => void; part: number }>();
  readonly #listeners = new Set<() => void>();
  #numbered = 0;
  /** Calls that the worker has not answered, the cancelled ones included. */
  #unanswered = 0;
  #work = noWork;

  constructor(worker: Worker) {
    this.#worker = worker;
    const functions: PageFunctions = {
      progress: (id, part) => {
        const one = this.#open.get(id);
        if (one) one.part = part;
        this.#tell();
      },
    };
    this.#rpc = createBirpc<WorkerFunctions, PageFunctions, false>(functions, {
      post: (message) => worker.postMessage(message),
      on: (f) => worker.addEventListener("message", ({ data }: MessageEvent) => f(data)),
      timeout: -1,
      proxify: false,
    });
    worker.addEventListener("error", ({ message }) => {
      for (const { cancel } of [...this.#open.values()]) cancel();
      reportError(new Error(`The model's worker ended: ${message}`));
    });
  }

  load(source: ModelSource, signal?: AbortSignal): Promise<ModelFacts> {
    return this.#call((asked) => this.#rpc.$call("load", asked, source), signal);
  }

  ask<Name extends SessionName>(
    name: Name,
    question: QuestionOf<Name>,
    signal?: AbortSignal,
  ): Promise<AnswerOf<Name>> {
    const answer = this.#call((asked) => this.#rpc.$call("ask", asked, name, question), signal);
    return answer as Promise<AnswerOf<Name>>;
  }

  figure(text: string, removed: string, name: string) {
    return this.#call((asked) => this.#rpc.$call("figure", asked, text, removed, name), undefined);
  }

  /** Cancels all questions that are open. */
  cancel(): void {
    for (const { cancel } of [...this.#open.values()]) cancel();
  }

  /** Ends the worker, and its memory with it. */
  end(): void {
    this.cancel();
    this.#worker.terminate();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly work = (): Work => this.#work;

  async #call<T>(send: (asked: Asked) => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    signal?.throwIfAborted();
    const id = (this.#numbered += 1);
    const flag = cancelFlag();
    try {
      return await new Promise<T>((resolve, reject) => {
        const cancel = () => {
          flag.cancel();
          reject(new DOMException("The question was cancelled.", "AbortError"));
        };
        signal?.addEventListener("abort", cancel);
        this.#open.set(id, { cancel, part: 0 });
        this.#tell();
        this.#unanswered += 1;
        send({ id, flag: flag.sent })
          .then(resolve, reject)
          .finally(() => {
            this.#unanswered -= 1;
            // The worker looks at the flag for as long as it computes.
            flag.free();
            this.#tell();
          });
      });
    } finally {
      this.#open.delete(id);
      this.#tell();
    }
  }

  #tell(): void {
    const parts = [...this.#open.values()].map(({ part }) => part);
    const isOpen = parts.length > 0;
    this.#work = { isOpen, part: isOpen ? Math.max(...parts) : 0, isFree: this.#unanswered === 0 };
    for (const listener of this.#listeners) listener();
  }
}
