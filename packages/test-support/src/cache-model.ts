// What the tests compare caches with: lists of tokens. Not part of the package.
import { type EvictionScore, type KeyValues, denseSegment } from "@qkv/attention-contract";
import { cast, concat, slice, tensor, type Tensor } from "@qkv/tensor";
import fc from "fast-check";
import { expect } from "vitest";
import type { KvCache } from "@qkv/kv-cache";
import type { PagedCache } from "@qkv/kv-cache";
import type { PrefixCache } from "@qkv/kv-cache";

/** A kind of cache, and what of the tokens before it shows to new ones. */
export type Kind = {
  readonly name: string;
  make(): KvCache;
  /** Rolling caches: keys seen by one query, tokens kept, tokens that fit beyond. */
  readonly rolling?: { window: number; first: number; room: number };
  /** Of which layers that holds. Default: all. */
  readonly rollingLayers?: readonly number[];
  /** Layers whose values are the first numbers of the keys. */
  readonly latent?: readonly number[];
  /** For each layer the one whose entries it reads. Default: its own. */
  readonly reads?: readonly number[];
  /** Layers that hold a state instead of keys and values, and the number of states to go back to. */
  readonly states?: { layers: readonly number[]; checkpoints: number };
  /** Layers that keep the tokens of the smallest key norms: `budget` of them, the first and the last ones among them. */
  readonly evicting?: Evicting;
  /** Largest error of a number, as a share of the largest magnitude. Default 0. */
  readonly tolerance?: number;
  /** The most tokens of one batch. */
  readonly maxLength?: number;
  /** The paged cache inside, whose pages must all come back. */
  pool?(cache: KvCache): PagedCache;
};

/** `perHead`: each head keeps tokens of its own. */
type Evicting = { layers: readonly number[]; budget: number; first: number; last: number; perHead?: boolean };

export const layers = 3;
const [heads, D, Dv] = [2, 4, 3];

/**
 * One sequence: its tokens, up to where a ring has lost them, the lengths of which states are stored, the positions that
 * each head of each layer keeps under eviction, and the length at the last one.
 */
type Sequence = { tokens: number[]; lost: number; states: number[]; kept: number[][][]; evictedAt: number };
/** A cache as a list of arrays. */
type Model = Sequence[];
type Pair = { cache: KvCache; model: Model };
/** All caches that live: a cache and its forks. */
type World = { pairs: Pair[] };
/** The kind, the next token, and the prefixes that were inserted. */
type Real = { kind: Kind; next: number; inserted: (readonly number[])[] };

const copyOf = (model: Model): Model =>
  model.map(({ tokens, lost, states, kept, evictedAt }) => ({
    ...{ tokens: [...tokens], lost, states: [...states], evictedAt },
    kept: kept.map((own) => own.map((head) => [...head])),
  }));
const emptySequence = (): Sequence => ({
  ...{ tokens: [], lost: 0, states: [], evictedAt: 0 },
  kept: Array.from({ length: layers }, () => Array.from({ length: heads }, () => [])),
});

/** The score of the kind `evicting`: the norm of a key, negative. */
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

/** Positions kept of those that a head of a layer held, with the newest, by the definition. */
function keptOf(
  held: readonly number[],
  tokens: readonly number[],
  [layer, head]: readonly [number, number],
  kind: Kind,
): number[] {
  const { budget, first, last, perHead } = kind.evicting!;
  if (held.length <= budget) return [...held];
  const isProtected = (p: number) => p < first || p >= tokens.length - last;
  const score = (p: number) =>
    (perHead ? [head] : Array.from({ length: heads }, (_, h) => h))
      .map((h) => negativeNorm(Array.from({ length: D }, (_, d) => numberOf(0, tokens[p]!, layer, h, d))))
      .reduce((a, b) => a + b, 0) / (perHead ? 1 : heads);
  const others = held.filter((p) => !isProtected(p)).sort((a, b) => score(b) - score(a) || b - a);
  const own = held.filter(isProtected);
  return [...own, ...others.slice(0, budget - own.length)].sort((a, b) => a - b);
}

/** A number of a token's key or value, between -1 and 1. Tokens, layers, places and heads all have their own. */
function numberOf(side: 0 | 1, token: number, layer: number, head: number, d: number): number {
  const mixed =
    Math.sin(token * 12.9898 + layer * 78.233 + head * 37.719 + d * 4.581 + side * 93.9) * 43758.5453;
  return Math.fround(2 * (mixed - Math.floor(mixed)) - 1);
}

function rowsOf(side: 0 | 1, tokens: readonly (readonly number[])[], layer: number): Tensor {
  const [B, T, width] = [tokens.length, tokens[0]?.length ?? 0, side === 0 ? D : Dv];
  const data = new Float32Array(B * heads * T * width);
  let at = 0;
  for (const own of tokens)
    for (let h = 0; h < heads; h++)
      for (const token of own)
        for (let d = 0; d < width; d++) data[at++] = numberOf(side, token, layer, h, d);
  return tensor(data, { shape: [B, heads, T, width] });
}

/** Appends tokens to every layer, and compares what each reads with the model. */
function append({ cache, model }: Pair, added: readonly (readonly number[])[], kind: Kind): void {
  const starts = model.map(({ tokens }) => tokens.length);
  const after = model.map(({ tokens }, b) => [...tokens, ...added[b]!]);
  for (let layer = 0; layer < layers; layer++) {
    const owner = kind.reads?.[layer] ?? layer;
    if (owner !== layer) {
      // It finds what the owner has just appended.
      expect(() => cache.update(layer, rowsOf(0, added, layer), rowsOf(1, added, layer))).toThrow(
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
    const key = rowsOf(0, added, layer);
    const value = kind.latent?.includes(layer) ? slice(key, 3, 0, Dv) : rowsOf(1, added, layer);
    const read = cache.update(layer, key, value);
    const evicting = kind.evicting?.layers.includes(layer);
    const seen = evicting
      ? model.map(({ kept }, b) =>
          kept[layer]!.map((own) => [...own, ...added[b]!.map((_, t) => starts[b]! + t)]),
        )
      : undefined;
    compare(read, after, starts, layer, kind, cache.unrotatedKeys === true, seen);
    model.forEach((one, b) => {
      if (!seen) return;
      one.kept[layer] = seen[b]!.map((own, head) => keptOf(own, after[b]!, [layer, head], kind));
      if (one.kept[layer]![0]!.length < seen[b]![0]!.length) one.evictedAt = after[b]!.length;
    });
  }
  const stays = added.every(({ length }) => length === 0);
  model.forEach((one, b) => {
    one.tokens = after[b]!;
    if (kind.states) {
      const before = stays ? one.states.slice(0, -1) : one.states;
      one.states = [...before, one.tokens.length].slice(-1 - kind.states.checkpoints);
    }
    if (kind.rolling) {
      const { window, first, room } = kind.rolling;
      one.lost = Math.max(one.lost, first, one.tokens.length - (window - 1 + room));
    }
  });
}

/** A state by its definition: a sum that forgets [B, 2, 3], and the last two tokens [B, 4, 2]. */
function statesAfter(
  tokens: readonly (readonly number[])[],
  layer: number,
  from?: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const [sums, last] = [from?.["state"]?.data, from?.["conv"]?.data];
  const state = tokens.map((own, b) =>
    Array.from({ length: 6 }, (_, i) =>
      own.reduce(
        (sum, token) => Math.fround(sum / 2 + numberOf(0, token, layer, 0, i)),
        (sums?.[b * 6 + i] as number | undefined) ?? 0,
      ),
    ),
  );
  const conv = tokens.map((own, b) =>
    Array.from({ length: 4 }, (_, channel) => {
      const past = [0, 1].map((t) => (last?.[b * 8 + channel * 2 + t] as number | undefined) ?? 0);
      return [...past, ...own.map((token) => numberOf(1, token, layer, 0, channel))].slice(-2);
    }),
  );
  return {
    state: tensor(state.flat(), { shape: [tokens.length, 2, 3] }),
    conv: tensor(conv.flat(2), { shape: [tokens.length, 4, 2] }),
  };
}

/** Compares the state of a layer with that of the tokens, and advances it. */
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
  // Lengths of a part in blocks stand for positions only where none are listed.
  const [first] = read.key;
  const lengths = first && "table" in first && "start" in positions ? first.length : S;
  tokens.forEach((own, b) => {
    const rolls = kind.rolling && (kind.rollingLayers?.includes(layer) ?? true) ? kind.rolling : undefined;
    // What the new tokens may see: all, or the tokens kept and the window.
    const seenBy = (head: number) =>
      visible?.[b]?.[head] ??
      own.flatMap((_, p) => (!rolls || p < rolls.first || p >= starts[b]! - rolls.window + 1 ? [p] : []));
    /** Slots by position. */
    const slots = (head: number) => {
      const found = new Map<number, number>();
      const list = "start" in positions ? 0 : positions.length / S;
      const row = list <= 1 ? 0 : list === B ? b : b * heads + head;
      for (let s = 0; s < S; s++) {
        const position = "start" in positions ? positions.start + s : positions[row * S + s]!;
        if (position < 0 || s >= (typeof lengths === "number" ? S : lengths[b]!)) continue;
        if (found.has(position)) expect.fail(`position ${position} stands twice`);
        found.set(position, s);
      }
      return found;
    };
    // Heads differ only where each keeps its own.
    const lists = kind.evicting?.perHead ? heads : 1;
    Array.from({ length: lists }, (_, list) => list).forEach((list) => {
      const [seen, found] = [seenBy(list), slots(list)];
      const places = unrotatedKeys ? seen.map((_, i) => i) : seen;
      expect([...found.keys()].sort((a, b) => a - b)).toEqual(places);
      seen.forEach((p, i) => {
        const s = found.get(places[i]!)!;
        for (const [side, x] of [
          [0, key],
          [1, value],
        ] as const) {
          const width = x.shape[3]!;
          for (let h = lists === 1 ? 0 : list; h < (lists === 1 ? heads : list + 1); h++) {
            const at = ((b * heads + h) * S + s) * width;
            for (let d = 0; d < width; d++) {
              const latent = kind.latent?.includes(layer);
              const wanted = numberOf(latent ? 0 : side, own[p]!, layer, h, d);
              const got = x.data[at + d]!;
              // Told only where they differ: there are many numbers.
              if (!(Math.abs(got - wanted) <= (kind.tolerance ?? 0)))
                expect.fail(`token ${p}: ${got}, expected ${wanted} in layer ${layer}`);
            }
          }
        }
      });
    });
  });
}

/** Every live cache holds what its model holds; nothing that was done to another shows in it. */
function check(world: World, { kind }: Real): void {
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
      // No page more than the tokens need, and none counted that nobody here holds.
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

type CacheCommand = fc.Command<World, Real>;

/** A command that is always possible; it says itself what happens. */
function command(name: string, run: (world: World, real: Real) => void): CacheCommand {
  return {
    check: () => true,
    run(world, real) {
      run(world, real);
      check(world, real);
    },
    toString: () => name,
  };
}

const pick = (world: World, n: number): Pair => world.pairs[n % world.pairs.length]!;
const refusal = (f: () => void): unknown => {
  try {
    f();
    return undefined;
  } catch (error) {
    return error;
  }
};

const update = (n: number, T: number, B: number) =>
  command(`update(${n}, ${T} tokens, ${B} batches)`, (world, real) => {
    const pair = pick(world, n);
    const before = copyOf(pair.model);
    if (pair.model.length === 0) pair.model = Array.from({ length: B }, emptySequence);
    const added = pair.model.map(() => Array.from({ length: T }, () => real.next++));
    const longest = Math.max(...pair.model.map(({ tokens }) => tokens.length)) + T;
    const { maxLength = Infinity } = real.kind;
    const paged = pair.cache as Partial<PagedCache>;
    const free = paged.freePages;
    const error = refusal(() => append(pair, added, real.kind));
    if (error) {
      // Only for want of room, and then nothing has changed.
      expect(String(error)).toMatch(/^ArgumentError: update: `key` is "tokens /);
      if (free === undefined) expect(longest).toBeGreaterThan(maxLength);
      else expect(paged.freePages).toBe(free);
      pair.model = before;
    } else expect(longest).toBeLessThanOrEqual(maxLength);
  });

const crop = (n: number, shares: readonly number[], form: number) =>
  command(`crop(${n}, ${shares.join()}, ${["first", "last", "each"][form]})`, (world, { kind }) => {
    const { cache, model } = pick(world, n);
    const own = model.map(({ tokens }) => tokens.length);
    const share = (length: number, b = 0) => Math.round(length * shares[b % shares.length]!);
    const [most, least] = [Math.max(0, ...own), own.length > 0 ? Math.min(...own) : 0];
    const wanted = form === 0 ? share(most) : form === 1 ? -share(least) : own.map(share);
    const kept = own.map((length, b) =>
      typeof wanted !== "number"
        ? wanted[b]!
        : wanted < 0 || Object.is(wanted, -0)
          ? length + wanted
          : Math.min(length, wanted),
    );
    // -0 is 0: it keeps nothing.
    if (Object.is(wanted, -0)) kept.fill(0);
    const { rolling } = kind;
    const gone = model.some(
      ({ lost }, b) =>
        rolling && Math.max(rolling.first, kept[b]! - rolling.window + 1) < Math.min(lost, kept[b]!),
    );
    const found = model.map(({ states }, b) => states.lastIndexOf(kept[b]!));
    const stays = kept.every((length, b) => length === own[b]);
    const stateless =
      kind.states &&
      !stays &&
      kept.some((length) => length > 0) &&
      found.some((i, b) => i < 0 && kept[b] !== own[b]);
    const evicted =
      kind.evicting &&
      model.some(({ evictedAt }, b) => kept[b]! > 0 && kept[b] !== own[b] && kept[b]! < evictedAt);
    const error = refusal(() => cache.crop(wanted));
    if (gone || stateless || evicted) {
      const causes = [(gone || evicted) && "were evicted", stateless && "of which a state is stored"].filter(
        Boolean,
      );
      expect(String(error)).toMatch(new RegExp(causes.join("|")));
    } else expect(error).toBe(undefined);
    if (error) return;
    model.forEach((one, b) => {
      const oldest = Math.min(...found);
      if (kind.states && !stays) one.states = oldest < 0 ? [] : [...one.states.slice(0, oldest), kept[b]!];
      one.kept = one.kept.map((own) => own.map((positions) => positions.filter((p) => p < kept[b]!)));
      if (kept[b] === 0) one.evictedAt = 0;
      one.tokens.length = kept[b]!;
      one.lost = Math.min(one.lost, Math.max(rolling?.first ?? 0, kept[b]!));
    });
  });

const fork = (n: number) =>
  command(`fork(${n})`, (world) => {
    if (world.pairs.length > 3) return;
    const { cache, model } = pick(world, n);
    world.pairs.push({ cache: cache.fork(), model: copyOf(model) });
  });

const end = (n: number) =>
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
    pair.model = ids.map((id) => copyOf([pair.model[id]!])[0]!);
  });

const repeat = (n: number, times: number) =>
  command(`repeat(${n}, ${times})`, (world) => {
    const pair = pick(world, n);
    if (pair.model.length * times > 4) return;
    pair.cache.repeat(times);
    pair.model = pair.model.flatMap((one) => Array.from({ length: times }, () => copyOf([one])[0]!));
  });

const restore = (from: number, to: number) =>
  command(`restore(${from} into ${to})`, (world) => {
    const [source, target] = [pick(world, from), pick(world, to)];
    const error = refusal(() => target.cache.restore(source.cache.save()));
    if (!error) {
      target.model = copyOf(source.model);
      for (const one of target.model) one.states = one.states.slice(-1); // a file holds the last
    } else expect(String(error)).toMatch(/that need .* more pages|pages/);
  });

const damage = (n: number, share: number, cut: boolean) =>
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

const ask = (n: number, ids: readonly number[]) =>
  command(`ask(${n}, ${ids.join()})`, (world, real) => {
    const pair = pick(world, n);
    const cache = pair.cache as PrefixCache;
    const { kind, inserted } = real;
    // A token is its id, where it stands and what came before, as keys of a model are.
    const tokens = ids.map((_, i) => ids.slice(0, i + 1).reduce((a, id) => (a * 31 + id + 7) % 100003, 1));
    const known = cache.matchPrefix(ids);
    // Pages end at their length, states where one was inserted.
    const begins = (one: readonly number[]) => one.every((id, i) => id === ids[i]);
    if (!kind.states) expect(known % cache.pageLength).toBe(0);
    else if (known > 0) expect(inserted.some((one) => one.length === known && begins(one))).toBe(true);
    expect(known).toBeLessThan(Math.max(1, ids.length));
    const states = kind.states && known > 0 ? [known] : [];
    const first = { ...emptySequence(), tokens: tokens.slice(0, known), states };
    pair.model = [first];
    const error = refusal(() => append(pair, [tokens.slice(known)], real.kind));
    if (error) {
      expect(String(error)).toMatch(/^ArgumentError: update: `key` is "tokens that need/);
      pair.model = known > 0 ? [first] : [];
      return;
    }
    cache.insertPrefix(ids);
    inserted.push(ids);
    // What was just remembered is known at once.
    const again = cache.fork();
    const whole = Math.floor(ids.length / cache.pageLength) * cache.pageLength;
    expect(again.matchPrefix([...ids, 99])).toBe(kind.states ? ids.length : whole);
    again.reset();
  });

/** Random sequences of operations on a cache of a kind and its forks. */
export function commandsFor(kind: Kind): fc.Arbitrary<Iterable<CacheCommand>> {
  const which = fc.nat(3);
  const share = fc.constantFrom(0, 0.2, 0.5, 0.8, 1);
  const shares = fc.array(share, { minLength: 1, maxLength: 3 });
  const cache = kind.make();
  const list: fc.Arbitrary<CacheCommand>[] = [
    fc
      .tuple(which, fc.constantFrom(0, 1, 1, 1, 2, 3, 7), fc.integer({ min: 1, max: 3 }))
      .map((all) => update(...all)),
    fc.tuple(which, fc.constantFrom(1, 4), fc.integer({ min: 1, max: 2 })).map((all) => update(...all)),
    fc.tuple(which, shares, fc.nat(2)).map((all) => crop(...all)),
    which.map(fork),
    which.map(end),
    fc.tuple(which, shares).map((all) => reorder(...all)),
    fc.tuple(which, fc.integer({ min: 1, max: 3 })).map((all) => repeat(...all)),
    fc.tuple(which, which).map((all) => restore(...all)),
    fc.tuple(which, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean()).map((all) => damage(...all)),
  ];
  if (cache.unrotatedKeys && !kind.rolling && !kind.states)
    list.push(fc.tuple(which, share, share).map((all) => discard(...all)));
  if ("matchPrefix" in cache)
    list.push(
      fc.tuple(which, fc.array(fc.nat(1), { minLength: 1, maxLength: 14 })).map((all) => ask(...all)),
    );
  return fc.commands(list, { maxCommands: 20 });
}

/** Runs sequences against the model; at the end nothing is held any more. */
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
