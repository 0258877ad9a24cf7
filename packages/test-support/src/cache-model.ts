// A reference model of caches, lists of tokens, and random sequences of operations that run on a cache and on the model
// (fast-check's model-based testing). The number of a key or value is a hash of its token, layer, head and index.
import { type EvictionScore, type KeyValues, denseSegment } from "@qkv/attention-contract";
import { cast, concat, slice, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect } from "vitest";
import type { KvCache } from "@qkv/kv-cache";
import type { PagedCache } from "@qkv/kv-cache";
import type { PrefixCache } from "@qkv/kv-cache";

/** A kind of cache, and the earlier tokens that new ones see in it. */
export type Kind = {
  readonly name: string;
  make(): KvCache;
  /** Rolling caches: keys that one query sees (itself included), first tokens that are kept, slots beyond the window. */
  readonly rolling?: { window: number; first: number; room: number };
  /** Layers that are rolling. Default: all. */
  readonly rollingLayers?: readonly number[];
  /** Layers whose values are the first `Dv` numbers of the keys, as in latent attention. */
  readonly latent?: readonly number[];
  /** For each layer, the layer whose entries it reads. Default: its own. */
  readonly reads?: readonly number[];
  /** Layers that hold a state instead of keys and values, and the number of earlier states that `crop` can return to. */
  readonly states?: { layers: readonly number[]; checkpoints: number };
  /** Layers that evict: they keep `budget` tokens, the first and last ones and those with the smallest key norms. */
  readonly evicting?: Evicting;
  /** Largest absolute error of a number. Numbers are between -1 and 1. Default 0. */
  readonly tolerance?: number;
  /** Largest number of tokens of one sequence. Default: unlimited. */
  readonly maxLength?: number;
  /** The paged cache inside of this one; all its pages must be free at the end. */
  pool?(cache: KvCache): PagedCache;
};

/** `perHead`: true if each head chooses the tokens that it keeps. */
type Evicting = { layers: readonly number[]; budget: number; first: number; last: number; perHead?: boolean };

export const layers = 3;
const [heads, D, Dv] = [2, 4, 3];

/**
 * One sequence: its tokens; the position up to which a ring buffer has overwritten them; the lengths whose states are
 * stored; the positions that each head of each layer keeps under eviction; and the length at the last eviction.
 */
type Sequence = { tokens: number[]; lost: number; states: number[]; kept: number[][][]; evictedAt: number };
/** The model of a cache: the sequences of its batch. */
type Model = Sequence[];
type Pair = { cache: KvCache; model: Model };
/** All open caches, a cache and its forks, with their models. */
type World = { pairs: Pair[] };
/** State of a run besides the caches: their kind, the next new token, and the prefixes that were inserted. */
type RunState = { kind: Kind; next: number; inserted: (readonly number[])[] };

const copyModel = (model: Model): Model =>
  model.map(({ tokens, lost, states, kept, evictedAt }) => ({
    tokens: [...tokens],
    lost,
    states: [...states],
    kept: kept.map((layer) => layer.map((head) => [...head])),
    evictedAt,
  }));
const emptySequence = (): Sequence => ({
  tokens: [],
  lost: 0,
  states: [],
  kept: Array.from({ length: layers }, () => Array.from({ length: heads }, () => [])),
  evictedAt: 0,
});

/** The eviction score of kinds with `evicting`: the negative norm of a key, so that small keys are kept. */
export const smallNorms: EvictionScore = {
  name: "smallNorms",
  queryWindow: 0,
  accumulates: false,
  score({ key }) {
    const [, H, S, width] = key.shape as [number, number, number, number];
    const rows = Array.from({ length: H * S }, (_, row) => [
      ...key.data.slice(row * width, (row + 1) * width),
    ]);
    return tensor(Float64Array.from(rows, negativeNorm), { shape: [1, H, S] });
  },
};
const negativeNorm = (row: readonly (number | bigint)[]) =>
  -Math.sqrt(row.reduce<number>((sum, number) => sum + Number(number) ** 2, 0));

/**
 * Positions that a head of a layer keeps, by the definition of eviction.
 *
 * @param held - Positions that it held before, and the new ones.
 */
function retainedPositions(
  held: readonly number[],
  tokens: readonly number[],
  [layer, head]: readonly [number, number],
  kind: Kind,
): number[] {
  const { budget, first, last, perHead } = kind.evicting!;
  if (held.length <= budget) return [...held];
  const isProtected = (p: number) => p < first || p >= tokens.length - last;
  const scoredHeads = perHead ? [head] : Array.from({ length: heads }, (_, h) => h);
  const score = (p: number) => {
    const keys = scoredHeads.map((h) =>
      Array.from({ length: D }, (_, d) => tokenNumber(0, tokens[p]!, layer, h, d)),
    );
    return keys.map(negativeNorm).reduce((a, b) => a + b, 0) / scoredHeads.length;
  };
  const byScore = held.filter((p) => !isProtected(p)).sort((a, b) => score(b) - score(a) || b - a);
  const always = held.filter(isProtected);
  return [...always, ...byScore.slice(0, budget - always.length)].sort((a, b) => a - b);
}

/** Number `d` of a token's key (side 0) or value (side 1), between -1 and 1: a hash of the arguments. */
function tokenNumber(side: 0 | 1, token: number, layer: number, head: number, d: number): number {
  const mixed =
    Math.sin(token * 12.9898 + layer * 78.233 + head * 37.719 + d * 4.581 + side * 93.9) * 43758.5453;
  return Math.fround(2 * (mixed - Math.floor(mixed)) - 1);
}

/** Keys (side 0) `[B, H, T, D]` or values (side 1) `[B, H, T, Dv]` of tokens `[B, T]`. */
function tokenRows(side: 0 | 1, tokens: readonly (readonly number[])[], layer: number): Tensor {
  const [B, T, width] = [tokens.length, tokens[0]?.length ?? 0, side === 0 ? D : Dv];
  const data = new Float32Array(B * heads * T * width);
  let at = 0;
  for (const sequence of tokens)
    for (let h = 0; h < heads; h++)
      for (const token of sequence)
        for (let d = 0; d < width; d++) data[at++] = tokenNumber(side, token, layer, h, d);
  return tensor(data, { shape: [B, heads, T, width] });
}

/** Appends tokens `[B, T]` to every layer, and compares the keys and values that each layer then reads with the model. */
function append({ cache, model }: Pair, added: readonly (readonly number[])[], kind: Kind): void {
  const starts = model.map(({ tokens }) => tokens.length);
  const after = model.map(({ tokens }, b) => [...tokens, ...added[b]!]);
  for (let layer = 0; layer < layers; layer++) {
    const owner = kind.reads?.[layer] ?? layer;
    if (owner !== layer) {
      // This layer reads the entries of its owner, and refuses to store any.
      expect(() => cache.update(layer, tokenRows(0, added, layer), tokenRows(1, added, layer))).toThrow(
        "the layers that store entries",
      );
      if (kind.states?.layers.includes(owner)) expect(cache.state(layer)).toEqual(cache.state(owner));
      else if (starts.length > 0) expect(cache.read(layer)).toEqual(cache.read(owner));
      continue;
    }
    if (kind.states?.layers.includes(layer)) {
      advance({ cache, model }, added, layer);
      continue;
    }
    const key = tokenRows(0, added, layer);
    const value = kind.latent?.includes(layer) ? slice(key, 3, 0, Dv) : tokenRows(1, added, layer);
    const read = cache.update(layer, key, value);
    const evicting = kind.evicting?.layers.includes(layer);
    const seen = evicting
      ? model.map(({ kept }, b) =>
          kept[layer]!.map((positions) => [...positions, ...added[b]!.map((_, t) => starts[b]! + t)]),
        )
      : undefined;
    compare(read, after, starts, layer, kind, cache.unrotatedKeys === true, seen);
    model.forEach((one, b) => {
      if (!seen) return;
      one.kept[layer] = seen[b]!.map((positions, head) =>
        retainedPositions(positions, after[b]!, [layer, head], kind),
      );
      if (one.kept[layer]![0]!.length < seen[b]![0]!.length) one.evictedAt = after[b]!.length;
    });
  }
  const addsNothing = added.every(({ length }) => length === 0);
  model.forEach((one, b) => {
    one.tokens = after[b]!;
    if (kind.states) {
      const earlier = addsNothing ? one.states.slice(0, -1) : one.states;
      one.states = [...earlier, one.tokens.length].slice(-1 - kind.states.checkpoints);
    }
    if (kind.rolling) {
      const { window, first, room } = kind.rolling;
      one.lost = Math.max(one.lost, first, one.tokens.length - (window - 1 + room));
    }
  });
}

/**
 * The states after tokens `[B, T]`, by definition: `state` [B, 2, 3], a sum that is halved with each token, and `conv`
 * [B, 4, 2], numbers of the last two tokens.
 *
 * @param from - States before the tokens. Default: zeros.
 */
function statesAfter(
  tokens: readonly (readonly number[])[],
  layer: number,
  from?: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const [sums, last] = [from?.["state"]?.data, from?.["conv"]?.data];
  const state = tokens.map((sequence, b) =>
    Array.from({ length: 6 }, (_, i) =>
      sequence.reduce(
        (sum, token) => Math.fround(sum / 2 + tokenNumber(0, token, layer, 0, i)),
        (sums?.[b * 6 + i] as number | undefined) ?? 0,
      ),
    ),
  );
  const conv = tokens.map((sequence, b) =>
    Array.from({ length: 4 }, (_, channel) => {
      const past = [0, 1].map((t) => (last?.[b * 8 + channel * 2 + t] as number | undefined) ?? 0);
      return [...past, ...sequence.map((token) => tokenNumber(1, token, layer, 0, channel))].slice(-2);
    }),
  );
  return {
    state: tensor(state.flat(), { shape: [tokens.length, 2, 3] }),
    conv: tensor(conv.flat(2), { shape: [tokens.length, 4, 2] }),
  };
}

/** Compares the state of a layer with the model, and advances it by new tokens `[B, T]`. */
function advance({ cache, model }: Pair, added: readonly (readonly number[])[], layer: number): void {
  const held = cache.state(layer);
  const before = statesAfter(
    model.map(({ tokens }) => tokens),
    layer,
  );
  if (!held) expect(model.every(({ tokens }) => tokens.length === 0)).toBe(true);
  else for (const [name, { data }] of Object.entries(before)) expect(held[name]!.data).toEqual(data);
  const counts = added.map(({ length }) => length);
  cache.advance(
    layer,
    statesAfter(added, layer, held),
    counts.every((n) => n === counts[0]) ? counts[0]! : counts,
  );
}

/**
 * Compares the keys and values that a layer reads with the model.
 *
 * @param starts - Lengths `[B]` before the newest tokens.
 * @param visible - Positions in the cache by batch and head. Default: all, or those that `kind.rolling` keeps.
 */
function compare(
  read: KeyValues,
  tokens: readonly (readonly number[])[],
  starts: readonly number[],
  layer: number,
  kind: Kind,
  unrotatedKeys: boolean,
  visible?: readonly (readonly (readonly number[])[])[],
): void {
  const B = tokens.length;
  const [key, value] = [read.key, read.value].map((parts) =>
    concat(
      parts.map((part) => cast(denseSegment(part, B), "float32")),
      2,
    ),
  ) as [Tensor, Tensor];
  const S = key.shape[2]!;
  const { positions } = read;
  // Without a list of positions, the lengths of paged blocks tell the slots in use.
  const [first] = read.key;
  const lengths = first && "table" in first && "start" in positions ? first.length : S;
  tokens.forEach((sequence, b) => {
    const rolls = kind.rolling && (kind.rollingLayers?.includes(layer) ?? true) ? kind.rolling : undefined;
    // Positions that new tokens see: all, or the first ones and the window.
    const seenBy = (head: number) =>
      visible?.[b]?.[head] ??
      sequence.flatMap((_, p) =>
        !rolls || p < rolls.first || p >= starts[b]! - rolls.window + 1 ? [p] : [],
      );
    /** The slot of each position. */
    const slots = (head: number) => {
      const found = new Map<number, number>();
      // A list of positions is for all, one per sequence, or one per head.
      const rows = "start" in positions ? 0 : positions.length / S;
      const row = rows <= 1 ? 0 : rows === B ? b : b * heads + head;
      for (let s = 0; s < S; s++) {
        const position = "start" in positions ? positions.start + s : positions[row * S + s]!;
        if (position < 0 || s >= (typeof lengths === "number" ? S : lengths[b]!)) continue;
        if (found.has(position)) expect.fail(`position ${position} is stored twice`);
        found.set(position, s);
      }
      return found;
    };
    // The heads of a layer differ only if each chooses the tokens that it keeps.
    const groups = kind.evicting?.perHead ? heads : 1;
    Array.from({ length: groups }, (_, group) => group).forEach((group) => {
      const [seen, found] = [seenBy(group), slots(group)];
      const places = unrotatedKeys ? seen.map((_, i) => i) : seen;
      expect([...found.keys()].sort((a, b) => a - b)).toEqual(places);
      seen.forEach((p, i) => {
        const s = found.get(places[i]!)!;
        for (const [side, x] of [
          [0, key],
          [1, value],
        ] as const) {
          const width = x.shape[3]!;
          for (let h = groups === 1 ? 0 : group; h < (groups === 1 ? heads : group + 1); h++) {
            const at = ((b * heads + h) * S + s) * width;
            for (let d = 0; d < width; d++) {
              const latent = kind.latent?.includes(layer);
              const wanted = tokenNumber(latent ? 0 : side, sequence[p]!, layer, h, d);
              const got = x.data[at + d]!;
              // One `expect` for each of so many numbers would be slow.
              if (!(Math.abs(got - wanted) <= (kind.tolerance ?? 0)))
                expect.fail(`token ${p}: ${got}, expected ${wanted} in layer ${layer}`);
            }
          }
        }
      });
    });
  });
}

/** Compares every open cache with its model: an operation on one must not change another. */
function check(world: World, { kind }: RunState): void {
  for (const pair of world.pairs) {
    const { cache, model } = pair;
    const lengths = model.map(({ tokens }) => tokens.length);
    expect([...cache.lengths]).toEqual(lengths);
    expect(cache.length).toBe(Math.max(0, ...lengths));
    if (kind.states?.layers.length === layers) expect(cache.stored).toBe(0);
    else if (kind.evicting?.layers.length === layers)
      expect(cache.stored).toBe(Math.max(0, ...model.map(({ kept }) => kept[0]![0]!.length)));
    else if (!kind.rolling) expect(cache.stored).toBe(cache.length);
    else expect(cache.stored).toBeLessThanOrEqual(cache.length);
    const paged = cache as Partial<PagedCache>;
    if (paged.table) {
      // Each sequence has as many pages as its tokens need; the pages in use are those of the open caches.
      expect(paged.table.map(({ length }) => length)).toEqual(
        lengths.map((length) => Math.ceil(length / paged.pageLength!)),
      );
      const held = new Set(world.pairs.flatMap((one) => (one.cache as PagedCache).table.flat()));
      expect(paged.pages! - paged.freePages!).toBe(held.size);
    }
    if (model.length > 0)
      append(
        pair,
        model.map(() => []),
        kind,
      );
  }
}

type CacheCommand = fc.Command<World, RunState>;

/** A command without a precondition, after which all caches are checked. `name` is printed in counterexamples. */
function command(name: string, run: (world: World, state: RunState) => void): CacheCommand {
  return {
    check: () => true,
    run(world, state) {
      run(world, state);
      check(world, state);
    },
    toString: () => name,
  };
}

/** One of the open caches, by an arbitrary number. */
const pick = (world: World, n: number): Pair => world.pairs[n % world.pairs.length]!;
/** The error that `f` throws, or undefined. */
const thrownBy = (f: () => void): unknown => {
  try {
    f();
    return undefined;
  } catch (error) {
    return error;
  }
};

const update = (n: number, T: number, B: number) =>
  command(`update(${n}, ${T} tokens, ${B} batches)`, (world, state) => {
    const pair = pick(world, n);
    const before = copyModel(pair.model);
    if (pair.model.length === 0) pair.model = Array.from({ length: B }, emptySequence);
    const added = pair.model.map(() => Array.from({ length: T }, () => state.next++));
    const longest = Math.max(...pair.model.map(({ tokens }) => tokens.length)) + T;
    const { maxLength = Infinity } = state.kind;
    const paged = pair.cache as Partial<PagedCache>;
    const free = paged.freePages;
    const error = thrownBy(() => append(pair, added, state.kind));
    if (error) {
      // The only reason is a lack of room, and a refused update changes nothing.
      expect(String(error)).toMatch(/^ArgumentError: update: `key` is "tokens /);
      if (free === undefined) expect(longest).toBeGreaterThan(maxLength);
      else expect(paged.freePages).toBe(free);
      pair.model = before;
    } else expect(longest).toBeLessThanOrEqual(maxLength);
  });

const crop = (n: number, shares: readonly number[], form: number) =>
  command(`crop(${n}, ${shares.join()}, ${["first", "last", "each"][form]})`, (world, { kind }) => {
    const { cache, model } = pick(world, n);
    const lengths = model.map(({ tokens }) => tokens.length);
    const part = (length: number, b = 0) => Math.round(length * shares[b % shares.length]!);
    const [most, least] = [Math.max(0, ...lengths), lengths.length > 0 ? Math.min(...lengths) : 0];
    // The argument of `crop`: a length, −n to remove n tokens, or a length for each sequence.
    const wanted = [part(most), -part(least), lengths.map(part)][form]!;
    const croppedLength = (length: number, b: number) => {
      if (typeof wanted !== "number") return wanted[b]!;
      return wanted < 0 ? length + wanted : Math.min(length, wanted) + 0; // + 0: -0 is the length 0
    };
    const kept = lengths.map(croppedLength);
    const { rolling } = kind;
    const overwritten = model.some(
      ({ lost }, b) =>
        rolling && Math.max(rolling.first, kept[b]! - rolling.window + 1) < Math.min(lost, kept[b]!),
    );
    const found = model.map(({ states }, b) => states.lastIndexOf(kept[b]!));
    const changesNothing = kept.every((length, b) => length === lengths[b]);
    const lacksState =
      kind.states &&
      !changesNothing &&
      kept.some((length) => length > 0) &&
      found.some((i, b) => i < 0 && kept[b] !== lengths[b]);
    const evicted =
      kind.evicting &&
      model.some(({ evictedAt }, b) => kept[b]! > 0 && kept[b] !== lengths[b] && kept[b]! < evictedAt);
    const error = thrownBy(() => cache.crop(wanted));
    if (overwritten || lacksState || evicted) {
      const causes = [
        (overwritten || evicted) && "were evicted",
        lacksState && "of which a state is stored",
      ].filter(Boolean);
      expect(String(error)).toMatch(new RegExp(causes.join("|")));
    } else expect(error).toBe(undefined);
    if (error) return;
    model.forEach((one, b) => {
      const oldest = Math.min(...found);
      if (kind.states && !changesNothing)
        one.states = oldest < 0 ? [] : [...one.states.slice(0, oldest), kept[b]!];
      one.kept = one.kept.map((layer) => layer.map((head) => head.filter((p) => p < kept[b]!)));
      if (kept[b] === 0) one.evictedAt = 0;
      one.tokens.length = kept[b]!;
      one.lost = Math.min(one.lost, Math.max(rolling?.first ?? 0, kept[b]!));
    });
  });

const fork = (n: number) =>
  command(`fork(${n})`, (world) => {
    if (world.pairs.length > 3) return;
    const { cache, model } = pick(world, n);
    world.pairs.push({ cache: cache.fork(), model: copyModel(model) });
  });

const reset = (n: number) =>
  command(`reset(${n})`, (world) => {
    const pair = pick(world, n);
    pair.cache.reset();
    pair.model = [];
    if (world.pairs.length > 1) world.pairs.splice(world.pairs.indexOf(pair), 1);
  });

const reorder = (n: number, shares: readonly number[]) =>
  command(`reorder(${n}, ${shares.join()})`, (world) => {
    const pair = pick(world, n);
    if (pair.model.length === 0) return;
    const ids = shares.map((share) => Math.floor(share * 0.999 * pair.model.length));
    pair.cache.reorder(ids);
    pair.model = ids.map((id) => copyModel([pair.model[id]!])[0]!);
  });

const repeat = (n: number, times: number) =>
  command(`repeat(${n}, ${times})`, (world) => {
    const pair = pick(world, n);
    if (pair.model.length * times > 4) return;
    pair.cache.repeat(times);
    pair.model = pair.model.flatMap((one) => Array.from({ length: times }, () => copyModel([one])[0]!));
  });

const restore = (from: number, to: number) =>
  command(`restore(${from} into ${to})`, (world) => {
    const [source, target] = [pick(world, from), pick(world, to)];
    const error = thrownBy(() => target.cache.restore(source.cache.save()));
    if (!error) {
      target.model = copyModel(source.model);
      for (const one of target.model) one.states = one.states.slice(-1); // a file has only the last state
    } else expect(String(error)).toMatch(/that need .* more pages|pages/);
  });

const restoreDamaged = (n: number, share: number, cut: boolean) =>
  command(`restore(${n}, damaged at ${share})`, (world) => {
    const { cache } = pick(world, n);
    const file = cache.save();
    const at = Math.floor(share * 0.999 * file.length);
    const damaged = cut ? file.subarray(0, at) : file.slice();
    if (!cut) damaged[at]! ^= 1 << (at % 8);
    expect(() => cache.restore(damaged)).toThrow(/saved cache/);
  });

const discard = (n: number, start: number, end: number) =>
  command(`discard(${n}, ${start}, ${end})`, (world) => {
    const { cache, model } = pick(world, n);
    const shortest = model.length > 0 ? Math.min(...model.map(({ tokens }) => tokens.length)) : 0;
    const [first, last] = [start, end].map((share) => Math.floor(share * shortest)).sort((a, b) => a - b) as [
      number,
      number,
    ];
    if (model.length === 0) return;
    cache.discard(first, last);
    for (const { tokens } of model) tokens.splice(first, last - first);
  });

const prompt = (n: number, ids: readonly number[]) =>
  command(`prompt(${n}, ${ids.join()})`, (world, state) => {
    const pair = pick(world, n);
    const cache = pair.cache as PrefixCache;
    const { kind, inserted } = state;
    // As the keys of a model do, a token's numbers depend on its id, its position and the tokens before it.
    const tokens = ids.map((_, i) => ids.slice(0, i + 1).reduce((a, id) => (a * 31 + id + 7) % 100003, 1));
    const known = cache.matchPrefix(ids);
    // A known prefix ends at the end of a page; with states, at the end of a prefix that was inserted.
    const isPrefix = (inserted: readonly number[]) => inserted.every((id, i) => id === ids[i]);
    if (!kind.states) expect(known % cache.pageLength).toBe(0);
    else if (known > 0) expect(inserted.some((one) => one.length === known && isPrefix(one))).toBe(true);
    expect(known).toBeLessThan(Math.max(1, ids.length));
    const states = kind.states && known > 0 ? [known] : [];
    const first = { ...emptySequence(), tokens: tokens.slice(0, known), states };
    pair.model = [first];
    const error = thrownBy(() => append(pair, [tokens.slice(known)], kind));
    if (error) {
      expect(String(error)).toMatch(/^ArgumentError: update: `key` is "tokens that need/);
      pair.model = known > 0 ? [first] : [];
      return;
    }
    cache.insertPrefix(ids);
    inserted.push(ids);
    // The inserted prefix is found at once.
    const again = cache.fork();
    const fullPages = Math.floor(ids.length / cache.pageLength) * cache.pageLength;
    expect(again.matchPrefix([...ids, 99])).toBe(kind.states ? ids.length : fullPages);
    again.reset();
  });

/** Random sequences of operations on a cache of a kind and its forks. */
export function commandsFor(kind: Kind): fc.Arbitrary<Iterable<CacheCommand>> {
  const cacheIndex = fc.nat(3);
  const share = fc.constantFrom(0, 0.2, 0.5, 0.8, 1);
  const shares = fc.array(share, { minLength: 1, maxLength: 3 });
  const cache = kind.make();
  const list: fc.Arbitrary<CacheCommand>[] = [
    fc
      .tuple(cacheIndex, fc.constantFrom(0, 1, 1, 1, 2, 3, 7), fc.integer({ min: 1, max: 3 }))
      .map((all) => update(...all)),
    fc.tuple(cacheIndex, fc.constantFrom(1, 4), fc.integer({ min: 1, max: 2 })).map((all) => update(...all)),
    fc.tuple(cacheIndex, shares, fc.nat(2)).map((all) => crop(...all)),
    cacheIndex.map(fork),
    cacheIndex.map(reset),
    fc.tuple(cacheIndex, shares).map((all) => reorder(...all)),
    fc.tuple(cacheIndex, fc.integer({ min: 1, max: 3 })).map((all) => repeat(...all)),
    fc.tuple(cacheIndex, cacheIndex).map((all) => restore(...all)),
    fc
      .tuple(cacheIndex, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean())
      .map((all) => restoreDamaged(...all)),
  ];
  if (cache.unrotatedKeys && !kind.rolling && !kind.states)
    list.push(fc.tuple(cacheIndex, share, share).map((all) => discard(...all)));
  if ("matchPrefix" in cache)
    list.push(
      fc.tuple(cacheIndex, fc.array(fc.nat(1), { minLength: 1, maxLength: 14 })).map((all) => prompt(...all)),
    );
  return fc.commands(list, { maxCommands: 20 });
}

/** Runs random sequences of operations on a cache and its model. After a reset the cache holds no memory. */
export function checkAgainstModel(kind: Kind, numRuns: number): void {
  fc.assert(
    fc.property(commandsFor(kind), (commands) => {
      const world: World = { pairs: [{ cache: kind.make(), model: [] }] };
      const first = world.pairs[0]!.cache;
      fc.modelRun(() => ({ model: world, real: { kind, next: 1, inserted: [] } }), commands);
      for (const { cache } of world.pairs) cache.reset();
      const paged = (kind.pool?.(first) ?? first) as Partial<PrefixCache>;
      paged.clearPrefixes?.();
      if (paged.freePages !== undefined) {
        expect(paged.freePages).toBe(paged.pages);
        expect(paged.prefixPages ?? 0).toBe(0);
      } else expect(first.bytes).toBe(0);
    }),
    { numRuns },
  );
}
