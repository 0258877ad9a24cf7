import { checks, FormatError, type Checks } from "@qkv/core";
import { fileSystem, findFile, kindOfPath, readWhole } from "./open-file.js";

/** Options for looking a repository up in the hub's cache. */
export type HubSnapshotOptions = {
  /** A branch, tag or commit. Default: `main`. */
  revision?: string;
  /** Folder of the cache. Default: that of `hubCacheFolder`. */
  cache?: string;
};

/**
 * The folder in which `huggingface_hub` of Python keeps what it downloads: `HF_HUB_CACHE`, else `HF_HOME/hub`, else
 * `huggingface/hub` in `XDG_CACHE_HOME` or in `.cache` of the home folder. Undefined where there are no files, as in a page.
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
  const named = HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE;
  if (named) return named;
  if (HF_HOME) return `${HF_HOME}/hub`;
  const home = HOME || USERPROFILE;
  const caches = XDG_CACHE_HOME || (home && `${home}/.cache`);
  return caches ? `${caches}/huggingface/hub` : undefined;
}

/**
 * True if the environment asks for no network, as Python's libraries read it: `HF_HUB_OFFLINE` or `TRANSFORMERS_OFFLINE` is 1,
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
 * The folder of a repository's files in the hub's cache, where a download of `huggingface_hub`, `hf download` or `qkv` left
 * them: `models--OWNER--NAME/snapshots/COMMIT`. It asks no server, and the folder may lack files that nobody has asked for.
 *
 * @param repo - `owner/name`, or `name` alone for those of old.
 * @returns Its path, for `load` and `loadTokenizer`; undefined if the cache does not have this revision.
 * @throws {ArgumentError} If `repo` is no name of a repository.
 * @throws {FormatError} If the file that names the commit of a branch is damaged.
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

/** Looks a repository up for a function, whose name errors carry. */
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

/** The commit that a branch or tag stood for at its last download. */
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
