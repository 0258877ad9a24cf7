import { DeviceError } from "@qkv/core";
import { createBirpc, type BirpcReturn } from "birpc";
import { ownPort, createPort, type Endpoint, type Port } from "../port.js";
import { unwrapResult, type SentResult } from "../sent-error.js";

/** Functions of a worker; each resolves with a value or an error. */
export type ThreadFunctions<F> = { [Name in keyof F]: (...values: never[]) => Promise<SentResult<unknown>> };

type Answer<F> = F extends (...values: never[]) => Promise<SentResult<infer T>> ? T : never;

/** The caller's side of a channel to one worker. */
export class Thread<F extends ThreadFunctions<F>> {
  readonly #fn: string;
  readonly #serve: string;
  readonly #port: Port;
  readonly #rpc: BirpcReturn<F, object, false>;
  /** Set when the worker has ended: the reason, for errors. */
  #ended: string | undefined;

  /** For errors: `fn` is the function that opened the worker, `serve` the one that its module calls. */
  constructor(fn: string, serve: string, worker: Endpoint) {
    [this.#fn, this.#serve] = [fn, serve];
    const port = "terminate" in worker ? ownPort(worker as Worker) : createPort(worker);
    const listeners = new Map<unknown, () => void>();
    this.#port = port;
    this.#rpc = createBirpc<F, object, false>(
      {},
      {
        post: (message) => port.post(message, []),
        on: (f) => listeners.set(f, port.listen(f)),
        off: (f) => listeners.get(f)?.(),
        timeout: -1,
        proxify: false,
      },
    );
    port.onEnd((reason) => {
      this.#ended ??= reason;
      if (!this.#rpc.$closed) this.#rpc.$close();
    });
    port.keepRunning(false);
  }

  async call<Name extends keyof F & string>(
    name: Name,
    ...values: Parameters<F[Name]>
  ): Promise<Answer<F[Name]>> {
    this.#refuseEnded();
    this.#port.keepRunning(true);
    try {
      const call = this.#rpc.$call as unknown as (
        name: string,
        ...values: unknown[]
      ) => Promise<SentResult<Answer<F[Name]>>>;
      const answer = await call(name, ...values).catch((error: unknown) => {
        this.#refuseEnded();
        throw error;
      });
      return unwrapResult(answer);
    } finally {
      if (this.#ended === undefined) this.#port.keepRunning(false);
    }
  }

  #refuseEnded(): void {
    if (this.#ended === undefined) return;
    throw new DeviceError({
      fn: this.#fn,
      argument: "worker",
      received: this.#ended,
      expected: "a worker that answers",
      fix: `its module must call \`${this.#serve}\`; open new workers to resume from the last checkpoint.`,
    });
  }

  async close(): Promise<void> {
    this.#ended ??= "one that was closed";
    if (!this.#rpc.$closed) this.#rpc.$close();
    await this.#port.close();
  }
}
