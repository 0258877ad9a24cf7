import { FormatError, isQkvError } from "../errors.js";
import type { OwnBytes } from "../own-arrays.js";
import { joined } from "./joined.js";
import type { Reader, ReadOptions } from "./options.js";

/** Bytes that an answer may have which does not state its length, or is compressed, unless `maxBytes` allows more. */
const mostUnstated = 2 ** 28;
const defaultIdleTimeoutMs = 30_000;
/** Timers take no more. */
const longestTimeoutMs = 2 ** 31 - 1;

/** A request to a server. */
export type HttpRequest = Pick<RequestInit, "method" | "headers" | "redirect"> & {
  /** Bytes `start` to `end - 1` of the file. Default: all. */
  range?: readonly [start: number, end: number] | undefined;
};

/** The head of a server's answer. Its body has not been read. */
export type HttpResponse = {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  /** The address that answered, after redirects. */
  readonly url: string;
  /** The size of the whole file, as far as the head states it. Unit: bytes. */
  readonly total: number | undefined;
  /** The body as it arrives: at most as many bytes as the head states and the request asked for. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  /** Ends the transfer. */
  cancel(): Promise<void>;
};

/**
 * Sends a request. Nothing that the server does makes it wait for ever or hold more than was asked for: a server that is
 * silent for `idleTimeoutMs`, before its answer or within it, and a body that is longer than the range asked for, than
 * its own Content-Length or than `maxBytes`, end with an error that says which.
 *
 * @throws {ArgumentError} If the server is silent or cannot be reached. The signal's reason, when it aborts.
 */
export async function sendRequest(
  url: URL,
  { range, ...request }: HttpRequest,
  options: Reader & ReadOptions,
): Promise<HttpResponse> {
  const { signal, maxBytes } = options;
  signal?.throwIfAborted();
  const connection = openConnection(url, options);
  const headers = new Headers(request.headers);
  if (range) headers.set("Range", `bytes=${range[0]}-${range[1] - 1}`);
  const response = await connection.wait(fetch(url, { ...request, headers, signal: connection.signal }));
  const length = statedLength(response);
  const limit = range && response.status === 206 ? range[1] - range[0] : length;
  const most = limit ?? maxBytes ?? mostUnstated;
  return {
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
    url: response.url,
    total: response.status === 206 ? rangeTotal(response, range) : length,
    async *chunks() {
      const reader = response.body?.getReader();
      let [arrived, ended] = [0, !reader];
      try {
        while (reader) {
          const { done, value } = await connection.wait(reader.read());
          ended = done;
          if (done) break;
          arrived += value.length;
          if (arrived > most)
            refuseLonger(url, limit === undefined ? "unstated" : (range ?? "stated"), most, options);
          yield value;
        }
        if (length !== undefined && arrived < length) connection.broken();
      } finally {
        connection.close(ended);
      }
    },
    async cancel() {
      await response.body?.cancel().catch(() => undefined);
      connection.close(true);
    },
  };
}

/**
 * True where a server has no such file: for 404, and for a page in place of a file, which servers of single-page applications
 * send for every address that they do not know.
 */
export const isMissing = (url: URL, { status, headers }: HttpResponse): boolean =>
  status === 404 ||
  (status >= 200 &&
    status < 300 &&
    /^text\/html\b/i.test(headers.get("content-type") ?? "") &&
    !/\.html?$/i.test(url.pathname));

/** The whole body of an answer. What arrives is held, and nothing is allocated because a head states a length. */
export async function readBody(
  response: HttpResponse,
  onChunk?: (loaded: number) => void,
): Promise<OwnBytes> {
  const chunks: Uint8Array[] = [];
  let loaded = 0;
  for await (const chunk of response.chunks()) {
    chunks.push(chunk);
    loaded += chunk.length;
    onChunk?.(loaded);
  }
  return joined(chunks, loaded);
}

/** Bytes of the body, where the server states them; those of a compressed body are not those that arrive. */
function statedLength({ headers }: Response): number | undefined {
  const length = headers.get("content-encoding") ? null : headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

/** The size of a file that a 206 states, if the range is the one that was asked for. */
function rangeTotal({ headers }: Response, range: HttpRequest["range"]): number | undefined {
  const [, first, last, total] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(headers.get("content-range") ?? "") ?? [];
  if (!range || Number(first) !== range[0]) return undefined;
  return Number(last) + 1 === Math.min(range[1], Number(total)) ? Number(total) : undefined;
}

/** @param known - Source of the body's length: the requested range, or the headers. */
function refuseLonger(
  { href }: URL,
  known: NonNullable<HttpRequest["range"]> | "stated" | "unstated",
  most: number,
  { check, maxBytes }: Reader & ReadOptions,
): never {
  if (known === "unstated") {
    return check.refuse({
      received: href,
      expected: `an answer of at most ${most} bytes, as it is compressed or does not state its length`,
      fix: `take it from a server that states lengths${maxBytes === undefined ? ", or allow more with `maxBytes`" : ""}.`,
    });
  }
  const isRange = known !== "stated";
  return check.refuse(
    {
      argument: `${href}: ${isRange ? `bytes ${known[0]} to ${known[1] - 1}` : "the file"}`,
      received: `more than ${most} bytes`,
      expected: `${most}, as ${isRange ? "asked for" : "its head states"}`,
      fix: "the server does not send what it is asked for; fetch the file by other means.",
    },
    FormatError,
  );
}

/** A connection that ends when its signal aborts, or when a wait takes too long. */
function openConnection(url: URL, options: Reader & ReadOptions) {
  const { signal, check, idleTimeoutMs = defaultIdleTimeoutMs } = options;
  if (!(idleTimeoutMs > 0)) {
    check.refuse({
      argument: "idleTimeoutMs",
      received: idleTimeoutMs,
      expected: "milliseconds, more than 0",
      fix: "leave it out for 30 seconds.",
    });
  }
  const controller = new AbortController();
  const abort = () => controller.abort(signal!.reason);
  signal?.addEventListener("abort", abort, { once: true });
  const close = (ended: boolean) => {
    signal?.removeEventListener("abort", abort);
    if (!ended) controller.abort();
  };
  const broken = (cause?: unknown): never =>
    check.refuse({
      received: url.href,
      expected: "an address that can be reached, and the connection failed or broke off",
      fix: "check the address and the network; in a page, whether the server allows requests from it.",
      cause,
    });
  const silent = (): never =>
    check.refuse({
      received: url.href,
      expected: `a server that answers, and it has been silent for ${idleTimeoutMs / 1000} seconds`,
      fix: "try again, or wait longer with `idleTimeoutMs`.",
    });
  return {
    signal: controller.signal,
    close,
    broken,
    async wait<T>(work: Promise<T>): Promise<T> {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const timeout = new Promise<typeof silent>((resolve) => {
        if (idleTimeoutMs <= longestTimeoutMs) timer = setTimeout(resolve, idleTimeoutMs, silent);
      });
      try {
        const first = await Promise.race([work, timeout]);
        return first === silent ? silent() : (first as T);
      } catch (cause) {
        close(false);
        signal?.throwIfAborted();
        if (isQkvError(cause)) throw cause;
        return broken(cause);
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
