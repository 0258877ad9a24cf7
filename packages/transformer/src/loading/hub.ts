import { isQkvError } from "@qkv/core";
import type { Folder } from "./folder.js";
import { boundedFetch } from "./bounded-fetch.js";
import { findFile, type Reading } from "./open-file.js";

/** Access to a repository of the Hugging Face Hub. */
export type HubOptions = {
  /** A branch, tag or commit. Default: `main`. */
  revision?: string;
  /** For repositories that ask for one. */
  accessToken?: string;
  /** Another hub's address. Default: that of Hugging Face. */
  url?: string;
  /** `await import("@huggingface/hub")`, where a bundler must see the import. Default: it is imported when it is used. */
  client?: HubClient;
};

/** The part of `@huggingface/hub` that is used. */
export type HubClient = {
  downloadFile(params: {
    repo: string;
    path: string;
    revision?: string;
    accessToken?: string;
    hubUrl?: string;
    fetch?: typeof fetch;
  }): Promise<Blob | null>;
};

/** True if a text is the name of a repository: an owner and a name. */
export const isRepository = (text: string): boolean => /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(text);

/** The files of a repository, read from the hub by the stretches that are needed. */
export async function hubFolder(repo: string, hub: HubOptions, reading: Reading): Promise<Folder> {
  if (hub.accessToken !== undefined && /^http:/i.test(hub.url ?? "")) {
    reading.check.refuse({
      argument: "hub.url",
      received: hub.url,
      expected: "an address of https, as a token goes with each request",
      fix: "use https, or leave `accessToken` out.",
    });
  }
  const { downloadFile } = hub.client ?? (await importClient(repo, reading));
  const { signal, check } = reading;
  return {
    name: repo,
    reading,
    async find(path, limits) {
      signal?.throwIfAborted();
      try {
        const blob = await downloadFile({
          repo,
          path,
          ...(hub.revision !== undefined && { revision: hub.revision }),
          ...(hub.accessToken !== undefined && { accessToken: hub.accessToken }),
          ...(hub.url !== undefined && { hubUrl: hub.url }),
          fetch: boundedFetch(reading),
        });
        return blob
          ? await findFile(Object.assign(blob, { name: `${repo}/${path}` }), { ...reading, ...limits })
          : undefined;
      } catch (cause) {
        if (signal?.aborted || isQkvError(cause)) throw cause;
        return check.refuse({
          received: `${repo}/${path}`,
          expected: `a file of the hub, which says: ${cause instanceof Error ? cause.message : String(cause)}`,
          fix: "check the name of the repository, the network, and whether it needs an `accessToken`.",
          cause,
        });
      }
    },
  };
}

async function importClient(repo: string, { check }: Reading): Promise<HubClient> {
  // By a name that bundlers do not follow: the client is optional.
  const name = "@huggingface/hub";
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as HubClient;
  } catch (cause) {
    return check.refuse({
      received: repo,
      expected: "a path or an address, since the hub's client is not installed",
      fix: 'npm install @huggingface/hub; in a bundle, pass `hub: { client: await import("@huggingface/hub") }`.',
      cause,
    });
  }
}
