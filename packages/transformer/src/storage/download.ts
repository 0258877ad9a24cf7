import { FormatError } from "@qkv/core";
import {
  isMissing,
  sendRequest,
  type HttpResponse,
  type Reader,
  type ReadOptions,
} from "@qkv/core/byte-source";
import { growingChecksum, type ContentChecksum, type GrowingChecksum } from "./content-checksum.js";
import { pieceSize, type Head, type PieceFile } from "./piece-file.js";

/** A file to download to the store. */
export type Download = {
  readonly url: URL;
  readonly file: PieceFile;
  readonly model: string;
  /** Checksum of its content, if known. */
  readonly checksum: ContentChecksum | undefined;
  readonly reading: Reader & ReadOptions;
};

/** Stored bytes of a file, and the checksum so far. */
type Stored = { head: Head; bytes: number; sum: GrowingChecksum | undefined };

/** Error for content that exceeds the size limit: it is not stored. */
export type TooLarge = { readonly tooLarge: number };

/**
 * Downloads a file in pieces. A partial download of an earlier page is continued if the server still has
 * the same content: equal size, and the same ETag or a known checksum. The file is complete when all bytes have arrived and
 * the checksum matches.
 *
 * @returns Undefined if the file does not exist on the server.
 */
export async function download(request: Download): Promise<Head | TooLarge | undefined> {
  const { file, reading, url } = request;
  let stored = await partialDownload(request);
  let response: HttpResponse | undefined;
  if (stored) {
    response = await requestRest(request, stored);
    if (stored.bytes < stored.head.size && !response) stored = undefined;
  }
  if (!stored) {
    await file.clear();
    const firstRequest = await startDownload(request);
    if (!firstRequest || "tooLarge" in firstRequest) return firstRequest;
    ({ stored, rest: response } = firstRequest);
  }
  const { head, sum } = stored;
  if (response) await storePieces(request, response, stored);
  if (sum && !sum.matches()) {
    await file.clear();
    const { algorithm, digest } = request.checksum!;
    reading.check.refuse(
      {
        argument: url.href,
        received: `${head.size} bytes of another ${algorithm}`,
        expected: `${algorithm} ${digest}, as the hub states`,
        fix: "load it again: it was damaged on the way, or is not the hub's.",
      },
      FormatError,
    );
  }
  const completeHead: Head = { ...head, state: "whole" };
  await file.setHead(completeHead);
  return completeHead;
}

/** The partial download of an earlier page, if it can be continued. */
async function partialDownload({ file, model, checksum }: Download): Promise<Stored | undefined> {
  const head = await file.head();
  if (head?.state !== "part" || (head.tag === "" && !checksum)) return undefined;
  const sum = checksum && growingChecksum(checksum, head.size);
  let bytes = 0;
  const count = await file.count();
  for (let index = 0; index < count; index++) {
    const piece = await file.piece(index);
    if (piece?.length !== Math.min(pieceSize, head.size - bytes)) return undefined;
    sum?.update(piece);
    bytes += piece.length;
  }
  return bytes === 0 ? undefined : { head: { ...head, model }, bytes, sum };
}

/** Requests the rest of a file; undefined if it is complete, or the content on the server has changed. */
async function requestRest(
  { url, reading }: Download,
  { head, bytes }: Stored,
): Promise<HttpResponse | undefined> {
  if (bytes === head.size) return undefined;
  const response = await sendRequest(url, { range: [bytes, head.size] }, reading);
  if (response.status === 206 && response.total === head.size && strongTag(response) === head.tag) {
    return response;
  }
  await response.cancel();
  return undefined;
}

/** A download whose first piece is requested; `rest`: a response with the bytes that are not stored yet. */
type StartedDownload = { stored: Stored; rest: HttpResponse | undefined };

/** Requests the first piece, then the rest, if any. */
async function startDownload(request: Download): Promise<StartedDownload | TooLarge | undefined> {
  const { url, file, model, reading } = request;
  let first = await sendRequest(url, { range: [0, pieceSize] }, reading);
  // An empty file has no ranges, and CORS may hide the `Content-Range` header.
  if (first.status === 416 || (first.status === 206 && first.total === undefined)) {
    await first.cancel();
    first = await sendRequest(url, {}, reading);
  }
  if (isMissing(url, first)) {
    await first.cancel();
    // A server may temporarily return a page instead of a file, such as a login page, which is not stored.
    if (first.status === 404) await file.setHead({ model, state: "absent", size: 0, tag: "" });
    return undefined;
  }
  const size = await checkedSize(request, first);
  if (typeof size !== "number") return size;
  await checkSpace(request, size);
  const head: Head = { model, state: "part", size, tag: strongTag(first) };
  const stored: Stored = {
    head,
    bytes: 0,
    sum: request.checksum && growingChecksum(request.checksum, size),
  };
  await file.setHead(head);
  if (first.status !== 206) return { stored, rest: first };
  await storePieces(request, first, stored, Math.min(pieceSize, size));
  if (stored.bytes === size) return { stored, rest: undefined };
  const rest = await requestRest(request, stored);
  if (rest) return { stored, rest };
  await file.clear();
  return reading.check.refuse({
    received: url.href,
    expected: "a file that stays the same, and it changed while it was downloaded",
    fix: "load it again.",
  });
}

/** The size in a response, if it is a file that may be stored. */
async function checkedSize({ url, reading }: Download, response: HttpResponse): Promise<number | TooLarge> {
  const { status, statusText, total } = response;
  const refuse = async (expected: string, fix: string): Promise<never> => {
    await response.cancel();
    return reading.check.refuse({ received: url.href, expected, fix });
  };
  if (status < 200 || status > 299) {
    const expected = `a file, and the server answered ${status} ${statusText}`.trimEnd();
    return refuse(expected, "check the address, and whether it needs a login.");
  }
  if (total === undefined) {
    return refuse(
      "an answer that states how long the file is",
      "load it without `store`, or from a server that states `Content-Length` and does not compress.",
    );
  }
  if (total <= (reading.maxBytes ?? Infinity)) return total;
  await response.cancel();
  return { tooLarge: total };
}

/** Refuses a file that exceeds the storage quota of the browser. */
async function checkSpace({ url, reading }: Download, size: number): Promise<void> {
  const { storage } = (globalThis as { navigator?: Partial<Navigator> }).navigator ?? {};
  const { quota, usage = 0 } = (await storage?.estimate?.().catch(() => undefined)) ?? {};
  if (quota !== undefined && size > quota - usage) refuseSpace(url, reading, size, quota - usage);
}

function refuseSpace(url: URL, { check }: Reader, size: number, available?: number, cause?: unknown): never {
  return check.refuse({
    argument: url.href,
    received: `${size} bytes`,
    expected:
      available === undefined
        ? "no more than the browser has room for"
        : `at most ${available}, the room of the browser`,
    fix: "delete models that are stored: `store.list()` names them, `store.delete(model)` removes one.",
    cause,
  });
}

/** Stores a response body in pieces, after the stored ones. */
async function storePieces(
  { url, file, reading }: Download,
  response: HttpResponse,
  stored: Stored,
  end = stored.head.size,
): Promise<void> {
  const { size } = stored.head;
  const firstByte = stored.bytes;
  const piece = new Uint8Array(Math.min(pieceSize, end - firstByte));
  let filled = 0;
  let arrived = firstByte;
  const storePiece = async () => {
    const bytes = piece.slice(0, filled);
    stored.sum?.update(bytes);
    await file.setPiece(stored.bytes / pieceSize, bytes).catch((cause: unknown) => {
      refuseSpace(url, reading, size, undefined, cause);
    });
    stored.bytes += filled;
    filled = 0;
  };
  for await (const chunk of response.chunks()) {
    for (let offset = 0; offset < chunk.length;) {
      const count = Math.min(piece.length - filled, chunk.length - offset);
      piece.set(chunk.subarray(offset, offset + count), filled);
      filled += count;
      offset += count;
      if (filled === piece.length) await storePiece();
    }
    arrived += chunk.length;
    reading.onProgress?.({ source: url.href, loaded: arrived, total: size });
    reading.signal?.throwIfAborted();
  }
  if (filled > 0) await storePiece();
  if (stored.bytes === end) return;
  reading.check.refuse(
    {
      argument: url.href,
      received: `${stored.bytes} bytes`,
      expected: `${end}`,
      fix: "load it again: the connection ended early.",
    },
    FormatError,
  );
}

/** The strong ETag; empty if the server sends none, or CORS hides it. */
function strongTag({ headers }: HttpResponse): string {
  const tag = headers.get("etag") ?? "";
  return tag.startsWith('"') ? tag : "";
}
