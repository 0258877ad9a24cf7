import { checks, describeValue } from "@qkv/core";
import { readFile, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { cachePath } from "./cache-path.js";
import type { CacheOptions } from "./cache-options.js";
import { fetchFile } from "./fetch-file.js";
import { openHubRepository, type HubRepository } from "./hub-repository.js";
import { moduleFiles, modulesFile } from "./module-files.js";

/** Optional files of a model besides its configuration and weights. */
const smallModelFiles = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "tokenizer.model",
  "vocab.json",
  "merges.txt",
  "vocab.txt",
  "chat_template.jinja",
  modulesFile,
];

/**
 * Downloads a model unless it is cached, and returns its path. A path is returned unchanged.
 *
 * A file is written under a temporary name and renamed when it is complete, so that an interrupted download leaves no file that
 * looks complete. A response that is not a file of a model, such as a login page, is refused and not cached.
 *
 * @param source - A path, a URL, or the name of a repository, `owner/name`. A repository is cached in the
 *   layout of Python's `huggingface_hub`, so that both share downloads.
 * @returns A path.
 */
export async function downloadModel(source: string, options: CacheOptions): Promise<string> {
  const isUrl = /^https?:\/\//.test(source);
  const isRepository = /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(source) && !(await exists(source));
  if (!isUrl && !isRepository) return source;
  const hub = options.hub ?? process.env["HF_ENDPOINT"] ?? "https://huggingface.co";
  const url = new URL(isUrl ? source : `${hub}/${source}/resolve/main/`);
  const root = options.folder ?? process.env["QKV_CACHE"] ?? join(homedir(), ".cache", "qkv");
  const folder = cachePath(root, url);
  if (/\.(bin|gguf)$/.test(url.pathname)) {
    await fetchFile(url, folder, options);
    return folder;
  }
  // An empty file that marks a complete download: all files were requested, and stored if the server has them.
  const completeMarker = join(folder, ".fetched");
  if (await exists(completeMarker)) return folder;
  const repository = isRepository ? await openHubRepository(source, hub, options) : undefined;
  if (repository) {
    await fetchModel(source, repository);
    return repository.folder;
  }
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  const get = async (name: string) => {
    const file = new URL(url);
    file.pathname += name;
    return fetchFile(file, join(folder, name), { ...options, optional: true });
  };
  await fetchModel(source, { folder, get });
  await writeFile(completeMarker, "");
  return folder;
}

/** Fetches all files of a model: configuration, weights, and optional files. */
async function fetchModel(source: string, { folder, get }: HubRepository): Promise<void> {
  const refuse = (received: string, expected: string, fix: string): never =>
    checks("qkv").refuse({ argument: "model", received, expected, fix });
  if (!(await get("config.json")))
    refuse(source, "a folder with config.json, and there is none", "check the name or the address.");
  if (!(await get("model.safetensors"))) {
    const index = "model.safetensors.index.json";
    if (!(await get(index)))
      refuse(source, "safetensors files, and there are none", "choose a model that has them.");
    for (const name of shardFiles(await readFile(join(folder, index), "utf8"))) {
      if (typeof name !== "string" || !/^\w[\w.-]*$/.test(name))
        return refuse(describeValue(name), "names of files beside the index", "choose another model.");
      if (!(await get(name)))
        refuse(`${source}: ${name}`, "a file that the index names", "choose another model.");
    }
  }
  for (const name of smallModelFiles) await get(name);
  if (!(await exists(join(folder, modulesFile)))) return;
  for (const name of moduleFiles(await readFile(join(folder, modulesFile), "utf8"))) await get(name);
}

/** Names of the shards in a safetensors index. */
function shardFiles(text: string): Set<unknown> {
  const index: unknown = JSON.parse(text);
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  return new Set(Object.values(typeof map === "object" && map !== null ? map : {}));
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
