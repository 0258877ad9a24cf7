import { ArgumentError, describeValue } from "@qkv/core";
import { randomUUID } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { checkWhole } from "./check-whole.js";
import { isFull } from "./output-file.js";
import { partsFile, poolingFile } from "./pooling.js";

/** Where a model is looked for, and what is told on the way. */
export type CacheOptions = {
  signal: AbortSignal;
  /** Default: `QKV_CACHE`, else `.cache/qkv` in the home folder. */
  folder?: string;
  /** Where repositories are. Default: `HF_ENDPOINT`, else Hugging Face. */
  hub?: string;
  onProgress?: (progress: { source: string; loaded: number; total: number | undefined }) => void;
};

/** Files of a model beside its weights; most models have some of them. */
const besideWeights = [
  "generation_config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "tokenizer.model",
  "vocab.json",
  "merges.txt",
  "vocab.txt",
  "chat_template.jinja",
  partsFile,
];

/**
 * A model on this machine: what is on a server is fetched once and kept. A path stays what it is.
 *
 * A file is written under another name and renamed when it is whole, so that a download that ends at any moment leaves
 * nothing that could be taken for the model.
 *
 * @param source - A path, an address, or the name of a repository, `owner/name`.
 * @returns A path.
 */
export async function cachedModel(source: string, options: CacheOptions): Promise<string> {
  const isAddress = /^https?:\/\//.test(source);
  const isRepository = /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(source) && !(await exists(source));
  if (!isAddress && !isRepository) return source;
  const hub = options.hub ?? process.env["HF_ENDPOINT"] ?? "https://huggingface.co";
  const url = new URL(isAddress ? source : `${hub}/${source}/resolve/main/`);
  const root = options.folder ?? process.env["QKV_CACHE"] ?? join(homedir(), ".cache", "qkv");
  const folder = join(root, (url.host + url.pathname).replace(/[^\w./-]/g, "_"));
  if (/\.(bin|gguf)$/.test(url.pathname)) {
    await fetchInto(url, folder, options);
    return folder;
  }
  // Says that every file was asked for and is there, or is none of this model's: the server is not needed again.
  const mark = join(folder, ".fetched");
  if (await exists(mark)) return folder;
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  const get = async (name: string) => {
    const file = new URL(url);
    file.pathname += name;
    return fetchInto(file, join(folder, name), { ...options, optional: true });
  };
  if (!(await get("config.json"))) {
    throw refuse(source, "a folder with config.json, and there is none", "check the name or the address.");
  }
  if (!(await get("model.safetensors"))) {
    const index = "model.safetensors.index.json";
    if (!(await get(index)))
      throw refuse(source, "safetensors files, and there are none", "choose a model that has them.");
    for (const name of shardsOf(await readFile(join(folder, index), "utf8"))) {
      if (typeof name !== "string" || !/^\w[\w.-]*$/.test(name))
        throw refuse(describeValue(name), "names of files beside the index", "choose another model.");
      if (!(await get(name)))
        throw refuse(`${source}: ${name}`, "a file that the index names", "choose another model.");
    }
  }
  for (const name of besideWeights) await get(name);
  if (await exists(join(folder, partsFile)))
    await get(poolingFile(await readFile(join(folder, partsFile), "utf8")));
  await writeFile(mark, "");
  return folder;
}

/** What an index of weights names, whatever that is. */
function shardsOf(text: string): Set<unknown> {
  const index: unknown = JSON.parse(text);
  const map = (index as { weight_map?: unknown } | null)?.weight_map;
  return new Set(Object.values(typeof map === "object" && map !== null ? map : {}));
}

/** Fetches a file unless it is there. Returns whether there is one; without `optional`, none is an error. */
async function fetchInto(
  url: URL,
  path: string,
  options: CacheOptions & { optional?: true },
): Promise<boolean> {
  const { signal, optional, onProgress } = options;
  signal.throwIfAborted();
  if (await exists(path)) return true;
  const token = process.env["HF_TOKEN"];
  const headers = token && url.host === "huggingface.co" ? { Authorization: `Bearer ${token}` } : undefined;
  const response = await fetch(url, { signal, ...(headers && { headers }) }).catch((cause: unknown) => {
    if (signal.aborted) throw cause;
    throw refuse(
      url.href,
      "an address that can be reached, and the connection failed",
      "check the address and the network.",
      cause,
    );
  });
  if (response.status === 404 && optional) {
    await response.body?.cancel();
    return false;
  }
  if (!response.ok || !response.body) {
    await response.body?.cancel();
    const expected = `a file, and the server answered ${response.status} ${response.statusText}`.trimEnd();
    throw refuse(
      url.href,
      expected,
      "check the address; HF_TOKEN holds a token for models that ask for one.",
    );
  }
  const length = response.headers.get("content-encoding") ? null : response.headers.get("content-length");
  const total = length === null ? undefined : Number(length);
  await mkdir(dirname(path), { recursive: true });
  const part = `${path}.${randomUUID()}.part`;
  let loaded = 0;
  try {
    const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
      for await (const chunk of chunks) {
        loaded += chunk.length;
        onProgress?.({ source: url.href, loaded, total });
        yield chunk;
      }
    };
    await pipeline(Readable.fromWeb(response.body as never), counted, createWriteStream(part), { signal });
    if (total !== undefined && loaded !== total) {
      throw refuse(url.href, `${total} bytes, and ${loaded} came`, "try again: the connection broke off.");
    }
    if (total === undefined) await checkEnd(url, response, part);
    await rename(part, path);
    return true;
  } catch (cause) {
    await rm(part, { force: true });
    signal.throwIfAborted();
    if (cause instanceof ArgumentError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (isFull(code)) {
      const expected = `${total === undefined ? "room" : `room for its ${total} bytes`} in ${dirname(path)}, which gives ${code}`;
      throw refuse(url.href, expected, "make room, or name another folder in QKV_CACHE.", cause);
    }
    throw refuse(url.href, "a file that comes whole, and the connection broke off", "try again.", cause);
  }
}

/** Refuses a file that came without its length where nothing tells that all of it came: what is kept is never fetched again. */
async function checkEnd(url: URL, response: Response, part: string): Promise<void> {
  const told = /\.(json|safetensors)$/.test(url.pathname);
  await checkWhole(url.pathname, part).catch((cause: unknown) => {
    throw refuse(
      url.href,
      "a whole file, and what came breaks off",
      "try again; the server does not say how long it is.",
      cause,
    );
  });
  // A body in chunks names its end, one that is packed has a checksum; of any other a broken connection looks like the end.
  if (told || response.headers.has("content-encoding") || response.headers.has("transfer-encoding")) return;
  throw refuse(
    url.href,
    "an answer that tells how long the file is, and this one ends with its connection",
    "fetch the file by other means, and give its path.",
  );
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function refuse(received: string, expected: string, fix: string, cause?: unknown): ArgumentError {
  return new ArgumentError({ fn: "qkv", argument: "model", received, expected, fix, cause });
}
