import type { HubClient } from "@qkv/transformer";
import { holdLock, onceReleased } from "./locks.js";
import { randomName } from "./random-name.js";
import { Session } from "./session.js";
import { endUnlessUsed } from "./shared-lock.js";
import { SharedModels } from "./shared-models.js";

/** The clients of a worker, on all of its ports. */
export class Clients {
  readonly #sessions = new Map<string, Session>();
  readonly #models = new SharedModels();
  readonly #hub: HubClient | undefined;
  #lock: Promise<string | undefined> | undefined;
  /** True while all came by `worker: "shared"`. */
  #areShared = true;

  constructor(hub: HubClient | undefined) {
    this.#hub = hub;
  }

  /**
   * Watches a client.
   *
   * @param lock - A lock that its page holds while it lives: a tab that is closed says nothing.
   * @returns The name of a lock that this worker holds while it lives.
   */
  async greet(client: string, lock: string | undefined, isShared: boolean): Promise<string | undefined> {
    this.#areShared &&= isShared;
    this.session(client);
    if (lock !== undefined) onceReleased(lock, () => void this.leave(client));
    this.#lock ??= heldLock();
    return this.#lock;
  }

  find(client: string): Session | undefined {
    return this.#sessions.get(client);
  }

  session(client: string): Session {
    const session = this.find(client) ?? new Session(this.#models, this.#hub);
    this.#sessions.set(client, session);
    return session;
  }

  async leave(client: string): Promise<void> {
    const session = this.find(client);
    if (!session) return;
    this.#sessions.delete(client);
    await session.leave();
    const isUsed = () => this.#sessions.size > 0;
    if (this.#areShared && !isUsed()) void endUnlessUsed(isUsed);
  }
}

/** The name of a lock that this thread holds while it lives; undefined where there are no locks. */
async function heldLock(): Promise<string | undefined> {
  const name = `@qkv/worker ${randomName()}`;
  return (await holdLock(name)) && name;
}
