import { DeviceError, VersionError } from "@qkv/core";
import type { Progress } from "@qkv/transformer";
import { createBirpc, type BirpcReturn } from "birpc";
import { holdLock, onceReleased } from "./locks.js";
import type { Port } from "./port.js";
import { protocolVersion, type ClientFunctions, type WorkerFunctions } from "./protocol.js";
import { randomName } from "./random-name.js";
import { unwrapResult, type SentResult } from "./sent-error.js";
import { transferables } from "./transferables.js";

declare const __VERSION__: string;

type Arguments<Name extends keyof WorkerFunctions> =
  Parameters<WorkerFunctions[Name]> extends [string, ...infer Rest] ? Rest : never;
type Answer<Name extends keyof WorkerFunctions> =
  Awaited<ReturnType<WorkerFunctions[Name]>> extends SentResult<infer T> ? T : never;

type Reason = { readonly received: string; readonly fix: string };

/** The client's side of a channel: one model of this program in a worker. */
export class Connection {
  readonly #port: Port;
  readonly #client = randomName();
  readonly #rpc: BirpcReturn<WorkerFunctions, ClientFunctions, false>;
  #pendingCalls = 0;
  #lastWorkId = 0;
  #isConnected = false;
  /** Aborts the request for the worker's lock. */
  readonly #lockRequest = new AbortController();
  #release: (() => void) | undefined;
  /** Set when the connection has ended: the reason, for errors. */
  #ended: Reason | undefined;

  constructor(port: Port, onProgress: ((progress: Progress) => void) | undefined) {
    this.#port = port;
    const listeners = new Map<unknown, () => void>();
    const functions: ClientFunctions = {
      progress: (client, progress) => {
        if (client === this.#client) onProgress?.(progress);
      },
    };
    this.#rpc = createBirpc<WorkerFunctions, ClientFunctions, false>(functions, {
      post: (message) => port.post(message, transferables(message)),
      on: (f) => listeners.set(f, port.listen(f)),
      off: (f) => listeners.get(f)?.(),
      timeout: -1,
      proxify: false,
    });
    port.onEnd((received) =>
      this.#endFor({ received, fix: this.#isConnected ? fixAfterStart : fixBeforeStart }),
    );
    port.keepRunning(false);
  }

  /** A new identifier for work that can be aborted. */
  nextWorkId(): number {
    return (this.#lastWorkId += 1);
  }

  /** Exchanges protocol versions and the names of locks, so that each side notices the end of the other. Refuses a worker of another protocol version. */
  async handshake(): Promise<void> {
    const lock = `@qkv/worker ${this.#client}`;
    this.#release = await holdLock(lock);
    const hello = await this.call(
      "load",
      "hello",
      protocolVersion,
      this.#release && lock,
      this.#port.isShared,
    );
    if (hello.protocolVersion !== protocolVersion) {
      throw new VersionError({
        fn: "load",
        argument: "worker",
        received: `a worker of @qkv/worker ${hello.version}`,
        expected: `one of @qkv/worker ${__VERSION__}`,
        fix: "close the other tabs of this site, or build the worker with the same version.",
      });
    }
    this.#isConnected = true;
    if (hello.lock === undefined) return;
    const onWorkerEnd = () => this.#endFor({ received: "one that ended", fix: fixAfterStart });
    onceReleased(hello.lock, onWorkerEnd, this.#lockRequest.signal);
  }

  /** Calls a function of the worker. `fn`: the function of this package that errors name. */
  async call<Name extends keyof WorkerFunctions>(
    fn: string,
    name: Name,
    ...values: Arguments<Name>
  ): Promise<Answer<Name>> {
    if (this.#ended) throw this.#endError(fn);
    this.#pendingCalls += 1;
    this.#port.keepRunning(true);
    try {
      const call = this.#rpc.$call as (
        name: string,
        ...values: unknown[]
      ) => Promise<SentResult<Answer<Name>>>;
      const answer = await call(name, this.#client, ...values).catch((error: unknown) => {
        throw this.#ended ? this.#endError(fn) : error;
      });
      if (this.#ended) throw this.#endError(fn);
      return unwrapResult(answer);
    } finally {
      this.#pendingCalls -= 1;
      if (this.#pendingCalls === 0 && !this.#ended) this.#port.keepRunning(false);
    }
  }

  /** Releases the share of the model. Running work is aborted. */
  async leave(): Promise<void> {
    if (this.#ended) return;
    this.#ended = disposed;
    if (!this.#port.isOwn) await this.#rpc.$call("leave", this.#client).catch(() => undefined);
    await this.#close();
  }

  /** Closes the channel at once: a dedicated worker is terminated, other workers are notified. */
  end(): void {
    if (this.#ended) return;
    if (!this.#port.isOwn) void this.#rpc.$callEvent("leave", this.#client);
    this.#endFor(disposed);
  }

  #endFor(reason: Reason): void {
    this.#ended ??= reason;
    void this.#close();
  }

  #close(): void | Promise<void> {
    if (this.#rpc.$closed) return;
    this.#rpc.$close();
    this.#lockRequest.abort();
    this.#release?.();
    return this.#port.close();
  }

  #endError(fn: string): DeviceError {
    const { received, fix } = this.#ended!;
    return new DeviceError({ fn, argument: "worker", received, expected: "a worker that answers", fix });
  }
}

const disposed: Reason = { received: "a model that was disposed of", fix: "`load` it again." };

const fixBeforeStart =
  'its file is dist/model-worker.js of @qkv/worker. In Vite\'s server exclude the package: `optimizeDeps: { exclude: ["@qkv/worker"] }`. ' +
  "Where a bundler copies no workers, copy the file beside the bundle, or pass `worker`.";
const fixAfterStart =
  '`load` the model again. An engine ends a worker that needs more memory than there is: `quantize: "int8"` needs a quarter.';
