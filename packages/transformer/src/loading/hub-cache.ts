import { checks, FormatError, type Checks } from "@qkv/core";
import { fileSystem, findFile, kindOfPath, readWhole } from "./open-file.js";

/** Options for finding a repository in the cache of the hub. */
export type HubSnapshotOptions = {
  /** A branch, tag or commit. Default: `main`. */
  revision?: string;
  /** Folder of the cache. Default: `hubCacheFolder()`. */
  cache?: string;
};

/**
 * The cache folder of Python's `huggingface_hub`: `HF_HUB_CACHE`, else `HF_HOME/hub`, else
 * `huggingface/hub` in `XDG_CACHE_HOME` or in `.cache` of the home folder. Undefined without a file system, as in a page.
 *
 * @see https://huggingface.co/docs/huggingface_hub/guides/manage-cache, "Understand caching"
 *
 * @example
 * ```ts
 * import { hubCacheFolder } from "@qkv/transformer";
 *
 * hubCacheFolder()?.includes("hub"); // => true
 * ```
 */
export function hubCacheFolder(): string | undefined {
  if (!fileSystem()) return undefined;
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME, HOME, USERPROFILE } = environment();
  const folder = HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE;
  if (folder) return folder;
  if (HF_HOME) return `${HF_HOME}/hub`;
  const home = HOME || USERPROFILE;
  const caches = XDG_CACHE_HOME || (home && `${home}/.cache`);
  return caches ? `${caches}/huggingface/hub` : undefined;
}

/**
 * True if the environment disables the network, as for the Python libraries: `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` is 1,
 * on, yes or true.
 *
 * @example
 * ```ts
 * import { isHubOffline } from "@qkv/transformer";
 *
 * isHubOffline(); // => false
 * ```
 */
export function isHubOffline(): boolean {
  const { HF_HUB_OFFLINE, TRANSFORMERS_OFFLINE } = environment();
  return /^(1|on|yes|true)$/i.test(HF_HUB_OFFLINE || TRANSFORMERS_OFFLINE || "");
}

/**
 * Finds the files of a repository in the cache of the hub, where `huggingface_hub`, `hf download` or `qkv` have stored
 * them: `models--OWNER--NAME/snapshots/COMMIT`. It sends no requests. Files that were never downloaded may be missing.
 *
 * @param repo - `owner/name`, or only `name` for old repositories.
 * @returns The path of the folder, for `load` and `loadTokenizer`; undefined if this revision is not in the cache.
 * @throws {ArgumentError} If `repo` is not the name of a repository.
 * @throws {FormatError} If the file with the commit of a branch is damaged.
 *
 * @example
 * ```ts
 * import { hubSnapshot } from "@qkv/transformer";
 *
 * await hubSnapshot("owner/not-downloaded"); // => undefined
 * ```
 */
export async function hubSnapshot(repo: string, options?: HubSnapshotOptions): Promise<string | undefined> {
  const check = checks("hubSnapshot", { argument: "repo" });
  check.each(
    { repo },
    (value) => typeof value === "string" && /^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(value),
    "the name of a repository, owner/name",
    "write it as the hub does: Qwen/Qwen3-0.6B.",
  );
  return snapshotFolder(check, repo, check.options(options, ["revision", "cache"]));
}

/** Finds a repository on behalf of a function that errors name. */
export async function snapshotFolder(
  check: Checks<{ argument: string }>,
  repo: string,
  { revision = "main", cache = hubCacheFolder() }: HubSnapshotOptions,
): Promise<string | undefined> {
  if (cache === undefined || !fileSystem()) return undefined;
  if (typeof revision !== "string" || !/^\w[\w.-]*(\/\w[\w.-]*)*$/.test(revision)) {
    check.refuse({
      argument: "revision",
      received: revision,
      expected: "a branch, a tag or a commit",
      fix: "write it as the hub does: main, refs/pr/1, or a commit of 40 digits.",
    });
  }
  const folder = `${cache}/models--${repo.replace("/", "--")}`;
  const commit = isCommit(revision) ? revision : await resolveCommit(check, folder, revision);
  const snapshot = `${folder}/snapshots/${commit}`;
  return commit !== undefined && (await kindOfPath(snapshot)) === "folder" ? snapshot : undefined;
}

const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

/** The commit of a branch or tag at its last download. */
async function resolveCommit(
  check: Checks<{ argument: string }>,
  folder: string,
  revision: string,
): Promise<string | undefined> {
  const file = await findFile(`${folder}/refs/${revision}`, { check, maxBytes: 1024, within: folder });
  if (!file) return undefined;
  const text = new TextDecoder().decode(await readWhole(file)).trim();
  if (isCommit(text)) return text;
  return check.refuse(
    {
      argument: file.name,
      received: text,
      expected: "a commit: 40 digits",
      fix: "the file is damaged: remove it, and the next download writes it anew.",
    },
    FormatError,
  );
}

function environment(): Readonly<Record<string, string | undefined>> {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  return process?.env ?? {};
}
