// Exact search for the 10 of 100,000 vectors that are most similar to a query: every vector is read.
import { numbers } from "../data.mjs";
import { readLimit } from "../peers/limits.mjs";
import { openDevice } from "../peers/ours.mjs";

const [count, width, topK] = [100_000, 384, 10];

/** @returns {any} The row; `aim`: faster than others in JavaScript or WASM. */
export function searchRow({ devices }) {
  return {
    id: "encoders/search-100k",
    unit: "ms",
    better: "low",
    aim: 1.5,
    tolerance: 1e-5,
    expected: plainSearch,
    contenders: [
      ...devices.map((spec) => contender(`@qkv on ${spec}`, "ours", (context) => openOurs(spec, context))),
      contender("hnswlib-wasm, brute force", "peer", openHnswlib),
      contender("plain loops", "peer", openPlain),
      contender("usearch, exact", "native", openUsearch),
      readLimit(4 * count * width, (rate) => ((4 * count * width) / rate) * 1000),
    ],
  };
}

/** Vectors are resident; queries and hits are arrays. `search` returns indices and scores, best first. */
function contender(name, kind, open) {
  return {
    name,
    kind,
    resident: "state",
    async prepare(context) {
      const { search, threads = 1 } = await open(context);
      const given = query();
      const call = () => search(given);
      return { threads, call, output: async () => flat(await call()) };
    },
  };
}

const flat = ({ indices, scores }) => [...indices, ...scores].map(Number);

/** Vectors of unit norm, concatenated. */
function vectors() {
  const all = numbers(1, count * width);
  for (let at = 0; at < all.length; at += width) toLength1(all.subarray(at, at + width));
  return all;
}

const query = () => toLength1(numbers(2, width));

function toLength1(vector) {
  let sum = 0;
  for (const x of vector) sum += x * x;
  for (let i = 0; i < vector.length; i++) vector[i] /= Math.sqrt(sum);
  return vector;
}

async function openOurs(spec, { threads }) {
  const [{ semanticSearch }, { tensor }] = await Promise.all([
    import("@qkv/transformer"),
    import("@qkv/tensor"),
  ]);
  const device = await openDevice(spec, threads);
  const matrix = tensor(vectors(), { shape: [count, width] }).to(device);
  return {
    threads: device.report().threads ?? 1,
    async search(one) {
      const [hits] = await semanticSearch(matrix, [one], { topK });
      return { indices: hits.map(({ index }) => index), scores: hits.map(({ score }) => score) };
    },
  };
}

/**
 * hnswlib in WASM, in its exact mode; its distances are 1 minus the dot products. It is built for browsers, and its loader waits
 * for IndexedDB. Its inner module also runs in Node if a global `window` exists.
 */
async function openHnswlib() {
  globalThis.window ??= globalThis;
  globalThis.document ??= {};
  globalThis.location ??= new URL("file:///");
  const { default: open } = await import("hnswlib-wasm/dist/hnswlib-317962d7.js");
  const library = await open();
  const index = new library.BruteforceSearch("ip", width);
  index.initIndex(count);
  const all = vectors();
  for (let i = 0; i < count; i++) index.addPoint(all.subarray(i * width, (i + 1) * width), i);
  return {
    search(one) {
      const { neighbors, distances } = index.searchKnn(one, topK, undefined);
      const order = neighbors.map((_, i) => i).sort((a, b) => distances[a] - distances[b]);
      return { indices: order.map((i) => neighbors[i]), scores: order.map((i) => 1 - distances[i]) };
    },
  };
}

async function openUsearch({ threads }) {
  const { exactSearch, MetricKind } = (await import("usearch")).default;
  const all = vectors();
  return {
    threads,
    search(one) {
      const { keys, distances } = exactSearch(all, one, width, topK, MetricKind.IP, threads);
      return { indices: [...keys], scores: [...distances].map((distance) => 1 - distance) };
    },
  };
}

function openPlain() {
  const all = vectors();
  return { search: (one) => best(all, one) };
}

function plainSearch() {
  return flat(best(vectors(), query()));
}

function best(all, one) {
  const scores = new Float32Array(count);
  for (let i = 0, at = 0; i < count; i++) {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += all[at++] * one[j];
    scores[i] = sum;
  }
  const indices = [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, topK);
  return { indices, scores: indices.map((i) => scores[i]) };
}
