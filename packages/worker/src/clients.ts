import type { HubClient } from "@qkv/transformer";
import { holdLock, onceReleased } from "./locks.js";
import { randomName } from "./random-name.js";
import { Session } from "./session.js";
import { endUnlessUsed } from "./shared-lock.js";
import { SharedModels } from "./shared-models.js";

/** All clients of a worker, on all of its ports. A client is one `WorkerModel` of a page or thread. */
export class Clients {
  readonly #sessions = new Map<string, Session>();
  readonly #models = new SharedModels();
  readonly #hub: HubClient | undefined;
  #lock: Promise<string | undefined> | undefined;
  /** True if all clients so far connected with `worker: "shared"`. */
  #areShared = true;

  constructor(hub: HubClient | undefined) {
    this.#hub = hub;
  }

  /**
   * Registers a client.
   *
   * @param lock - Name of a lock that its page holds while it is open; the page of a closed tab releases it.
   * @returns The name of a lock that this worker holds while it runs.
   */
  async register(client: string, lock: string | undefined, isShared: boolean): Promise<string | undefined> {
    this.#areShared &&= isShared;
    this.session(client);
    if (lock !== undefined) onceReleased(lock, () => void this.leave(client));
    this.#lock ??= holdWorkerLock();
    return this.#lock;
  }

  /** The session of a client. Undefined: the client is unknown, or has left. */
  find(client: string): Session | undefined {
    return this.#sessions.get(client);
  }

  /** The session of a client, created if it is new. */
  session(client: string): Session {
    const session = this.find(client) ?? new Session(this.#models, this.#hub);
    this.#sessions.set(client, session);
    return session;
  }

  /** Removes a client and its reference to a model. A shared worker without clients ends. */
  async leave(client: string): Promise<void> {
    const session = this.find(client);
    if (!session) return;
    this.#sessions.delete(client);
    await session.leave();
    const isUsed = () => this.#sessions.size > 0;
    if (this.#areShared && !isUsed()) void endUnlessUsed(isUsed);
  }
}

/** Acquires a lock that this thread holds while it runs, and returns its name; undefined if there are no Web Locks. */
async function holdWorkerLock(): Promise<string | undefined> {
  const name = `@qkv/worker ${randomName()}`;
  return (await holdLock(name)) && name;
}
