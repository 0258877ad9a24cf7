// Connections that break, stall or are aborted while a model is loaded: a QkvError or the signal's reason, and a later
// load from the same address succeeds.
import assert from "node:assert/strict";
import { exportModel, memoryFolder } from "../../packages/transformer/dist/export.js";
import { load } from "../../packages/transformer/dist/index.js";
import { openServer } from "../server.mjs";
import { assertOurs, numbersOf, thrown } from "./thrown.mjs";
import { model } from "./worlds.mjs";

// The server never closes idle connections: if the machine sleeps for some seconds, a lost connection would be another
// fault.
const noTimeout = { keepAliveTimeout: 0 };

/** A server of a model. `fault` may answer a request itself, by the request's number. */
async function serve(fault) {
  const out = memoryFolder();
  const params = model.init(6);
  await exportModel({ config: model.config, params }, { to: "hf", out });
  const files = new Map(
    await Promise.all(out.files.map(async (file) => [file.name, Buffer.from(await file.arrayBuffer())])),
  );
  const state = { requests: 0, fault };
  const { origin, close } = await openServer((request, response) => {
    const bytes = files.get(request.url.slice(1));
    state.requests += 1;
    if (state.fault?.(state.requests, response)) return;
    if (!bytes) return void response.writeHead(404).end();
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [
      0,
      0,
      bytes.length - 1,
    ];
    const end = Math.min(Number(last) + 1, bytes.length);
    response.writeHead(206, { "Content-Range": `bytes ${first}-${end - 1}/${bytes.length}`, ETag: '"one"' });
    response.end(bytes.subarray(Number(first), end));
  }, noTimeout);
  return { site: `${origin}/`, state, params, close };
}

export const network = {
  async "a connection breaks at each request of a load"() {
    const { site, state, params, close } = await serve();
    try {
      await load(site);
      const all = state.requests;
      assert.ok(all > 5);
      for (let at = 1; at <= all; at++) {
        state.requests = 0;
        state.fault = (n, response) => {
          if (n !== at) return false;
          response.writeHead(206, { "Content-Range": "bytes 0-99999/100000", "Content-Length": "100000" });
          response.write("{", () => response.destroy());
          return true;
        };
        const error = await thrown(() => load(site));
        assertOurs(error, error.name);
      }
      state.fault = undefined;
      assert.equal(numbersOf((await load(site)).params), numbersOf(params));
    } finally {
      await close();
    }
  },

  async "a load is aborted while the server sends nothing, at each request"() {
    const { site, state, params, close } = await serve();
    try {
      await load(site);
      const all = state.requests;
      for (let at = 1; at <= all; at++) {
        state.requests = 0;
        const stop = new AbortController();
        const reason = new Error("enough");
        state.fault = (n) => n === at && (stop.abort(reason), true);
        assert.equal(await thrown(() => load(site, { signal: stop.signal })), reason);
      }
      state.fault = undefined;
      assert.equal(numbersOf((await load(site)).params), numbersOf(params));
    } finally {
      await close();
    }
  },
};
