import { FormatError, isQkvError } from "../errors.js";
import type { OwnBytes } from "../own-arrays.js";
import { joined } from "./joined.js";
import type { Reader, ReadOptions } from "./options.js";

/** Default limit in bytes for responses that are compressed or have no Content-Length: 256 MiB. `maxBytes` replaces it. */
const defaultMaxBytes = 2 ** 28;
const defaultIdleTimeoutMs = 30_000;
/** The longest delay of `setTimeout`. A longer timeout counts as none. */
const maxTimeoutMs = 2 ** 31 - 1;

/** A request to a server. */
export type HttpRequest = Pick<RequestInit, "method" | "headers" | "redirect"> & {
  /** Bytes `start` to `end - 1` of the file. Default: all. */
  range?: readonly [start: number, end: number] | undefined;
};

/** The status and headers of a response, whose body has not been read yet. */
export type HttpResponse = {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Headers;
  /** The URL after redirects. */
  readonly url: string;
  /** Size of the whole file, if the headers state it. Unit: bytes. */
  readonly total: number | undefined;
  /** The body in chunks, as they arrive. Throws an error if there are more bytes than stated or requested. */
  chunks(): AsyncGenerator<Uint8Array, void, undefined>;
  /** Cancels the transfer. */
  cancel(): Promise<void>;
};

/**
 * Sends a request. Whatever the server does, it never waits forever and never buffers more than requested: it throws an error
 * if no byte arrives for `idleTimeoutMs`, or if the body is longer than the requested range, its Content-Length or `maxBytes`.
 *
 * @throws {ArgumentError} If the server cannot be reached or does not respond in time. The signal's reason, if it aborts.
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
  const maxLength = limit ?? maxBytes ?? defaultMaxBytes;
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
          if (arrived > maxLength)
            refuseLonger(url, limit === undefined ? "unstated" : (range ?? "stated"), maxLength, options);
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
 * True if a server does not have the file: for status 404, and for an HTML page, which servers of single-page applications send
 * for every unknown path.
 */
export const isMissing = (url: URL, { status, headers }: HttpResponse): boolean =>
  status === 404 ||
  (status >= 200 &&
    status < 300 &&
    /^text\/html\b/i.test(headers.get("content-type") ?? "") &&
    !/\.html?$/i.test(url.pathname));

/** Reads the whole body of a response. Memory is allocated only for bytes that arrive, not for the stated length. */
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

/** The Content-Length of a response; undefined for a compressed one, where it is not the number of decoded bytes. */
function statedLength({ headers }: Response): number | undefined {
  const length = headers.get("content-encoding") ? null : headers.get("content-length");
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

/** The size of the whole file from the Content-Range of a 206 response, if its range is the requested one. */
function rangeTotal({ headers }: Response, range: HttpRequest["range"]): number | undefined {
  const [, first, last, total] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(headers.get("content-range") ?? "") ?? [];
  if (!range || Number(first) !== range[0]) return undefined;
  return Number(last) + 1 === Math.min(range[1], Number(total)) ? Number(total) : undefined;
}

/**
 * Throws an error for a body of more than `maxLength` bytes.
 *
 * @param known - Source of the limit: the requested range, the Content-Length (`stated`), or neither (`unstated`).
 */
function refuseLonger(
  { href }: URL,
  known: NonNullable<HttpRequest["range"]> | "stated" | "unstated",
  maxLength: number,
  { check, maxBytes }: Reader & ReadOptions,
): never {
  if (known === "unstated") {
    return check.refuse({
      received: href,
      expected: `an answer of at most ${maxLength} bytes, as it is compressed or does not state its length`,
      fix: `take it from a server that states lengths${maxBytes === undefined ? ", or allow more with `maxBytes`" : ""}.`,
    });
  }
  const isRange = known !== "stated";
  return check.refuse(
    {
      argument: `${href}: ${isRange ? `bytes ${known[0]} to ${known[1] - 1}` : "the file"}`,
      received: `more than ${maxLength} bytes`,
      expected: `${maxLength}, as ${isRange ? "asked for" : "its head states"}`,
      fix: "the server does not send what it is asked for; fetch the file by other means.",
    },
    FormatError,
  );
}

/** A connection with an idle timeout: it is aborted by the caller's signal, and when a wait exceeds `idleTimeoutMs`. */
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
        if (idleTimeoutMs <= maxTimeoutMs) timer = setTimeout(resolve, idleTimeoutMs, silent);
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
