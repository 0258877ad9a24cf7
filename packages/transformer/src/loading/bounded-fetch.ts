import { sendRequest } from "@qkv/core/byte-source";
import type { Reading } from "./open-file.js";

/**
 * `fetch` for clients that send their own requests, with timeouts and size limits: a silent server or an endless body
 * is an error.
 */
export function boundedFetch(reading: Reading): typeof fetch {
  return async (input, init = {}) => {
    const { method, headers, redirect, signal } = init;
    const signals = [reading.signal, signal].filter((each) => each instanceof AbortSignal);
    const answer = await sendRequest(
      new URL(input instanceof Request ? input.url : input),
      { ...(method && { method }), ...(headers && { headers }), ...(redirect && { redirect }) },
      { ...reading, ...(signals.length > 0 && { signal: AbortSignal.any(signals) }) },
    );
    const chunks = answer.chunks();
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done) controller.close();
        else controller.enqueue(value as Uint8Array<ArrayBuffer>);
      },
      cancel: () => answer.cancel(),
    });
    const { status, statusText, url } = answer;
    const isEmpty = [101, 204, 205, 304].includes(status);
    const response = new Response(isEmpty ? null : body, { status, statusText, headers: answer.headers });
    return Object.defineProperty(response, "url", { value: url });
  };
}
