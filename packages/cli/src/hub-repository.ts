import { checks, isQkvError } from "@qkv/core";
import { hubCacheFolder, hubSnapshot, isHubOffline } from "@qkv/transformer";
import { lstat, mkdir, rename, rm, stat, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, relative } from "node:path";
import type { CacheOptions } from "./cache-options.js";
import { fetchFile } from "./fetch-file.js";
import { hubFile } from "./hub-file.js";

/** Local files of a repository, in the cache layout of Python's `huggingface_hub`. */
export type HubRepository = {
  /** The folder of its files, `models--OWNER--NAME/snapshots/COMMIT`. */
  readonly folder: string;
  /** Downloads a file unless it is cached. False: the repository has no such file. */
  get(name: string): Promise<boolean>;
};

/**
 * Opens a repository in the hub's cache. `blobs` has each content once, named by its digest; `snapshots/COMMIT` has symbolic
 * links to them, `refs/BRANCH` the commit of a branch, and `.no_exist` empty files for files that the repository lacks.
 *
 * @param hub - URL of the hub.
 * @returns Undefined if the server is not a hub: it states neither commits nor digests.
 * @throws {ArgumentError} In offline mode, if the repository is not cached.
 */
export async function openHubRepository(
  repo: string,
  hub: string,
  options: CacheOptions,
): Promise<HubRepository | undefined> {
  const cache = options.folder ?? process.env["QKV_CACHE"] ?? hubCacheFolder() ?? join(homedir(), ".cache");
  const repositoryFolder = join(cache, `models--${repo.replace("/", "--")}`);
  const snapshot = await hubSnapshot(repo, { cache });
  if (isHubOffline()) {
    const folder = snapshot ?? refuseOffline(repo, cache);
    return { folder, get: (name) => exists(join(folder, name)) };
  }
  const commit = snapshot ? basename(snapshot) : await commitOfMain(repo, hub, options);
  if (commit === undefined) return undefined;
  const folder = join(repositoryFolder, "snapshots", commit);
  if (!snapshot) {
    await writeWithFolder(join(repositoryFolder, "refs/main"), commit);
    await mkdir(folder, { recursive: true });
  }
  return {
    folder,
    async get(name) {
      const [path, absent] = [join(folder, name), join(repositoryFolder, ".no_exist", commit, name)];
      if (await exists(path)) return true;
      if (await exists(absent)) return false;
      const url = new URL(`${hub}/${repo}/resolve/${commit}/${name}`);
      const file = await hubFile(url, options).catch((error: unknown) => {
        // Offline, the files that another program cached are used, as they may suffice.
        if (!snapshot || !isQkvError(error)) throw error;
        return undefined;
      });
      if (file === "missing") await writeWithFolder(absent, "");
      if (file === "missing" || file === undefined) return false;
      const tag = file === "unstated" ? `${commit}-${name.replaceAll("/", "-")}` : file.tag;
      const blob = join(repositoryFolder, "blobs", tag);
      await fetchFile(url, blob, { ...options, name: `${repo}: ${name}` });
      await link(blob, path);
      return true;
    },
  };
}

async function commitOfMain(repo: string, hub: string, options: CacheOptions): Promise<string | undefined> {
  const file = await hubFile(new URL(`${hub}/${repo}/resolve/main/config.json`), options);
  return typeof file === "string" ? undefined : file.commit;
}

function refuseOffline(repo: string, cache: string): never {
  return checks("qkv").refuse({
    argument: "model",
    received: repo,
    expected: `a model in ${cache}, as HF_HUB_OFFLINE requires, and it is not there`,
    fix: "download it once without HF_HUB_OFFLINE.",
  });
}

/** Links a file to a blob, or moves the blob there if the system does not allow symbolic links. */
async function link(blob: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  // Removes a broken link.
  if (await lstat(path).catch(() => undefined)) await rm(path, { force: true });
  try {
    await symlink(relative(dirname(path), blob), path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "EPERM" && code !== "ENOSYS") throw error;
    await rename(blob, path);
  }
}

async function writeWithFolder(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
