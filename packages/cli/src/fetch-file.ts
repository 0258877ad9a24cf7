import { checks, isQkvError } from "@qkv/core";
import { sendRequest, type HttpResponse } from "@qkv/core/byte-source";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { checkFile, sizeLimits } from "./check-file.js";
import { createChecksum, checksumFromHeaders, type Checksum } from "./checksum.js";
import { isFull } from "./output-file.js";
import { partName, claimPartialDownload, type Content, type PartialDownload } from "./part-file.js";

export type FetchOptions = {
  signal: AbortSignal;
  /** Idle time after which a download fails. Unit: milliseconds. Default: 30 000. */
  idleTimeoutMs?: number;
  onProgress?: (progress: { source: string; loaded: number; total: number | undefined }) => void;
  /** Allows the file to be missing. */
  optional?: true;
  /** Name in errors. Default: the URL, which errors shorten. */
  name?: string;
};

const check = /* @__PURE__ */ checks("qkv", { argument: "model" });
/** Size limit of weights from a server that does not state their size. Unit: bytes. */
const maxUnstatedBytes = 2 ** 28;
const maxRedirects = 10;

/**
 * Downloads a file unless it exists. It is written under a temporary name, and renamed after its length, its checksum (if the
 * hub states one) and its format are checked. The partial download of a killed command is resumed if the server has the same
 * content: the same length and ETag.
 *
 * @returns True if the file exists; without `optional`, a missing one is an error.
 */
export async function fetchFile(url: URL, path: string, options: FetchOptions): Promise<boolean> {
  const { signal, optional, onProgress, name: received = url.href } = options;
  signal.throwIfAborted();
  if (await exists(path)) return true;
  const { response, checksum, left } = await request(url, await claimPartialDownload(path), options);
  const { status, statusText, total, headers } = response;
  const cancelled = async (expected: string, fix: string): Promise<never> => {
    await response.cancel();
    return check.refuse({ received, expected, fix });
  };
  if (status === 404 && optional) {
    await response.cancel();
    return false;
  }
  if (status < 200 || status > 299) {
    return cancelled(
      `a file, and the server answered ${status} ${statusText}`.trimEnd(),
      "check the address; HF_TOKEN holds a token for models that ask for one.",
    );
  }
  if (/^text\/html\b/i.test(headers.get("content-type") ?? "")) {
    return cancelled(
      "a file of a model, and the server sends a web page",
      "a login or a proxy may have answered in the server's place: open the address in a browser.",
    );
  }
  const limits = sizeLimits(url.pathname);
  if (limits && total !== undefined && total > limits.maxBytes) {
    return cancelled(
      `at most ${limits.maxBytes} bytes, the limit of ${limits.kind}, and the server states ${total}`,
      "check the address: no model has a file of this size there.",
    );
  }
  await mkdir(dirname(path), { recursive: true });
  const part = left?.path ?? partName(path, contentFromHeaders(response));
  try {
    const sum = checksum && createChecksum(checksum, total);
    let loaded = left?.size ?? 0;
    if (left && sum) for await (const chunk of createReadStream(part)) sum.update(chunk as Uint8Array);
    const counted = async function* () {
      for await (const chunk of response.chunks()) {
        loaded += chunk.length;
        sum?.update(chunk);
        onProgress?.({ source: url.href, loaded, total });
        yield chunk;
      }
    };
    // Opened before the pipeline starts: a file that is opened after an abort would never be removed.
    const file = await open(part, "a");
    // The content must be on the disk before the rename, or a crash leaves an empty file under the name.
    await pipeline(counted, file.createWriteStream({ flush: true }), { signal });
    if (sum && !sum.matches()) {
      check.refuse({
        received,
        expected: `a file whose ${checksum!.algorithm} is ${checksum!.digest}, as the hub states, and another came`,
        fix: "try again: it was damaged on the way, or is not the hub's.",
      });
    }
    await checkContent(url, received, response, part);
    await rename(part, path);
    return true;
  } catch (cause) {
    await rm(part, { force: true });
    signal.throwIfAborted();
    if (isQkvError(cause)) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const refuse = (expected: string, fix: string): never => check.refuse({ received, expected, fix, cause });
    if (!isFull(code)) return refuse("a file that comes whole, and the connection broke off", "try again.");
    return refuse(
      `${total === undefined ? "room" : `room for its ${total} bytes`} in ${dirname(path)}, which gives ${code}`,
      "make room, or name another folder in QKV_CACHE.",
    );
  }
}

type Answer = { response: HttpResponse; checksum: Checksum | undefined };

/** Requests the rest of a partial download, or the whole file if there is none or its content has changed. */
async function request(
  url: URL,
  left: PartialDownload | undefined,
  options: FetchOptions,
): Promise<Answer & { left?: PartialDownload }> {
  if (left) {
    const answer = await follow(url, options, [left.size, left.total]);
    const { response } = answer;
    if (response.status === 206 && left.hasContent(contentFromHeaders(response))) return { ...answer, left };
    await rm(left.path, { force: true });
    if (response.status === 200) return answer;
    await response.cancel();
  }
  return follow(url, options);
}

/** The content of a response; undefined if the server does not identify it by a strong ETag and a length. */
function contentFromHeaders({ total, headers }: HttpResponse): Content | undefined {
  const tag = headers.get("etag");
  // A weak ETag, `W/"…"`, may be equal for contents with different bytes.
  const isStrong = tag?.startsWith('"') && !headers.has("content-encoding");
  return isStrong && total !== undefined ? { total, tag: tag! } : undefined;
}

/**
 * Sends a request and follows redirects one by one: the hub states a file's checksum in the redirect, and the access token is
 * sent only to the hub, and only over https.
 */
async function follow(
  url: URL,
  { signal, idleTimeoutMs }: FetchOptions,
  range?: readonly [start: number, end: number],
): Promise<Answer> {
  let [at, checksum] = [url, undefined as Checksum | undefined];
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    const response = await sendRequest(
      at,
      {
        redirect: "manual",
        range,
        headers: requestHeaders(at),
      },
      {
        check,
        signal,
        maxBytes: sizeLimits(url.pathname)?.maxBytes ?? maxUnstatedBytes,
        ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
      },
    );
    if (at.origin === url.origin) checksum ??= checksumFromHeaders(response.headers);
    const location = [301, 302, 303, 307, 308].includes(response.status) && response.headers.get("location");
    if (!location) return { response, checksum };
    await response.cancel();
    at = new URL(location, at);
  }
  const fix = "check the address.";
  return check.refuse({ received: url.href, expected: `a file within ${maxRedirects} redirects`, fix });
}

/** Headers of a request: no compression, so that lengths and checksums are those of the file; the access token only to the hub over https. */
export function requestHeaders(url: URL): Record<string, string> {
  const token = process.env["HF_TOKEN"];
  const isHub = url.protocol === "https:" && url.host === "huggingface.co";
  return { "Accept-Encoding": "identity", ...(token && isHub && { Authorization: `Bearer ${token}` }) };
}

/** Refuses a file of another format, and one whose completeness cannot be verified: a cached file is never downloaded again. */
async function checkContent(
  url: URL,
  received: string,
  { total, headers }: HttpResponse,
  part: string,
): Promise<void> {
  const refuse = (expected: string, fix: string, cause?: unknown): never =>
    check.refuse({ received, expected, fix, cause });
  const isStated = total !== undefined;
  // A chunked body has an end marker, a compressed one a checksum; in any other, a broken connection looks like the end.
  const hasEnd =
    isStated ||
    /\.(json|safetensors)$/.test(url.pathname) ||
    headers.has("content-encoding") ||
    headers.has("transfer-encoding");
  if (!hasEnd) {
    refuse(
      "an answer that tells how long the file is, and this one ends with its connection",
      "fetch the file by other means, and give its path.",
    );
  }
  await checkFile(url.pathname, part).catch((cause: unknown) => {
    if (!isStated) {
      const expected = "a whole file, and what came breaks off or is another";
      refuse(expected, "try again; the server does not say how long it is.", cause);
    }
    const [why] = cause instanceof Error ? cause.message.split("\n") : [];
    refuse(
      "what its name says, and what came is damaged or another",
      `open the address in a browser. ${why}`,
      cause,
    );
  });
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
