import { isQkvError } from "@qkv/core";
import { openFolder, type Folder } from "./folder.js";
import { boundedFetch } from "./bounded-fetch.js";
import { isHubOffline, snapshotFolder } from "./hub-cache.js";
import { findFile, readWhole, smallFiles, type Reading } from "./open-file.js";
import { storedRepository } from "./stored-repository.js";

/** Access to a repository of the Hugging Face Hub. */
export type HubOptions = {
  /** A branch, tag or commit. Default: `main`. */
  revision?: string;
  /** Access token, for private or gated repositories. */
  accessToken?: string;
  /** URL of another hub. Default: the Hugging Face Hub. */
  url?: string;
  /** `await import("@huggingface/hub")`, if a bundler must see the import. Default: it is imported on use. */
  client?: HubClient;
  /**
   * Folder of the cache of the hub, in Node; `false` disables it. A model that is complete in the cache is read from it without
   * requests. Default: the cache of Python's `huggingface_hub`.
   */
  cache?: string | false;
  /** True: only the cache is used. Default: false, unless `HF_HUB_OFFLINE` is 1. */
  offline?: boolean;
};

/** The used part of `@huggingface/hub`. */
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

/** True if a string is a repository name: `owner/name`. */
export const isRepository = (text: string): boolean => /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(text);

/** The files of a repository: from the cache if it is complete there, else from the hub, in the byte ranges that are needed. */
export async function hubFolder(repo: string, hub: HubOptions, reading: Reading): Promise<Folder> {
  if (reading.store) return storedRepository(repo, hub, reading);
  const { revision, cache, offline = isHubOffline() } = hub;
  const lookup = { ...(revision !== undefined && { revision }), ...(cache && { cache }) };
  const snapshot = cache === false ? undefined : await snapshotFolder(reading.check, repo, lookup);
  const cached = snapshot === undefined ? undefined : openFolder(snapshot, reading);
  if (cached && (offline || (await isComplete(cached)))) return cached;
  if (offline) {
    return reading.check.refuse({
      received: repo,
      expected: `a model in the hub's cache, as \`offline\` or HF_HUB_OFFLINE asks for, and ${revision ?? "main"} of this one is not there`,
      fix: `download it once: \`hf download ${repo}\` or \`qkv inspect ${repo}\`; or leave \`offline\` out.`,
    });
  }
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

/** True if a folder has the configuration and all weights of a model. Other files may be missing. */
async function isComplete(folder: Folder): Promise<boolean> {
  if (!(await folder.find("config.json"))) return false;
  if (await folder.find("model.safetensors")) return true;
  const index = await folder.find("model.safetensors.index.json", smallFiles.index);
  if (!index) return false;
  const names = shardNames(new TextDecoder().decode(await readWhole(index)));
  for (const name of names ?? []) if (!(await folder.find(name))) return false;
  return names !== undefined;
}

/** The files named in a weights index; undefined if it is damaged. */
function shardNames(text: string): Set<string> | undefined {
  try {
    const { weight_map: map } = JSON.parse(text) as { weight_map: Record<string, string> };
    return new Set(Object.values(map));
  } catch {
    return undefined;
  }
}

async function importClient(repo: string, { check }: Reading): Promise<HubClient> {
  // In a variable, so that bundlers do not resolve the optional dependency.
  const name = "@huggingface/hub";
  try {
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as HubClient;
  } catch (cause) {
    return check.refuse({
      received: repo,
      expected: "a path or an address, since `@huggingface/hub`, which reads repositories, is not installed",
      fix: 'run `npm install @huggingface/hub`; in a bundle, pass `hub: { client: await import("@huggingface/hub") }`.',
      cause,
    });
  }
}
