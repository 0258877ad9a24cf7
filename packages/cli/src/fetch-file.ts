import { checks, isQkvError } from "@qkv/core";
import { sendRequest, type HttpResponse } from "@qkv/core/byte-source";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { checkFile, limitsOf } from "./check-file.js";
import { runningChecksum, statedChecksum, type Checksum } from "./checksum.js";
import { isFull } from "./output-file.js";
import { partName, claimPartialDownload, type Content, type PartialDownload } from "./part-file.js";

export type FetchOptions = {
  signal: AbortSignal;
  /** Milliseconds of silence after which a server is given up. Default: 30 000. */
  idleTimeoutMs?: number;
  onProgress?: (progress: { source: string; loaded: number; total: number | undefined }) => void;
  /** Allows the file to be missing. */
  optional?: true;
  /** Name in errors. Default: the address, which they cut where it is long. */
  name?: string;
};

const check = /* @__PURE__ */ checks("qkv", { argument: "model" });
/** Bytes of weights from a server that does not state how many there are. */
const mostUnstated = 2 ** 28;
const mostRedirects = 10;

/**
 * Fetches a file unless it is there. It is written under another name and renamed when it is whole, its checksum right
 * where the hub states one, and its content what its name says. A part that a killed command left is taken up, where the
 * server gives the rest of the same content: of the same length, under the same ETag.
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
  const limits = limitsOf(url.pathname);
  if (limits && total !== undefined && total > limits.maxBytes) {
    return cancelled(
      `at most ${limits.maxBytes} bytes, the limit of ${limits.kind}, and the server states ${total}`,
      "check the address: no model has a file of this size there.",
    );
  }
  await mkdir(dirname(path), { recursive: true });
  const part = left?.path ?? partName(path, contentOf(response));
  try {
    const sum = checksum && runningChecksum(checksum, total);
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
    // Opened before anything can end the pipeline: a file that is opened afterwards would be left behind.
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

/** Asks for the rest of a part, where one was left; for the whole file, where there is none or it is another by now. */
async function request(
  url: URL,
  left: PartialDownload | undefined,
  options: FetchOptions,
): Promise<Answer & { left?: PartialDownload }> {
  if (left) {
    const answer = await follow(url, options, [left.size, left.total]);
    const { response } = answer;
    if (response.status === 206 && left.isPartOf(contentOf(response))) return { ...answer, left };
    await rm(left.path, { force: true });
    if (response.status === 200) return answer;
    await response.cancel();
  }
  return follow(url, options);
}

/** The content that an answer gives, or a part of; undefined where the server does not identify it. */
function contentOf({ total, headers }: HttpResponse): Content | undefined {
  const tag = headers.get("etag");
  // A weak tag, `W/"…"`, is the same for contents that differ in bytes.
  const isStrong = tag?.startsWith('"') && !headers.has("content-encoding");
  return isStrong && total !== undefined ? { total, tag: tag! } : undefined;
}

/**
 * Sends a request and follows redirects one by one: the hub states a file's checksum in the answer that redirects, and
 * a token goes to the hub alone, and never over http.
 */
async function follow(
  url: URL,
  { signal, idleTimeoutMs }: FetchOptions,
  range?: readonly [start: number, end: number],
): Promise<Answer> {
  let [at, checksum] = [url, undefined as Checksum | undefined];
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
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
        maxBytes: limitsOf(url.pathname)?.maxBytes ?? mostUnstated,
        ...(idleTimeoutMs !== undefined && { idleTimeoutMs }),
      },
    );
    if (at.origin === url.origin) checksum ??= statedChecksum(response.headers);
    const location = [301, 302, 303, 307, 308].includes(response.status) && response.headers.get("location");
    if (!location) return { response, checksum };
    await response.cancel();
    at = new URL(location, at);
  }
  const fix = "check the address.";
  return check.refuse({ received: url.href, expected: `a file within ${mostRedirects} redirects`, fix });
}

/** Headers of a request. Lengths and checksums are those of the file as it is; a token goes to the hub alone, over https. */
export function requestHeaders(url: URL): Record<string, string> {
  const token = process.env["HF_TOKEN"];
  const isHub = url.protocol === "https:" && url.host === "huggingface.co";
  return { "Accept-Encoding": "identity", ...(token && isHub && { Authorization: `Bearer ${token}` }) };
}

/** Refuses a file that is not what its name says, or of which nothing tells that all of it came: what is kept is never fetched again. */
async function checkContent(
  url: URL,
  received: string,
  { total, headers }: HttpResponse,
  part: string,
): Promise<void> {
  const refuse = (expected: string, fix: string, cause?: unknown): never =>
    check.refuse({ received, expected, fix, cause });
  const isStated = total !== undefined;
  // A body in chunks names its end, one that is packed has a checksum; of any other a broken connection looks like the end.
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
