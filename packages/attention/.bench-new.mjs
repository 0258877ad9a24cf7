// src/attention.ts
import { refuse as refuse6, refuseShape as refuseShape2 } from "@qkv/core";
import {
  checkTensor,
  contiguous as contiguous2,
  isTensor,
  runAll as runAll2
} from "@qkv/tensor";
import {
  checkKeyValues,
  keyLengthsOf as keyLengthsOf2,
  partLength,
  placesOf,
  refuseType as refuseType2,
  storedParts
} from "@qkv/tensor/key-values";

// src/attention-op.ts
import { refuse } from "@qkv/core";
import { contiguous, runAll } from "@qkv/tensor";
import { sizesOf as sizesOf2, sortInputs } from "@qkv/tensor/key-values";
import { pairsRead } from "@qkv/tensor/tile-plan";

// src/score-tiles.ts
import { evaluator } from "@qkv/tensor/expressions";
import {
  firstQueryOf,
  keyPositions,
  sizesOf,
  storedRows
} from "@qkv/tensor/key-values";
import { seenKeys, tileIndex } from "@qkv/tensor/tile-plan";
function scoreTiles(inputs, call2, traced) {
  const { plan, scale, softcap, firstQuery: firstQuery2 } = call2;
  const { keyTile, queryTile } = plan;
  const sizes = sizesOf(inputs);
  const { H, T, S, D, group } = sizes;
  const { keys, values } = storedRows(inputs);
  const { array, strides, offset } = inputs.query;
  const [qb, qh, qt, qd] = strides;
  const positions = keyPositions(call2.positions, S);
  const everyDot = traced.includes("dots") || traced.includes("capped");
  const everyTile = everyDot || traced.includes("scores");
  const tables = inputs.tables.map(({ array: array2, offset: offset2 }) => array2.subarray(offset2));
  const evaluate = (mod) => mod && evaluator(mod, keyTile, tables.splice(0, mod.tables.length));
  const scoreMod2 = evaluate(call2.scoreMod);
  const weightMod = evaluate(call2.weightMod);
  const query = new Float64Array(D);
  const tile = () => new Float64Array(keyTile);
  const [dots, scores, weights] = [tile(), tile(), tile()];
  const capped = softcap > 0 ? tile() : dots;
  const seen = new Uint8Array(keyTile);
  const at = { score: capped, key: positions[0], firstKey: 0, batch: 0, head: 0, query: 0, length: 0 };
  let t = 0;
  const from = (score) => {
    at.score = score;
    return at;
  };
  return {
    sizes,
    keys,
    values,
    scoreMod: scoreMod2,
    weightMod,
    query,
    dots,
    capped,
    /** −∞ where the mask hides the key. */
    scores,
    weights,
    seen,
    from,
    /** Goes to a query: row t of T of a head and batch. Returns the logit of its head's sink; −∞: it has none. */
    seek(row) {
      t = row % T;
      const head = Math.floor(row / T) % H;
      const batch = Math.floor(row / (T * H));
      if (row % (T * group) === 0) {
        keys.locate(batch, head / group);
        values.locate(batch, head / group);
      }
      const i = offset + batch * qb + head * qh + t * qt;
      for (let d = 0; d < D; d++) query[d] = array[i + d * qd];
      at.batch = batch;
      at.head = head;
      at.query = firstQueryOf(firstQuery2, batch) + t;
      at.key = positions[positions.length > 1 ? batch : 0];
      const { sinks } = inputs;
      return sinks ? sinks.array[sinks.offset + head * sinks.strides[0]] : -Infinity;
    },
    /** Computes the scores of the keys from `start` on, where a tile begins. Returns how many; 0: all are hidden. */
    read(start) {
      const { batch, head } = at;
      const column = start / keyTile;
      const tile2 = tileIndex(plan, batch, head, Math.floor(t / queryTile), column);
      if (plan.classes[tile2] === 0 && !everyTile) return 0;
      const length = Math.min(keyTile, S - start);
      at.firstKey = start;
      at.length = length;
      seenKeys(plan, batch, head, t, column, seen.subarray(0, length));
      for (let n = 0; n < length; n++) {
        dots[n] = everyDot || seen[n] ? scale * keys.dot(query, 0, 1, start + n, D) : 0;
      }
      if (softcap > 0) for (let n = 0; n < length; n++) capped[n] = softcap * Math.tanh(dots[n] / softcap);
      const modified = scoreMod2 ? scoreMod2.forward(from(capped)) : capped;
      for (let n = 0; n < length; n++) scores[n] = seen[n] ? modified[n] : -Infinity;
      return length;
    },
    /** Turns the scores into weights, and returns what values are mixed with: the weights after weightMod. */
    weigh(logSum) {
      for (let n = 0; n < at.length; n++) {
        weights[n] = scores[n] === -Infinity ? 0 : Math.exp(scores[n] - logSum);
      }
      return weightMod ? weightMod.forward(from(weights)) : weights;
    }
  };
}

// src/attention-backward.ts
function attentionBackward(inputs, call2, [output, lse], from, to) {
  const { plan, scale, softcap, want } = call2;
  const [dOutput, dLse, ...dTraces] = from.map((view) => view?.array.subarray(view.offset));
  const traceGradient = (name) => dTraces[want.indexOf(name)];
  const dWeights = traceGradient("weights");
  const tiles = scoreTiles(inputs, call2, want.filter(traceGradient));
  const { sizes, keys, values, scoreMod: scoreMod2, weightMod, query } = tiles;
  const { B, H, T, S, D, Dv, group } = sizes;
  const sharing = group * T;
  const { capped, scores, weights, seen } = tiles;
  const dQuery = new Float64Array(D);
  const [dKey, dValue] = [new Float64Array(S * D), new Float64Array(S * Dv)];
  const dSinks = new Float64Array(H);
  const dMixed = new Float64Array(plan.keyTile);
  const dScores = new Float64Array(plan.keyTile);
  const addTraced = (name, to2, at, length) => {
    const gradient = traceGradient(name);
    if (!gradient) return;
    for (let n = 0; n < length; n++) if (name !== "scores" || seen[n]) to2[n] += gradient[at + n];
  };
  const weightGradient = (row, start, length) => {
    for (let n = 0; n < length; n++) {
      const reached = dOutput && scores[n] !== -Infinity;
      dMixed[n] = reached ? values.dot(dOutput, row * Dv, 1, start + n, Dv) : 0;
    }
    const dw = weightMod ? weightMod.backward(tiles.from(weights), dMixed) : dMixed;
    addTraced("weights", dw, row * S + start, length);
    return dw;
  };
  for (let row = 0; row < B * H * T; row++) {
    const sink = tiles.seek(row);
    if (row % sharing === 0) {
      dKey.fill(0);
      dValue.fill(0);
    }
    let logSum = lse.array[row];
    if (lse.dtype === "float32" && logSum !== -Infinity) {
      let total = Math.exp(sink - logSum);
      for (let start = 0; start < S; start += plan.keyTile) {
        const length = tiles.read(start);
        for (let n = 0; n < length; n++) total += Math.exp(scores[n] - logSum);
      }
      logSum += Math.log(total);
    }
    let shared = 0;
    if (weightMod || dWeights) {
      for (let start = 0; start < S; start += plan.keyTile) {
        const length = tiles.read(start);
        if (length === 0) continue;
        tiles.weigh(logSum);
        const dw = weightGradient(row, start, length);
        for (let n = 0; n < length; n++) shared += weights[n] * dw[n];
      }
    } else if (dOutput) {
      for (let d = row * Dv; d < (row + 1) * Dv; d++) shared += dOutput[d] * output.array[d];
    }
    const rest = (dLse?.[row] ?? 0) - shared;
    dQuery.fill(0);
    for (let start = 0; start < S; start += plan.keyTile) {
      const length = tiles.read(start);
      if (length === 0) continue;
      const mixed = tiles.weigh(logSum);
      const dw = weightGradient(row, start, length);
      for (let n = 0; n < length; n++) {
        dScores[n] = weights[n] * (dw[n] + rest);
        if (!dOutput || scores[n] === -Infinity) continue;
        addRow(dValue, (start + n) * Dv, mixed[n], dOutput, row * Dv, Dv);
      }
      const at = row * S + start;
      addTraced("scores", dScores, at, length);
      const dCapped = scoreMod2 ? scoreMod2.backward(tiles.from(capped), dScores) : dScores;
      addTraced("capped", dCapped, at, length);
      if (softcap > 0) for (let n = 0; n < length; n++) dCapped[n] *= 1 - (capped[n] / softcap) ** 2;
      addTraced("dots", dCapped, at, length);
      for (let n = 0; n < length; n++) {
        const slope = scale * dCapped[n];
        if (slope === 0) continue;
        keys.addTo(dQuery, slope, start + n);
        addRow(dKey, (start + n) * D, slope, query, 0, D);
      }
    }
    to.query.array.set(dQuery, row * D);
    if (sink !== -Infinity) dSinks[Math.floor(row / T) % H] += Math.exp(sink - logSum) * rest;
    if ((row + 1) % sharing === 0) {
      store(to.keys, dKey, Math.floor(row / sharing), D);
      store(to.values, dValue, Math.floor(row / sharing), Dv);
    }
  }
  to.sinks?.array.set(dSinks);
  const ofScores = scoreMod2?.tableGradients ?? [];
  const ofWeights = weightMod?.tableGradients.map((gradient) => gradient.map((x) => x / 2)) ?? [];
  [...ofScores, ...ofWeights].forEach((gradient, i) => to.tables[i].array.set(gradient));
}
function addRow(to, at, factor, from, start, n) {
  for (let d = 0; d < n; d++) to[at + d] += factor * from[start + d];
}
function store(parts, gradient, head, width) {
  let start = 0;
  for (const { array, shape } of parts) {
    const size = shape[2] * width;
    array.set(gradient.subarray(start, start += size), head * size);
  }
}

// src/attention-forward.ts
var slack = 64;
function attentionForward(inputs, call2, [output, lse, ...traces]) {
  const { plan, weightMod, want } = call2;
  const tiles = scoreTiles(inputs, call2, want);
  const { sizes, values, scores } = tiles;
  const { B, H, T, S, Dv } = sizes;
  const mixture = new Float64Array(Dv);
  const secondWalk = weightMod || want.includes("weights");
  for (let row = 0; row < B * H * T; row++) {
    const sink = tiles.seek(row);
    let reference = -Infinity;
    let total = 0;
    mixture.fill(0);
    for (let start = 0; start < S; start += plan.keyTile) {
      const length = tiles.read(start);
      for (let i = 0; length > 0 && i < want.length; i++) {
        const name = want[i];
        if (name !== "weights") traces[i].array.set(tiles[name].subarray(0, length), row * S + start);
      }
      for (let n = 0; n < length; n++) {
        const score = scores[n];
        if (score === -Infinity) continue;
        if (score - reference > slack) {
          const correction = Math.exp(reference - score);
          total *= correction;
          for (let d = 0; d < Dv; d++) mixture[d] *= correction;
          reference = score;
        }
        const weight = Math.exp(score - reference);
        total += weight;
        if (!weightMod) values.addTo(mixture, weight, start + n);
      }
    }
    const top = Math.max(reference, sink);
    const shrink = reference === -Infinity ? 0 : Math.exp(reference - top);
    total = total * shrink + (sink === -Infinity ? 0 : Math.exp(sink - top));
    const logSum = total === 0 ? -Infinity : top + Math.log(total);
    lse.array[row] = logSum;
    if (secondWalk) {
      for (let start = 0; start < S; start += plan.keyTile) {
        const length = tiles.read(start);
        if (length === 0) continue;
        const mixed = tiles.weigh(logSum);
        traces[want.indexOf("weights")]?.array.set(tiles.weights.subarray(0, length), row * S + start);
        for (let n = 0; weightMod && n < length; n++) {
          if (scores[n] !== -Infinity) values.addTo(mixture, mixed[n], start + n);
        }
      }
    }
    const factor = weightMod ? 1 : total === 0 ? 0 : shrink / total;
    for (let d = 0; d < Dv; d++) output.array[row * Dv + d] = mixture[d] * factor;
  }
}

// src/attention-op.ts
var attentionOp = {
  name: "attention",
  infer(inputs, call2) {
    const { B, H, T, S, Dv } = sizesOf2(sortInputs(inputs, call2));
    const { dtype } = inputs[0];
    return [[B, H, T, Dv], [B, H, T], ...call2.want.map(() => [B, H, T, S])].map((shape) => ({
      shape,
      dtype
    }));
  },
  // Per pair: a dot product, a mixed row, and about five for softmax.
  flops: (inputs, _outputs, call2) => flopsOf(inputs, call2, 2, 2, 5),
  kernel(inputs, outputs, call2) {
    attentionForward(sortInputs(inputs, call2), call2, outputs);
  },
  backward({ inputs, outputs, attributes, gradients }) {
    if (attributes.layouts) {
      refuse(
        "attention",
        "gradient",
        "asked for through keys or values in blocks",
        "keys and values as tensors: what a cache holds in pages has no gradient",
        "train without a cache, or with one that holds tensors."
      );
    }
    const arrived = [...gradients.keys()].filter((i) => gradients[i]);
    const reached = arrived.map((i) => contiguous(gradients[i]));
    return runAll(attentionBackwardOp, [...inputs, ...outputs.slice(0, 2), ...reached], {
      ...attributes,
      inputs: inputs.length,
      arrived
    });
  }
};
var attentionBackwardOp = {
  name: "attentionBackward",
  infer: (inputs, call2) => inputs.slice(0, call2.inputs),
  // The scores again, and four products of the forward pass's size.
  flops: (inputs, _outputs, call2) => flopsOf(inputs.slice(0, call2.inputs), call2, 6, 4, 10),
  kernel(inputs, outputs, call2) {
    const [output, lse, ...gradients] = inputs.slice(call2.inputs);
    const from = [];
    call2.arrived.forEach((place, i) => from[place] = gradients[i]);
    attentionBackward(
      sortInputs(inputs.slice(0, call2.inputs), call2),
      call2,
      [output, lse],
      from,
      sortInputs(outputs, call2)
    );
  },
  backward() {
    refuse(
      "attention",
      "gradient",
      "asked for a second time",
      "one gradient: the tiled backward has no derivative of its own",
      "use `plainAttention` where gradients of gradients are taken; it holds all scores."
    );
  }
};
function flopsOf(inputs, call2, perKey, perValue, once) {
  const { B, H, T, S, D, Dv } = sizesOf2(sortInputs(inputs, call2));
  return pairsRead(call2.plan, B, H, T, S) * (perKey * D + perValue * Dv + once);
}

// src/biases/dense-bias.ts
import { refuse as refuse2, refuseShape } from "@qkv/core";
import { tensor } from "@qkv/tensor";
import { lookup } from "@qkv/tensor/expressions";
import { keyLengthsOf, refuseType } from "@qkv/tensor/key-values";
function denseBias(fn, bias, query, { batches, heads: heads2, queries, keys, positions, firstQuery: firstQuery2 }) {
  const { shape, dtype } = bias;
  const firstKey = "start" in positions ? positions.start : 0;
  const full = [batches, heads2, queries, Math.max(...keyLengthsOf(positions, keys)) - firstKey];
  const missing = 4 - shape.length;
  if (missing < 0 || shape.some((length, axis) => length !== 1 && length !== full[missing + axis])) {
    refuseShape(
      fn,
      "bias",
      shape,
      `a shape that broadcasts to [B, H, T, S] = [${full.join(", ")}]`,
      "each length must be equal, or 1; axes may be missing at the left."
    );
  }
  if (dtype === "bool") {
    const fix2 = "pass which keys are seen as `mask: maskTensor(visible)`.";
    refuse2(fn, "bias", "a bool tensor", "numbers that are added to scores", fix2);
  }
  if (dtype !== query.dtype) refuseType(fn, "bias", bias, query);
  const first = typeof firstQuery2 === "number" ? firstQuery2 : tensor(firstQuery2, { dtype, device: bias.device });
  return (score, at) => {
    if (shape.includes(0)) return score;
    const start = typeof first === "number" ? first : lookup(first, at.batch);
    const places = [at.batch, at.head, at.query.sub(start), at.key.sub(firstKey)];
    const added = lookup(bias, ...shape.map((length, axis) => length === 1 ? 0 : places[missing + axis]));
    return added.equal(-Infinity).where(-Infinity, score.add(added));
  };
}

// src/drop-weights.ts
import { refuse as refuse3 } from "@qkv/core";
import { keep } from "@qkv/tensor/expressions";
var fix = "leave `dropout` out when the model is used, and give another seed each step when it is trained.";
function dropWeights(fn, { rate, seed }) {
  if (!Number.isSafeInteger(seed)) refuse3(fn, "dropout.seed", seed, "a whole number", fix);
  if (!(rate >= 0 && rate < 1)) refuse3(fn, "dropout.rate", rate, "a number from 0 to below 1", fix);
  return (weight, at) => weight.mul(keep(at, rate, seed));
}

// src/mask.ts
import { defineBrand, refuse as refuse4 } from "@qkv/core";
var brand = /* @__PURE__ */ defineBrand("attention/Mask", 1, "0.0.0");
function defineMask(definition) {
  const { name, perBatch = false, perHead: perHead2 = false } = definition;
  const mask = {
    name,
    perBatch,
    perHead: perHead2,
    bind(extent) {
      const { sees, tile = () => "some" } = "bind" in definition ? definition.bind(extent) : definition;
      return { sees, tile };
    }
  };
  return Object.assign(mask, { [brand.key]: brand.stamp });
}
function checkMask(fn, argument, value) {
  if (brand.has(value)) return value;
  refuse4(
    fn,
    argument,
    value,
    "a mask such as causal() or and(causal(), padding(lengths))",
    "call the mask's function (`causal()`, not `causal`); wrap a bool tensor with `maskTensor`, pass a float tensor as `bias`."
  );
}
function firstQuery({ queryLength, keyLength }) {
  return keyLength - queryLength;
}

// src/plan-for.ts
import { keyPositions as keyPositions2 } from "@qkv/tensor/key-values";
import { tilePlan } from "@qkv/tensor/tile-plan";
var plans = /* @__PURE__ */ new WeakMap();
function planFor(mask, bound, places) {
  const { positions, keys } = places;
  const make = () => tilePlan(
    bound,
    { ...places, keyPositions: keyPositions2(positions, keys) },
    mask?.perBatch ?? false,
    mask?.perHead ?? false
  );
  if (!mask || !("start" in positions)) return make();
  const key = JSON.stringify(places);
  const last = plans.get(mask);
  if (last?.key === key) return last.plan;
  const plan = make();
  plans.set(mask, { key, plan });
  return plan;
}

// src/score-mod.ts
import { defineBrand as defineBrand2, refuse as refuse5 } from "@qkv/core";
import {
  call,
  expression,
  toExpr
} from "@qkv/tensor/expressions";
var brand2 = /* @__PURE__ */ defineBrand2("attention/ScoreMod", 1, "0.0.0");
function scoreMod(apply, name, numHeads) {
  if (typeof apply !== "function") {
    refuse5(
      "scoreMod",
      "apply",
      apply,
      "a function of a symbolic score and its place",
      "write `scoreMod((score, at) => score.sub(at.query.sub(at.key)))`."
    );
  }
  const made = {
    name: name ?? (apply.name === "" ? "scoreMod(\u2026)" : apply.name),
    apply,
    ...numHeads !== void 0 && { numHeads }
  };
  return Object.assign(made, { [brand2.key]: brand2.stamp });
}
function scoreModFunction(f, { derivative } = {}) {
  const slope = derivative ?? (() => {
    refuse5(
      "scoreModFunction",
      "derivative",
      void 0,
      "a function, since a gradient is taken",
      "give `{ derivative }`, the slope of f in the score, or write f with `scoreMod`, whose slope is known."
    );
  });
  return scoreMod((score, at) => call(score, at, f, slope), f.name === "" ? "scoreModFunction(\u2026)" : f.name);
}
function checkScoreMod(fn, argument, value, numHeads) {
  if (typeof value === "function") return value;
  if (!brand2.has(value)) {
    refuse5(
      fn,
      argument,
      value,
      "a score mod: `scoreMod((score, at) => \u2026)`, or that function",
      "note the arithmetic with the methods of the symbolic score."
    );
  }
  const mod = value;
  if (mod.numHeads !== void 0 && mod.numHeads !== numHeads) {
    refuse5(
      fn,
      argument,
      mod.name,
      `numbers for numHeads = ${numHeads}, and it has them for ${mod.numHeads}`,
      "make it for as many heads as the query has."
    );
  }
  return mod.apply;
}
function combine(rules) {
  const given = rules.filter((rule) => rule !== void 0);
  if (given.length === 0) return void 0;
  return expression((score, at) => given.reduce((value, rule) => rule(toExpr(value), at), score));
}

// src/attention.ts
function attention(query, ...rest) {
  return compute("attention", query, rest, [])[0];
}
function tracedAttention(query, ...rest) {
  const names = [rest.at(-1)].flat();
  const unknown = names.findIndex((name) => !traceNames.includes(name));
  if (unknown >= 0) {
    refuse6(
      "tracedAttention",
      "names",
      names[unknown],
      `a list of ${traceNames.join(", ")}`,
      "ask, after the options, for what attention computes."
    );
  }
  const tiles = names.filter((name) => name !== "lse");
  const [output, lse, ...traced] = compute("tracedAttention", query, rest.slice(0, -1), tiles);
  const of = (name) => name === "lse" ? lse : traced[tiles.indexOf(name)];
  return {
    output,
    ...Object.fromEntries(names.map((name) => [name, of(name)]))
  };
}
function attentionWeights(query, key, options = {}) {
  return compute("attentionWeights", query, [key, key, options], ["weights"])[2];
}
var traceNames = ["dots", "capped", "scores", "weights", "lse"];
function compute(fn, query, rest, want) {
  const [keyValues, options] = argumentsOf(fn, rest);
  const { places, mask, bound, sinks, ...call2 } = prepare(fn, query, keyValues, options);
  const { firstQuery: firstQuery2, positions } = places;
  const { data, scales, layouts } = storedParts([...keyValues.key, ...keyValues.value]);
  const tables = [call2.scoreMod, call2.weightMod].flatMap((mod) => mod?.tables.map(contiguous2) ?? []);
  return runAll2(attentionOp, [query, ...data, ...tables, ...sinks ? [sinks] : [], ...scales], {
    ...call2,
    firstQuery: firstQuery2,
    positions,
    parts: keyValues.key.length,
    ...layouts && { layouts },
    plan: planFor(mask, bound, places),
    hasSinks: sinks !== void 0,
    want
  });
}
function argumentsOf(fn, rest) {
  const [first, second, third] = rest;
  if (!isTensor(first) && Array.isArray(first?.key)) {
    return [first, second];
  }
  const key = [checkTensor(fn, "key", first)];
  return [{ key, value: [checkTensor(fn, "value", second)], positions: { start: 0 } }, third];
}
function prepare(fn, query, keyValues, options) {
  checkKeyValues(fn, query, keyValues);
  const [B, H, T, D] = query.shape;
  const {
    mask,
    bias,
    scoreMod: scoreMod2,
    weightMod,
    dropout,
    sinks,
    softcap = 0,
    scale = 1 / Math.sqrt(D)
  } = options ?? {};
  if (!(softcap >= 0 && softcap < Infinity)) {
    const fix2 = "leave it out for scores without a cap.";
    refuse6(fn, "softcap", softcap, "a finite number, 0 (off) or more", fix2);
  }
  if (!Number.isFinite(scale)) {
    refuse6(fn, "scale", scale, "a finite number", "leave it out for 1 / \u221AD.");
  }
  if (sinks) checkSinks(fn, sinks, query);
  if (mask) checkMask(fn, "mask", mask);
  const keys = keyValues.key.reduce((sum3, part) => sum3 + partLength(part), 0);
  const positions = placesOf(keyValues, B);
  const lengths = keyLengthsOf2(positions, keys);
  const first = lengths.map((length) => length - T);
  const firstQuery2 = first.length === 1 ? first[0] : Int32Array.from(first);
  const places = { batches: B, heads: H, queries: T, keys, positions, firstQuery: firstQuery2 };
  const check = (argument, mod) => mod ? checkScoreMod(fn, argument, mod, H) : void 0;
  return {
    places,
    mask,
    bound: mask && lengths.map((keyLength) => mask.bind({ queryLength: T, keyLength })),
    scoreMod: combine([
      check("scoreMod", scoreMod2),
      isTensor(bias) ? denseBias(fn, bias, query, places) : check("bias", bias)
    ]),
    weightMod: combine([check("weightMod", weightMod), dropout && dropWeights(fn, dropout)]),
    sinks,
    softcap,
    scale
  };
}
function checkSinks(fn, sinks, query) {
  const { shape } = checkTensor(fn, "sinks", sinks);
  const H = query.shape[1];
  if (shape.length !== 1 || shape[0] !== H) {
    const expected = `[${H}]: one logit for each query head`;
    refuseShape2(fn, "sinks", shape, expected, "give as many logits as heads.");
  }
  if (sinks.dtype !== query.dtype) refuseType2(fn, "sinks", sinks, query);
}

// src/biases/alibi.ts
import { refuseShape as refuseShape3 } from "@qkv/core";
import { isTensor as isTensor2 } from "@qkv/tensor";
import { lookup as lookup2, toExpr as toExpr2 } from "@qkv/tensor/expressions";

// src/masks/check-count.ts
import { refuse as refuse7 } from "@qkv/core";
function checkCount(fn, argument, value, { least, unit, fix: fix2, endless = false }) {
  if (value >= least && (Number.isInteger(value) || endless && value === Infinity)) return value;
  const expected = `a whole number of ${unit}, ${least} or more${endless ? ", or Infinity" : ""}`;
  refuse7(fn, argument, value, expected, fix2);
}

// src/biases/alibi.ts
function alibi(heads2) {
  if (isTensor2(heads2)) {
    const { shape } = heads2;
    if (shape.length !== 1 || shape[0] === 0) {
      const fix2 = "give one slope for each head, or the number of heads for the paper's slopes.";
      refuseShape3("alibi", "heads", shape, "[H]", fix2);
    }
    return farther((head) => lookup2(heads2, head), `alibi([${shape[0]}])`, shape[0]);
  }
  checkCount("alibi", "heads", heads2, {
    least: 1,
    unit: "heads",
    fix: "give the number of query heads, or a tensor of slopes."
  });
  const { power, rest } = steps(heads2);
  const exponent = (head) => {
    const first = head.add(1).mul(-8 / power);
    return rest ? head.less(power).where(
      first,
      head.sub(power).mul(2).add(1).mul(-4 / power)
    ) : first;
  };
  return farther((head) => toExpr2(2).pow(exponent(head)), `alibi(${heads2})`, heads2);
}
function alibiSlopes(numHeads) {
  checkCount("alibiSlopes", "numHeads", numHeads, { least: 1, unit: "heads", fix: "count the query heads." });
  const { power } = steps(numHeads);
  return Array.from(
    { length: numHeads },
    (_, head) => head < power ? 2 ** ((head + 1) * (-8 / power)) : 2 ** (((head - power) * 2 + 1) * (-4 / power))
  );
}
function steps(numHeads) {
  const power = 2 ** Math.floor(Math.log2(numHeads));
  return { power, rest: numHeads - power };
}
function farther(slope, name, numHeads) {
  return scoreMod((score, at) => score.sub(at.query.sub(at.key).abs().mul(slope(at.head))), name, numHeads);
}

// src/biases/learned-relative.ts
import { refuseShape as refuseShape4 } from "@qkv/core";
import { checkTensor as checkTensor2 } from "@qkv/tensor";
import { lookup as lookup3 } from "@qkv/tensor/expressions";
function learnedRelative(table) {
  const { shape } = checkTensor2("learnedRelative", "table", table);
  const [rows, numHeads] = shape;
  if (shape.length !== 2 || rows % 2 === 0 || numHeads === 0) {
    refuseShape4(
      "learnedRelative",
      "table",
      shape,
      "[2 K + 1, H]",
      "give an odd number of rows: K distances before the query, none, and K after it."
    );
  }
  const farthest = (rows - 1) / 2;
  return scoreMod(
    // A lookup beyond the table stays at its ends, which clips the distance.
    (score, at) => score.add(lookup3(table, at.key.sub(at.query).add(farthest), at.head)),
    `learnedRelative([${shape.join(", ")}])`,
    numHeads
  );
}

// src/biases/t5-bias.ts
import { refuse as refuse8, refuseShape as refuseShape5 } from "@qkv/core";
import { checkTensor as checkTensor3, tensor as tensor2 } from "@qkv/tensor";
import { lookup as lookup4 } from "@qkv/tensor/expressions";
function t5Bias(table, { bidirectional = true, maxDistance = 128 } = {}) {
  const { shape, dtype, device } = checkTensor3("t5Bias", "table", table);
  const [numBuckets, numHeads] = shape;
  const [least, even] = bidirectional ? [4, numBuckets % 2 === 0] : [2, true];
  if (shape.length !== 2 || numHeads === 0 || numBuckets < least || !even) {
    refuseShape5(
      "t5Bias",
      "table",
      shape,
      `[numBuckets, H], with ${bidirectional ? "an even number of at least 4" : "2 or more"} buckets`,
      "give a number for each bucket and head: the checkpoint's `relative_attention_bias.weight`."
    );
  }
  const exact = Math.floor((bidirectional ? numBuckets / 2 : numBuckets) / 2);
  if (!Number.isInteger(maxDistance) || maxDistance <= exact) {
    refuse8(
      "t5Bias",
      "maxDistance",
      maxDistance,
      `a whole number of tokens above ${exact}, the number of distances with a bucket of their own`,
      "leave it out for 128, or take the configuration's `relative_attention_max_distance`."
    );
  }
  const buckets = tensor2(
    Array.from(
      { length: 2 * maxDistance + 1 },
      (_, i) => t5Bucket(i - maxDistance, { bidirectional, numBuckets, maxDistance })
    ),
    { dtype, device }
  );
  return scoreMod(
    (score, at) => score.add(lookup4(table, lookup4(buckets, at.key.sub(at.query).add(maxDistance)), at.head)),
    `t5Bias([${shape.join(", ")}], { bidirectional: ${bidirectional}, maxDistance: ${maxDistance} })`,
    numHeads
  );
}
function t5Bucket(relative, { bidirectional, numBuckets, maxDistance }) {
  const buckets = bidirectional ? numBuckets / 2 : numBuckets;
  const after = bidirectional && relative > 0 ? buckets : 0;
  const distance = bidirectional ? Math.abs(relative) : Math.max(-relative, 0);
  const exact = Math.floor(buckets / 2);
  if (distance < exact) return after + distance;
  const share = Math.log(distance / exact) / Math.log(maxDistance / exact);
  return after + Math.min(exact + Math.floor(share * (buckets - exact)), buckets - 1);
}

// src/heads/additive.ts
import { add, expandDims, linear, mul, randn, reshape as reshape2, tanh } from "@qkv/tensor";

// src/heads/attend-rows.ts
import { refuse as refuse10, refuseShape as refuseShape6 } from "@qkv/core";
import { checkTensor as checkTensor4, reshape, zeros } from "@qkv/tensor";

// src/heads/attend-heads.ts
import { refuse as refuse9 } from "@qkv/core";
import { resident } from "@qkv/tensor";
function storedKeys({ qkNorm: qkNorm2, rope: rope2 }, { keyNorm }, key, positions) {
  const normed = qkNorm2 ? qkNorm2.apply(key, gainOf("keyNorm", keyNorm)) : key;
  return rope2 ? rope2.apply(normed, positions) : normed;
}
function attendHeads(config, params, query, keyValues, { positions, trace, mask = config.mask, bias }) {
  const { rope: rope2, qkNorm: qkNorm2, sinks, scoreMod: scoreMod2, softcap } = config;
  const scale = config.scale ?? qkNorm2?.scale(query.shape[3]);
  const normed = qkNorm2 ? qkNorm2.apply(query, gainOf("queryNorm", params.queryNorm)) : query;
  const turned = rope2 ? rope2.apply(normed, positions) : normed;
  const options = {
    ...mask && { mask },
    ...bias && { bias },
    ...scoreMod2 && { scoreMod: scoreMod2 },
    ...sinks && { sinks: sinks.logits(params.sinks, query) },
    ...scale !== void 0 && { scale },
    ...softcap !== void 0 && { softcap }
  };
  return noteHeads(trace, attendTraced(turned, keyValues, options, trace));
}
function noteHeads(trace, mixed) {
  if (!trace) return mixed;
  const name = trace.path ? `${trace.path}.heads` : "heads";
  const heads2 = trace.change?.[name]?.(mixed) ?? mixed;
  if (trace.names.includes("heads")) trace.tensors[name] = resident(heads2);
  return heads2;
}
function attendTraced(query, keyValues, options, trace) {
  const names = trace?.names.filter((name) => name !== "heads") ?? [];
  if (!trace || names.length === 0) return attention(query, keyValues, options);
  const { tensors, path } = trace;
  const traced = tracedAttention(query, keyValues, options, names);
  for (const name of names) {
    tensors[path ? `${path}.${name}` : name] = resident(traced[name]);
  }
  return traced.output;
}
function gainOf(argument, gain) {
  if (gain) return gain.weight;
  refuse9(
    "apply",
    `params.${argument}`,
    gain,
    "{ weight } of shape [D], as the layer has a qkNorm",
    "take the params of `layer.init(seed)`, or load the gains with the other weights."
  );
}

// src/heads/attend-rows.ts
function attendRows(query, key, value, { trace, ...options }) {
  const asHead = (x) => reshape(x, [x.shape[0], 1, x.shape[1], x.shape[2]]);
  const keyValues = { key: [asHead(key)], value: [asHead(value)], positions: { start: 0 } };
  const output = attendTraced(asHead(query), keyValues, options, trace);
  return reshape(output, [query.shape[0], query.shape[1], value.shape[2]]);
}
function attendByScores(scores, value, { mask, trace }) {
  const { shape, dtype, device } = scores;
  const [B, T, S] = shape;
  const nothing = (length) => zeros([B, length, 1], { dtype, device });
  const bias = reshape(scores, [B, 1, T, S]);
  return attendRows(nothing(T), nothing(S), value, {
    bias,
    ...mask && { mask },
    ...trace && { trace }
  });
}
function checkWidth(fn, argument, x, axes, width) {
  const { shape } = checkTensor4(fn, argument, x);
  if (shape.length === 3 && (width === void 0 || shape[2] === width)) return;
  refuseShape6(
    fn,
    argument,
    shape,
    `[${axes}, ${width ?? "C"}]`,
    "give batches of rows, as wide as the layer was made for, without an axis for heads."
  );
}
function checkWidths(fn, widths) {
  for (const [argument, received] of Object.entries(widths)) {
    if (Number.isInteger(received) && received >= 1) continue;
    const expected = "a whole number, 1 or more";
    refuse10(fn, argument, received, expected, "count the numbers of one row.");
  }
}

// src/heads/additive.ts
function additive(config) {
  const { queryDim, keyDim, hiddenDim } = config;
  checkWidths("additive", { queryDim, keyDim, hiddenDim });
  const projectKeys = ({ key: { weight, bias } }, key) => {
    checkWidth("additive", "key", key, "B, S", keyDim);
    return linear(key, weight, bias);
  };
  const attend = (params, query, projectedKey, value, options = {}) => {
    checkWidth("additive", "query", query, "B, T", queryDim);
    checkWidth("additive", "projectedKey", projectedKey, "B, S", hiddenDim);
    checkWidth("additive", "value", value, "B, S");
    const asked = linear(query, params.query.weight, params.query.bias);
    return attendByScores(additiveScores(asked, projectedKey, params.score), value, options);
  };
  return {
    config,
    init(seed) {
      const make = (n, out, inner) => ({
        weight: mul(randn([out, inner], { seed: seed * 3 + n }), 1 / Math.sqrt(inner))
      });
      return {
        query: make(0, hiddenDim, queryDim),
        key: make(1, hiddenDim, keyDim),
        score: make(2, 1, hiddenDim)
      };
    },
    projectKeys,
    attend,
    apply: (params, query, key, value, options) => attend(params, query, projectKeys(params, key), value, options)
  };
}
function additiveScores(query, key, { weight, bias }) {
  const met = tanh(add(expandDims(query, 2), expandDims(key, 1)));
  return reshape2(linear(met, weight, bias), met.shape.slice(0, 3));
}

// src/heads/cross-attention.ts
import { refuse as refuse12 } from "@qkv/core";

// src/heads/grouped-query.ts
import { refuse as refuse11, refuseShape as refuseShape7 } from "@qkv/core";
import {
  checkTensor as checkTensor5,
  isTensor as isTensor3,
  linear as linear2,
  mul as mul2,
  ones,
  permute,
  randn as randn2,
  reshape as reshape3,
  zeros as zeros2
} from "@qkv/tensor";
import { positionsAfter } from "@qkv/tensor/key-values";

// src/masks/and.ts
function and(...masks) {
  masks.forEach((mask, i) => checkMask("and", `masks[${i}]`, mask));
  return defineMask({
    name: `and(${masks.map(({ name }) => name).join(", ")})`,
    perBatch: masks.some(({ perBatch }) => perBatch),
    perHead: masks.some(({ perHead: perHead2 }) => perHead2),
    bind(extent) {
      const bound = masks.map((mask) => mask.bind(extent));
      return {
        sees: (query, key, batch, head) => bound.every((mask) => mask.sees(query, key, batch, head)),
        tile(query, key, batch, head) {
          const classes = bound.map((mask) => mask.tile(query, key, batch, head));
          return classes.includes("none") ? "none" : classes.includes("some") ? "some" : "all";
        }
      };
    }
  });
}

// src/heads/turn-at-read.ts
import { concat, slice } from "@qkv/tensor";
import { densePart, keyLengthsOf as keyLengthsOf3, partLength as partLength2 } from "@qkv/tensor/key-values";
function turnAtRead(rope2, held, B, T) {
  const { key, value, positions } = held;
  const keys = key.reduce((sum3, part) => sum3 + partLength2(part), 0);
  const lengths = keyLengthsOf3(positions, keys);
  const last = lengths.length === 1 ? { start: lengths[0] - T } : Int32Array.from({ length: B * T }, (_, n) => lengths[Math.floor(n / T)] - T + n % T);
  if (!rope2) return { read: held, positions: last };
  const dense = concat(
    key.map((part) => densePart(part, B)),
    2
  );
  const turned = rope2.apply(dense, positions);
  let start = 0;
  const parts = key.map((part) => slice(turned, 2, start, start += partLength2(part)));
  return { read: { key: parts, value, positions }, positions: last };
}

// src/heads/grouped-query.ts
function groupedQuery(config) {
  const { embedDim: C, numHeads: H, numKvHeads: Hkv, contextDim = C, linear: map = linear2 } = config;
  const D = config.headDim ?? C / H;
  checkSizes({ embedDim: C, numHeads: H, numKvHeads: Hkv, headDim: D });
  const project = ({ weight, bias }, x, heads2) => {
    const [B, T] = x.shape;
    return permute(reshape3(map(x, weight, bias), [B, T, heads2, D]), [0, 2, 1, 3]);
  };
  const unturned = config.qkNorm ? { qkNorm: config.qkNorm } : {};
  const keyAndValue = (params, x, positions, positionless = false) => ({
    // [B, Hkv, S, D]
    key: storedKeys(positionless ? unturned : config, params, project(params.key, x, Hkv), positions),
    value: project(params.value, x, Hkv)
  });
  const keyValues = (params, context) => {
    checkRows("keyValues", "context", context, contextDim, "contextDim");
    checkPlaceless(config);
    const { key, value } = keyAndValue(params, context, { start: 0 });
    return { key: [key], value: [value], positions: { start: 0 } };
  };
  const joined = /* @__PURE__ */ new WeakMap();
  const maskOf = (own) => {
    if (!own || !config.mask) return own ?? config.mask;
    const both = joined.get(own) ?? and(config.mask, own);
    joined.set(own, both);
    return both;
  };
  return {
    config: { ...config, headDim: D },
    keyValues,
    init(seed) {
      const make = (n, out, inner) => ({
        weight: mul2(randn2([out, inner], { seed: seed * 4 + n }), 1 / Math.sqrt(inner)),
        ...config.bias && { bias: zeros2([out]) }
      });
      const sinks = config.sinks?.init(H);
      return {
        query: make(0, H * D, C),
        key: make(1, Hkv * D, contextDim),
        value: make(2, Hkv * D, contextDim),
        output: make(3, C, H * D),
        ...config.qkNorm && { queryNorm: { weight: ones([D]) }, keyNorm: { weight: ones([D]) } },
        ...sinks && { sinks }
      };
    },
    apply(params, x, options = {}) {
      const { cache, context, layer = 0, trace, bias } = options;
      checkRows("apply", "x", x, C, "embedDim");
      const [B, T] = x.shape;
      const given = options.positions ?? positionsAfter(cache, T);
      const query = project(params.query, x, H);
      const own = () => {
        if (contextDim !== C) checkRows("apply", "x", x, contextDim, "contextDim");
        const { key, value } = keyAndValue(params, x, given, cache?.positionless);
        if (!cache) {
          return { read: { key: [key], value: [value], positions: { start: 0 } }, positions: given };
        }
        const held = cache.update(layer, key, value);
        if (cache.positionless) return turnAtRead(config.rope, held, B, T);
        return { read: held, positions: given };
      };
      if (context) checkPlaceless(config, cache);
      const { read, positions } = !context ? own() : { read: isTensor3(context) ? keyValues(params, context) : context, positions: given };
      const mixed = attendHeads(config, params, query, read, {
        positions,
        trace,
        bias,
        mask: maskOf(options.mask)
      });
      const rows = reshape3(permute(mixed, [0, 2, 1, 3]), [B, T, H * D]);
      return map(rows, params.output.weight, params.output.bias);
    }
  };
}
function checkRows(fn, argument, x, width, name) {
  const { shape } = checkTensor5(fn, argument, x);
  if (shape.length === 3 && shape[2] === width) return;
  refuseShape7(
    fn,
    argument,
    shape,
    `[B, ${argument === "x" ? "T" : "S"}, ${width}], as ${name} is ${width}`,
    argument === "x" && name === "contextDim" ? "give the sequence that keys and values come from as `context`." : "give batches of rows as wide as the layer."
  );
}
function checkPlaceless({ rope: rope2 }, cache) {
  if (!rope2 && !cache) return;
  refuse11(
    "apply",
    "context",
    rope2 ? `beside ${rope2.name}` : "beside a cache",
    rope2 ? "a layer without rope" : "a context or a cache",
    rope2 ? "leave `rope` out: distances between two sequences mean nothing." : "project a context once with `layer.keyValues(params, context)` and give that."
  );
}
function checkSizes(sizes) {
  const { embedDim, numHeads, numKvHeads, headDim } = sizes;
  const fail = (argument, expected, fix2) => {
    refuse11("groupedQuery", argument, sizes[argument], expected, fix2);
  };
  for (const argument of ["embedDim", "numHeads", "numKvHeads"]) {
    if (!Number.isInteger(sizes[argument]) || sizes[argument] < 1)
      fail(argument, "a whole number, 1 or more", "count heads and numbers.");
  }
  if (numHeads % numKvHeads !== 0) {
    fail(
      "numKvHeads",
      `a divisor of numHeads = ${numHeads}`,
      "each key-value head serves the same number of query heads."
    );
  }
  if (!Number.isInteger(headDim) || headDim < 1) {
    fail(
      "headDim",
      `a whole number, and embedDim = ${embedDim} divided by numHeads = ${numHeads} is none`,
      "choose numHeads to divide embedDim, or give headDim."
    );
  }
}

// src/heads/cross-attention.ts
function crossAttention(config) {
  const layer = groupedQuery({ numKvHeads: config.numHeads, ...config });
  return {
    config: layer.config,
    init: layer.init,
    keyValues: layer.keyValues,
    apply(params, x, context, options = {}) {
      if (context === void 0) {
        refuse12(
          "crossAttention",
          "context",
          context,
          "a tensor [B, S, contextDim], or what `layer.keyValues` made of one",
          "give the sequence to attend to as third argument; for one sequence take `multiHead`."
        );
      }
      return layer.apply(params, x, { ...options, context });
    }
  };
}

// src/heads/learned-sinks.ts
import { refuse as refuse13 } from "@qkv/core";
import { zeros as zeros3 } from "@qkv/tensor";
function learnedSinks() {
  return {
    name: "learnedSinks()",
    init: (numHeads) => zeros3([numHeads]),
    logits(learned) {
      if (learned) return learned;
      refuse13(
        "learnedSinks",
        "params.sinks",
        learned,
        "a tensor [H], one logit for each query head",
        "take the params of `layer.init(seed)`, or load the logits with the other weights."
      );
    }
  };
}

// src/heads/luong-concat.ts
import { linear as linear3, mul as mul3, randn as randn3, slice as slice2 } from "@qkv/tensor";
function luongConcat(config) {
  const { queryDim, keyDim, hiddenDim } = config;
  checkWidths("luongConcat", { queryDim, keyDim, hiddenDim });
  return {
    config,
    init(seed) {
      const make = (n, out, inner) => ({
        weight: mul3(randn3([out, inner], { seed: seed * 2 + n }), 1 / Math.sqrt(inner))
      });
      return { hidden: make(0, hiddenDim, queryDim + keyDim), score: make(1, 1, hiddenDim) };
    },
    apply({ hidden: { weight, bias }, score }, query, key, value, options = {}) {
      checkWidth("luongConcat", "query", query, "B, T", queryDim);
      checkWidth("luongConcat", "key", key, "B, S", keyDim);
      checkWidth("luongConcat", "value", value, "B, S");
      const asked = linear3(query, slice2(weight, 1, 0, queryDim), bias);
      const offered = linear3(key, slice2(weight, 1, queryDim, queryDim + keyDim));
      return attendByScores(additiveScores(asked, offered, score), value, options);
    }
  };
}

// src/heads/luong-dot.ts
function luongDot(query, key, value, options = {}) {
  checkWidth("luongDot", "query", query, "B, T");
  checkWidth("luongDot", "key", key, "B, S", query.shape[2]);
  checkWidth("luongDot", "value", value, "B, S");
  return attendRows(query, key, value, { ...options, scale: 1 });
}

// src/heads/luong-general.ts
import { linear as linear4, mul as mul4, randn as randn4 } from "@qkv/tensor";
function luongGeneral(config) {
  const { queryDim, keyDim } = config;
  checkWidths("luongGeneral", { queryDim, keyDim });
  return {
    config,
    init: (seed) => ({ weight: mul4(randn4([queryDim, keyDim], { seed }), 1 / Math.sqrt(keyDim)) }),
    apply({ weight, bias }, query, key, value, options = {}) {
      checkWidth("luongGeneral", "query", query, "B, T", queryDim);
      checkWidth("luongGeneral", "key", key, "B, S", keyDim);
      checkWidth("luongGeneral", "value", value, "B, S");
      return attendRows(query, linear4(key, weight, bias), value, { ...options, scale: 1 });
    }
  };
}

// src/heads/multi-head.ts
function multiHead(config) {
  return groupedQuery({ ...config, numKvHeads: config.numHeads });
}

// src/heads/multi-query.ts
function multiQuery(config) {
  return groupedQuery({ ...config, numKvHeads: 1 });
}

// src/heads/per-head.ts
import { refuseShape as refuseShape8 } from "@qkv/core";
import { add as add2, checkTensor as checkTensor6, einsum, expandDims as expandDims2, permute as permute2, reshape as reshape4 } from "@qkv/tensor";
function perHead(config) {
  const fused = groupedQuery(config);
  const { embedDim: C } = fused.config;
  const project = ({ weight, bias }, x) => {
    const heads2 = einsum("hdc,btc->bhtd", weight, x);
    return bias ? add2(heads2, expandDims2(bias, 1)) : heads2;
  };
  return {
    config: fused.config,
    init: (seed) => splitHeads(fused.init(seed), fused.config),
    apply(params, x, { trace } = {}) {
      const { shape } = checkTensor6("apply", "x", x);
      if (shape.length !== 3 || shape[2] !== C) {
        refuseShape8(
          "apply",
          "x",
          shape,
          `[B, T, ${C}], as embedDim is ${C}`,
          "give batches of rows as wide as the layer."
        );
      }
      const positions = { start: 0 };
      const key = storedKeys(config, params, project(params.key, x), positions);
      const read = { key: [key], value: [project(params.value, x)], positions };
      const mixed = attendHeads(config, params, project(params.query, x), read, { positions, trace });
      const { weight, bias } = params.output;
      const output = einsum("bhtd,hcd->btc", mixed, weight);
      return bias ? add2(output, bias) : output;
    }
  };
}
function splitHeads(params, { numHeads, numKvHeads }) {
  const rows = (argument, heads2) => {
    const { weight: weight2, bias: bias2 } = params[argument];
    const [out, inner2] = checkRank(`params.${argument}.weight`, weight2, 2, "[heads \xB7 D, C]");
    if (out % heads2 !== 0) {
      refuseShape8(
        "splitHeads",
        `params.${argument}.weight`,
        weight2.shape,
        `[heads \xB7 D, C] with ${heads2} heads of one size`,
        "give numHeads and numKvHeads of the layer that the params belong to."
      );
    }
    const split = reshape4(weight2, [heads2, out / heads2, inner2]);
    return { weight: split, ...bias2 && { bias: reshape4(bias2, [heads2, out / heads2]) } };
  };
  const [query, key, value] = [
    rows("query", numHeads),
    rows("key", numKvHeads),
    rows("value", numKvHeads)
  ];
  const { weight, bias } = params.output;
  const [C, inner] = checkRank("params.output.weight", weight, 2, "[C, H \xB7 D]");
  const written = permute2(reshape4(weight, [C, numHeads, inner / numHeads]), [1, 0, 2]);
  return {
    ...params,
    query,
    key,
    value,
    output: { weight: written, ...bias && { bias } }
  };
}
function fuseHeads(params) {
  const stack2 = (argument) => {
    const { weight: weight2, bias: bias2 } = params[argument];
    const [heads2, D2, C2] = checkRank(`params.${argument}.weight`, weight2, 3, "[heads, D, C]", "fuseHeads");
    return {
      weight: reshape4(weight2, [heads2 * D2, C2]),
      ...bias2 && { bias: reshape4(bias2, [heads2 * D2]) }
    };
  };
  const { weight, bias } = params.output;
  const [H, C, D] = checkRank("params.output.weight", weight, 3, "[H, C, D]", "fuseHeads");
  return {
    ...params,
    query: stack2("query"),
    key: stack2("key"),
    value: stack2("value"),
    output: { weight: reshape4(permute2(weight, [1, 0, 2]), [C, H * D]), ...bias && { bias } }
  };
}
function checkRank(argument, x, rank, expected, fn = "splitHeads") {
  const { shape } = checkTensor6(fn, argument, x);
  if (shape.length === rank) return shape;
  const fix2 = `${fn} goes one way; ${fn === "fuseHeads" ? "splitHeads" : "fuseHeads"} goes the other.`;
  refuseShape8(fn, argument, shape, expected, fix2);
}

// src/heads/qk-norm.ts
import { refuse as refuse14 } from "@qkv/core";
import { mul as mul5, rmsNorm } from "@qkv/tensor";
function qkNorm(kind = "rms", { eps = 1e-6 } = {}) {
  if (kind !== "rms" && kind !== "l2") {
    refuse14(
      "qkNorm",
      "kind",
      kind,
      '"rms" or "l2"',
      'take "rms" for models with an RMS norm of queries and keys, "l2" for a cosine with a temperature.'
    );
  }
  const l2 = kind === "l2";
  return {
    name: `qkNorm("${kind}")`,
    scale: (headDim) => l2 ? Math.sqrt(headDim) : 1 / Math.sqrt(headDim),
    apply(x, weight) {
      const normed = rmsNorm(x, weight, { eps });
      return l2 ? mul5(normed, 1 / Math.sqrt(x.shape.at(-1))) : normed;
    }
  };
}

// src/heads/softmax-one.ts
import { zeros as zeros4 } from "@qkv/tensor";
function softmaxOne() {
  return {
    name: "softmaxOne()",
    init: () => void 0,
    logits: (_, { shape, dtype, device }) => zeros4([shape[1]], { dtype, device })
  };
}

// src/heads/summed-heads.ts
import { refuse as refuse15, refuseShape as refuseShape9 } from "@qkv/core";
import {
  add as add3,
  concat as concat2,
  einsum as einsum2,
  expandDims as expandDims3,
  matmul,
  mul as mul6,
  randn as randn5,
  repeat,
  sum,
  zeros as zeros5
} from "@qkv/tensor";
function summedHeads(config) {
  const { embedDim: C, numHeads: H } = config;
  for (const argument of ["embedDim", "numHeads"]) {
    if (Number.isInteger(config[argument]) && config[argument] >= 1) continue;
    refuse15(
      "summedHeads",
      argument,
      config[argument],
      "a whole number, 1 or more",
      "count heads and numbers."
    );
  }
  const project = ({ weight, bias }, x) => {
    const heads2 = einsum2("hdc,btc->bhtd", weight, x);
    return bias ? add3(heads2, expandDims3(bias, 1)) : heads2;
  };
  return {
    config,
    init(seed) {
      const make = (n) => ({
        weight: mul6(randn5([H, C, C], { seed: seed * 3 + n }), 1 / Math.sqrt(C))
      });
      const sinks = config.sinks?.init(H);
      return { query: make(0), key: make(1), value: make(2), ...sinks && { sinks } };
    },
    apply(params, x, { trace } = {}) {
      if (x.shape.length !== 3 || x.shape[2] !== C) {
        refuseShape9(
          "apply",
          "x",
          x.shape,
          `[B, T, ${C}], as embedDim is ${C}`,
          "give batches of rows as wide as the layer."
        );
      }
      const positions = { start: 0 };
      const key = storedKeys(config, params, project(params.key, x), positions);
      const read = { key: [key], value: [project(params.value, x)], positions };
      const mixed = attendHeads(config, params, project(params.query, x), read, { positions, trace });
      const output = sum(mixed, { axis: 1 });
      return params.bias ? add3(output, params.bias) : output;
    }
  };
}
function toSummedHeads(params) {
  const { query, key, value, output, sinks, queryNorm, keyNorm } = params;
  const [H, D, C] = query.weight.shape;
  if (D > C) {
    refuseShape9(
      "toSummedHeads",
      "params.query.weight",
      query.weight.shape,
      `[H, D, C] with D at most C = ${C}`,
      "a head that is larger than the model is wide has no form as wide as the model."
    );
  }
  if (queryNorm || keyNorm) {
    refuse15(
      "toSummedHeads",
      "params.queryNorm",
      "gains of a qkNorm",
      "a layer without qkNorm",
      "a norm over C numbers is another than one over D: convert a layer that has none."
    );
  }
  const every = (x) => repeat(x, H / x.shape[0], 0);
  const below = (x) => {
    const [, , ...columns] = x.shape;
    return concat2([x, zeros5([H, C - D, ...columns], { dtype: x.dtype, device: x.device })], 1);
  };
  const wide = ({ weight, bias }) => ({
    weight: below(every(weight)),
    ...bias && { bias: below(every(bias)) }
  });
  const valueBias = value.bias && matmul(output.weight, expandDims3(every(value.bias), 2));
  return {
    query: wide(query),
    key: wide(key),
    value: {
      weight: matmul(output.weight, every(value.weight)),
      ...valueBias && { bias: sum(valueBias, { axis: -1 }) }
    },
    ...output.bias && { bias: output.bias },
    ...sinks && { sinks }
  };
}

// src/heads/to-grouped-query.ts
import { refuse as refuse16 } from "@qkv/core";
import { mean, reshape as reshape5 } from "@qkv/tensor";
function toGroupedQuery(params, { numHeads, numKvHeads }) {
  const D = params.query.weight.shape[0] / numHeads;
  const before = params.key.weight.shape[0] / D;
  const group = before / numKvHeads;
  const divides = Number.isInteger(D) && Number.isInteger(before);
  if (!divides || !(numKvHeads >= 1) || !Number.isInteger(group)) {
    refuse16(
      "toGroupedQuery",
      divides ? "numKvHeads" : "numHeads",
      divides ? numKvHeads : numHeads,
      divides ? `a divisor of the ${before} key-value heads that the layer has` : `the number of query heads, of which the layer has ${params.query.weight.shape[0]} rows`,
      divides ? "join as many neighbours in every group." : "give the numHeads of the layer."
    );
  }
  const joined = (x) => {
    const [, ...columns] = x.shape;
    const heads2 = reshape5(x, [numKvHeads, group, D, ...columns]);
    return reshape5(mean(heads2, { axis: 1 }), [numKvHeads * D, ...columns]);
  };
  const pooled = ({ weight, bias }) => ({
    weight: joined(weight),
    ...bias && { bias: joined(bias) }
  });
  return { ...params, key: pooled(params.key), value: pooled(params.value) };
}

// src/masks/big-bird.ts
import { ArgumentError } from "@qkv/core";
import { permutation } from "@qkv/tensor";

// src/masks/block-rule.ts
function blockRule(blockSize, seesBlock) {
  const blockOf = (position) => Math.floor(position / blockSize);
  return {
    sees: (query, key, _batch, head) => seesBlock(blockOf(query), blockOf(key), head),
    tile(query, key, _batch, head) {
      let [seen, blocks] = [0, 0];
      for (let q = blockOf(query.first); q <= blockOf(query.last); q++) {
        for (let k = blockOf(key.first); k <= blockOf(key.last); k++, blocks++) {
          if (seesBlock(q, k, head)) seen += 1;
        }
      }
      return seen === 0 ? "none" : seen === blocks ? "all" : "some";
    }
  };
}

// src/masks/big-bird.ts
function bigBird(options = {}) {
  const { blockSize = 64, windowBlocks = 3, globalBlocks = [0, -1], randomBlocks = 3, seed = 0 } = options;
  const rule = { unit: "blocks", fix: "count blocks: the paper takes 3 around a query, 2 global, 3 random." };
  checkCount("bigBird", "blockSize", blockSize, {
    least: 1,
    unit: "tokens",
    fix: "choose 64 or a multiple for speed."
  });
  checkCount("bigBird", "windowBlocks", windowBlocks, { least: 1, ...rule });
  checkCount("bigBird", "randomBlocks", randomBlocks, { least: 0, ...rule });
  const refuse38 = (argument, received, expected, fix2) => new ArgumentError({ fn: "bigBird", argument, received, expected, fix: fix2 });
  if (windowBlocks % 2 === 0) {
    const fix2 = "a block has as many neighbours on each side: 1, 3, 5, \u2026";
    throw refuse38("windowBlocks", windowBlocks, "an odd number of blocks", fix2);
  }
  if (!globalBlocks.every(Number.isInteger)) {
    const fix2 = "number blocks from 0, or from \u22121 at the end.";
    throw refuse38("globalBlocks", globalBlocks, "whole numbers", fix2);
  }
  const side = (windowBlocks - 1) / 2;
  const given = `blockSize: ${blockSize}, windowBlocks: ${windowBlocks}, globalBlocks: [${globalBlocks.join(", ")}]`;
  let last;
  return defineMask({
    name: `bigBird({ ${given}, randomBlocks: ${randomBlocks}, seed: ${seed} })`,
    bind({ keyLength }) {
      const blocks = Math.ceil(keyLength / blockSize);
      if (last?.blocks !== blocks) last = { blocks, layout: layoutOf(blocks) };
      const { layout } = last;
      return blockRule(blockSize, (query, key) => {
        const inside = Math.min(query, key) >= 0 && Math.max(query, key) < blocks;
        return inside && layout[query * blocks + key] === 1;
      });
    }
  });
  function layoutOf(blocks) {
    const global = new Set(globalBlocks.map((block) => block < 0 ? block + blocks : block));
    const chosen = (query, key) => global.has(query) || global.has(key) || Math.abs(query - key) <= side;
    const layout = new Uint8Array(blocks * blocks);
    for (let query = 0; query < blocks; query++) {
      const order = randomBlocks > 0 ? permutation(blocks, { seed, first: query * blocks }).data : [];
      const far = Array.from(order).filter((key) => !chosen(query, key));
      for (const key of far.slice(0, randomBlocks)) layout[query * blocks + key] = 1;
      for (let key = 0; key < blocks; key++) if (chosen(query, key)) layout[query * blocks + key] = 1;
    }
    return layout;
  }
}

// src/masks/block-sparse.ts
import { refuse as refuse17, ShapeError } from "@qkv/core";
import { checkTensor as checkTensor7 } from "@qkv/tensor";
function blockSparse(layout, blockSize) {
  const { shape, dtype } = checkTensor7("blockSparse", "layout", layout);
  if (dtype !== "bool") {
    refuse17(
      "blockSparse",
      "layout",
      dtype,
      "bool: true where the queries of a block see the keys of another",
      'turn 0 and 1 into bools with `cast(layout, "bool")`.'
    );
  }
  if (shape.length !== 2 && shape.length !== 3)
    throw wrongShape(shape, "two axes, or three with heads first");
  checkCount("blockSparse", "blockSize", blockSize, {
    least: 1,
    unit: "tokens",
    fix: "choose how many tokens one block holds, 64 or a multiple for speed."
  });
  const [heads2, rows, columns] = [1, ...shape].slice(-3);
  const perHead2 = shape.length === 3;
  const { data } = layout;
  return defineMask({
    name: `blockSparse([${shape.join(", ")}], ${blockSize})`,
    perHead: perHead2,
    bind({ keyLength }) {
      const blocks = Math.ceil(keyLength / blockSize);
      if (rows < blocks || columns < blocks)
        throw wrongShape(shape, `${blocks} blocks of ${blockSize} for S = ${keyLength} positions`);
      return blockRule(blockSize, (query, key, head) => {
        if (perHead2 && head >= heads2) throw wrongShape(shape, `a layout for head ${head} too`);
        if (query < 0 || query >= rows || key < 0 || key >= columns) return false;
        return data[((perHead2 ? head : 0) * rows + query) * columns + key] === 1;
      });
    }
  });
}
function wrongShape(received, expected) {
  return new ShapeError({
    fn: "blockSparse",
    argument: "layout",
    received,
    expected,
    fix: "give [query blocks, key blocks], or [H, query blocks, key blocks], that cover the whole sequence."
  });
}

// src/masks/causal.ts
import { refuse as refuse18 } from "@qkv/core";
function causal({ align, offset } = {}) {
  if (align !== void 0 && align !== "bottom-right" && align !== "top-left") {
    refuse18(
      "causal",
      "align",
      align,
      '"bottom-right" or "top-left"',
      "leave it out: queries are then the last T of S positions."
    );
  }
  const offsets = typeof offset === "number" ? [offset] : offset;
  if (offsets?.some((n) => !Number.isInteger(n))) {
    refuse18(
      "causal",
      "offset",
      offset,
      "a whole number of tokens, or one per batch",
      "give how many keys lie before the first query."
    );
  }
  const perBatch = typeof offset === "object";
  const given = offset !== void 0 ? `offset: ${perBatch ? `[${offset.join(", ")}]` : offset}` : align && `align: "${align}"`;
  return defineMask({
    name: given ? `causal({ ${given} })` : "causal()",
    perBatch,
    bind(extent) {
      if (offsets) return shifted((batch) => offsetOf(offsets, perBatch, batch) - firstQuery(extent));
      if (align === "top-left") return shifted(() => -firstQuery(extent));
      if (align === void 0) checkLengths(extent);
      return shifted(() => 0);
    }
  });
}
function shifted(shift) {
  return {
    sees: (query, key, batch) => key <= query + shift(batch),
    tile: (query, key, batch) => key.first > query.last + shift(batch) ? "none" : key.last <= query.first + shift(batch) ? "all" : "some"
  };
}
function offsetOf(offsets, perBatch, batch) {
  const own = offsets[perBatch ? batch : 0];
  if (own !== void 0) return own;
  refuse18(
    "causal",
    "offset",
    `${offsets.length} offsets`,
    `one per batch, and there is a batch ${batch}`,
    "give as many offsets as the query has batches."
  );
}
function checkLengths({ queryLength, keyLength }) {
  if (queryLength <= keyLength) return;
  refuse18(
    "causal",
    "mask",
    `over ${queryLength} queries and ${keyLength} keys`,
    "no more queries than keys, since queries are the last T of the S positions",
    'say how they lie: `causal({ align: "top-left" })` or `causal({ align: "bottom-right" })`, where the first rows see nothing.'
  );
}

// src/masks/chunked.ts
function chunked(chunkSize) {
  checkCount("chunked", "chunkSize", chunkSize, {
    least: 1,
    unit: "tokens",
    fix: "choose how many tokens one chunk holds; Infinity is `causal()`.",
    endless: true
  });
  const chunkOf = (position) => chunkSize === Infinity ? 0 : Math.floor(position / chunkSize);
  return defineMask({
    name: `chunked(${chunkSize})`,
    sees: (query, key) => key <= query && chunkOf(query) === chunkOf(key),
    tile(query, key) {
      const first = Math.max(chunkOf(query.first), chunkOf(key.first));
      const last = Math.min(chunkOf(query.last), chunkOf(key.last));
      if (first > last) return "none";
      const newest = chunkOf(query.last) === last ? query.last : (last + 1) * chunkSize - 1;
      const oldest = chunkOf(key.first) === last ? key.first : last * chunkSize;
      if (first === last && newest < oldest) return "none";
      const one = chunkOf(query.first) === chunkOf(query.last) && chunkOf(key.first) === chunkOf(key.last);
      return one && key.last <= query.first ? "all" : "some";
    }
  });
}

// src/masks/describe.ts
import { tileIndex as tileIndex2, tilePlan as tilePlan2 } from "@qkv/tensor/tile-plan";
function describe(mask, extent) {
  const { perBatch, perHead: perHead2, name, bind } = checkMask("describe", "mask", mask);
  const { queryLength: T, keyLength: S, batch = 0, head = 0 } = extent;
  const fix2 = "give `{ queryLength, keyLength }`, and `batch` or `head` where the mask looks at them.";
  for (const [argument, value] of Object.entries({ queryLength: T, keyLength: S, batch, head })) {
    checkCount("describe", argument, value, { least: 0, unit: "places", fix: fix2 });
  }
  const bound = bind({ queryLength: T, keyLength: S });
  const one = {
    sees: (query, key) => bound.sees(query, key, perBatch ? batch : 0, perHead2 ? head : 0),
    tile: (query, key) => bound.tile(query, key, perBatch ? batch : 0, perHead2 ? head : 0)
  };
  const keyPositions4 = [Int32Array.from({ length: S }, (_, s) => s)];
  const plan = tilePlan2(
    one,
    { batches: 1, heads: 1, queries: T, firstQuery: S - T, keyPositions: keyPositions4 },
    false,
    false
  );
  const [rows, columns] = [Math.min(T, 32), Math.min(S, 32)];
  const cells = new Float32Array(rows * columns);
  const sizes = new Float32Array(rows * columns);
  let seen = 0;
  for (let t = 0; t < T; t++) {
    for (let s = 0; s < S; s++) {
      const tile = tileIndex2(plan, 0, 0, Math.floor(t / plan.queryTile), Math.floor(s / plan.keyTile));
      const word = plan.bitsAt[tile] + t % plan.queryTile * (plan.keyTile / 32) + (s % plan.keyTile >>> 5);
      const shown = plan.classes[tile] === 1 ? plan.bits[word] >>> (s & 31) & 1 : plan.classes[tile] / 2;
      const cell = Math.floor(t * rows / T) * columns + Math.floor(s * columns / S);
      cells[cell] += shown;
      sizes[cell] += 1;
      seen += shown;
    }
  }
  const data = cells.map((count, i) => count / sizes[i]);
  const letters = Array.from(data, (share) => share === 0 ? "\xB7" : share === 1 ? "\u2588" : "\u2592");
  const lines = Array.from(
    { length: rows },
    (_, r) => letters.slice(r * columns, (r + 1) * columns).join("")
  );
  const ofClass = (wanted) => plan.classes.filter((one2) => one2 === wanted).length;
  return {
    name,
    pairs: T * S,
    seen,
    sparsity: T * S === 0 ? 0 : 1 - seen / (T * S),
    tiles: { none: ofClass(0), some: ofClass(1), all: ofClass(2) },
    picture: { data, shape: [rows, columns] },
    text: lines.join("\n")
  };
}

// src/masks/dilated.ts
function dilated(windowSize, dilation) {
  const rule = { least: 1, unit: "tokens", fix: "dilated(4, 2) sees the tokens 0, 2, 4 and 6 places back." };
  checkCount("dilated", "windowSize", windowSize, rule);
  checkCount("dilated", "dilation", dilation, rule);
  const reach = (windowSize - 1) * dilation;
  return defineMask({
    name: `dilated(${windowSize}, ${dilation})`,
    sees(query, key) {
      const back = query - key;
      return back >= 0 && back <= reach && back % dilation === 0;
    },
    tile(query, key) {
      const [nearest, farthest] = [query.first - key.last, query.last - key.first];
      const first = dilation * Math.ceil(Math.max(nearest, 0) / dilation);
      if (first > Math.min(farthest, reach)) return "none";
      const whole = dilation === 1 || nearest === farthest;
      return whole && nearest === first && farthest <= reach ? "all" : "some";
    }
  });
}

// src/masks/documents.ts
import { ArgumentError as ArgumentError2 } from "@qkv/core";
function documents(ids) {
  const perBatch = typeof ids[0] === "object";
  const lists = (perBatch ? ids : [ids]).map(withRuns);
  const of = (batch) => {
    const list = lists[perBatch ? batch : 0];
    if (list) return list;
    throw refuse19(`${lists.length} lists`, `one per batch, and there is a batch ${batch}`);
  };
  return defineMask({
    name: `documents([${perBatch ? `${lists.length} \xD7 ` : ""}${lists[0].ids.length}])`,
    perBatch,
    bind({ keyLength }) {
      for (const list of lists) {
        if (list.ids.length < keyLength)
          throw refuse19(`${list.ids.length} ids`, `one for each of ${keyLength} positions`);
      }
      return {
        sees(query, key, batch) {
          const { ids: ids2 } = of(batch);
          return ids2[query] !== void 0 && ids2[query] === ids2[key];
        },
        tile(query, key, batch) {
          const [asking, asked] = [inRange(of(batch), query), inRange(of(batch), key)];
          const shared = [...asking].filter((id) => id !== void 0 && asked.has(id));
          return shared.length === 0 ? "none" : asking.size === 1 && asked.size === 1 ? "all" : "some";
        }
      };
    }
  });
}
function withRuns(list) {
  const ids = Array.from(list);
  const wrong = ids.find((id) => !Number.isFinite(id));
  if (wrong !== void 0) throw refuse19(wrong, "numbers, one for each position");
  const runEnd = new Int32Array(ids.length);
  for (let i = ids.length - 1; i >= 0; i--) runEnd[i] = ids[i] === ids[i + 1] ? runEnd[i + 1] : i;
  return { ids, runEnd };
}
function inRange({ ids, runEnd }, { first, last }) {
  const found = /* @__PURE__ */ new Set();
  for (let position = first; position <= last; position = (runEnd[position] ?? position) + 1) {
    found.add(ids[position]);
  }
  return found;
}
function refuse19(received, expected) {
  const fix2 = "give each position the number of its document: [0, 0, 0, 1, 1] packs three tokens and two.";
  return new ArgumentError2({ fn: "documents", argument: "ids", received, expected, fix: fix2 });
}

// src/masks/from-torch-mha.ts
import { refuse as refuse21, refuseShape as refuseShape10 } from "@qkv/core";
import { checkTensor as checkTensor9, logicalNot, reshape as reshape6 } from "@qkv/tensor";

// src/masks/mask-tensor.ts
import { refuse as refuse20, ShapeError as ShapeError2 } from "@qkv/core";
import { checkTensor as checkTensor8 } from "@qkv/tensor";
function maskTensor(visible) {
  if (checkTensor8("maskTensor", "visible", visible).dtype !== "bool") {
    refuse20(
      "maskTensor",
      "visible",
      visible.dtype,
      "bool: true where the query sees the key",
      'pass numbers that are added to scores as `bias`; turn 0 and 1 into bools with `cast(x, "bool")`.'
    );
  }
  if (visible.shape.length > 4) throw wrongShape2(visible, "at most four axes");
  const shape = [1, 1, 1, 1, ...visible.shape].slice(-4);
  const [batches, heads2, rows, columns] = shape;
  const { data } = visible;
  return defineMask({
    name: `maskTensor([${visible.shape.join(", ")}])`,
    perBatch: batches > 1,
    perHead: heads2 > 1,
    bind(extent) {
      const { queryLength, keyLength } = extent;
      if (rows !== 1 && rows !== queryLength || columns !== 1 && columns !== keyLength) {
        throw wrongShape2(
          visible,
          `[\u2026, ${queryLength} or 1, ${keyLength} or 1], as there are T = ${queryLength} queries and S = ${keyLength} keys`
        );
      }
      const first = firstQuery(extent);
      return {
        sees(query, key, batch, head) {
          if (batches > 1 && batch >= batches || heads2 > 1 && head >= heads2) {
            throw wrongShape2(visible, `a mask for batch ${batch} and head ${head} too`);
          }
          const b = batches > 1 ? batch : 0;
          const h = heads2 > 1 ? head : 0;
          const t = rows > 1 ? query - first : 0;
          const s = columns > 1 ? key : 0;
          return data[((b * heads2 + h) * rows + t) * columns + s] === 1;
        }
      };
    }
  });
}
function wrongShape2(visible, expected) {
  return new ShapeError2({
    fn: "maskTensor",
    argument: "visible",
    received: visible.shape,
    expected,
    fix: "the tensor must broadcast to [B, H, T, S]: each length equal, or 1."
  });
}

// src/masks/from-torch-mha.ts
function fromTorchMHA(ignored, numHeads) {
  const visible = inverted("fromTorchMHA", ignored);
  const { shape } = ignored;
  if (shape.length === 2) return maskTensor(visible);
  const [rows, T, S] = shape;
  if (shape.length !== 3 || !numHeads || rows % numHeads !== 0) {
    refuseShape10(
      "fromTorchMHA",
      "ignored",
      shape,
      "[T, S], or [B \xB7 H, T, S] with `numHeads` = H",
      "pass the number of heads for three axes; for a `key_padding_mask` use fromTorchKeyPadding."
    );
  }
  return maskTensor(reshape6(visible, [rows / numHeads, numHeads, T, S]));
}
function fromTorchKeyPadding(ignored) {
  const visible = inverted("fromTorchKeyPadding", ignored);
  const [B, S] = ignored.shape;
  if (ignored.shape.length !== 2) {
    refuseShape10(
      "fromTorchKeyPadding",
      "ignored",
      ignored.shape,
      "[B, S]",
      "give a row of keys for each batch; an `attn_mask` goes to fromTorchMHA."
    );
  }
  return maskTensor(reshape6(visible, [B, 1, 1, S]));
}
function inverted(fn, ignored) {
  if (checkTensor9(fn, "ignored", ignored).dtype === "bool") return logicalNot(ignored);
  refuse21(
    fn,
    "ignored",
    ignored.dtype,
    "bool: true where the query ignores the key",
    "a float mask is added to scores: pass it as `bias`, unchanged."
  );
}

// src/masks/keep-first.ts
function keepFirst(count) {
  checkCount("keepFirst", "count", count, {
    least: 0,
    unit: "tokens",
    fix: "count the tokens at the start that stay visible; 0 keeps none."
  });
  return defineMask({
    name: `keepFirst(${count})`,
    sees: (_query, key) => key < count,
    tile: (_query, key) => key.first >= count ? "none" : key.last < count ? "all" : "some"
  });
}

// src/masks/mask-mod.ts
import { refuse as refuse22 } from "@qkv/core";
function maskMod(rule, { name, perBatch = true, perHead: perHead2 = true } = {}) {
  if (typeof rule !== "function") {
    refuse22(
      "maskMod",
      "rule",
      rule,
      "a function (batch, head, query, key) => boolean",
      "write `maskMod((batch, head, query, key) => key <= query)`."
    );
  }
  return defineMask({
    name: name ?? (rule.name === "" ? "maskMod(\u2026)" : rule.name),
    perBatch,
    perHead: perHead2,
    sees: (query, key, batch, head) => rule(batch, head, query, key)
  });
}

// src/masks/not.ts
function not(mask) {
  const { name, perBatch, perHead: perHead2 } = checkMask("not", "mask", mask);
  return defineMask({
    name: `not(${name})`,
    perBatch,
    perHead: perHead2,
    bind(extent) {
      const bound = mask.bind(extent);
      return {
        sees: (query, key, batch, head) => !bound.sees(query, key, batch, head),
        tile(query, key, batch, head) {
          const shown = bound.tile(query, key, batch, head);
          return shown === "none" ? "all" : shown === "all" ? "none" : "some";
        }
      };
    }
  });
}

// src/masks/or.ts
function or(...masks) {
  masks.forEach((mask, i) => checkMask("or", `masks[${i}]`, mask));
  return defineMask({
    name: `or(${masks.map(({ name }) => name).join(", ")})`,
    perBatch: masks.some(({ perBatch }) => perBatch),
    perHead: masks.some(({ perHead: perHead2 }) => perHead2),
    bind(extent) {
      const bound = masks.map((mask) => mask.bind(extent));
      return {
        sees: (query, key, batch, head) => bound.some((mask) => mask.sees(query, key, batch, head)),
        tile(query, key, batch, head) {
          const classes = bound.map((mask) => mask.tile(query, key, batch, head));
          return classes.includes("all") ? "all" : classes.includes("some") ? "some" : "none";
        }
      };
    }
  });
}

// src/masks/padding.ts
import { refuse as refuse23 } from "@qkv/core";
function padding(lengths) {
  const own = Array.from(lengths);
  const wrong = own.find((length) => !Number.isInteger(length) || length < 0);
  if (wrong !== void 0) {
    refuse23(
      "padding",
      "lengths",
      wrong,
      "whole numbers of tokens, 0 or more, one per batch",
      "count each sequence's real tokens, without padding."
    );
  }
  const lengthOf = (batch) => {
    const length = own[batch];
    if (length !== void 0) return length;
    refuse23(
      "padding",
      "lengths",
      `${own.length} lengths`,
      `one per batch, and there is a batch ${batch}`,
      "give as many lengths as the query has batches."
    );
  };
  return defineMask({
    name: `padding([${own.join(", ")}])`,
    perBatch: true,
    sees: (_query, key, batch) => key < lengthOf(batch),
    tile: (_query, key, batch) => key.first >= lengthOf(batch) ? "none" : key.last < lengthOf(batch) ? "all" : "some"
  });
}

// src/masks/prefix.ts
function prefix(length) {
  checkCount("prefix", "length", length, {
    least: 0,
    unit: "tokens",
    fix: "count the tokens that may see each other both ways; 0 is `causal()`."
  });
  return defineMask({
    name: `prefix(${length})`,
    sees: (query, key) => key < length || key <= query,
    tile: (query, key) => key.first >= length && key.first > query.last ? "none" : key.last < length || key.last <= query.first ? "all" : "some"
  });
}

// src/masks/sliding-window.ts
import { refuse as refuse24 } from "@qkv/core";
function slidingWindow(window) {
  const { before, after } = typeof window === "number" ? oneSided(window) : bothSides(window);
  return defineMask({
    name: typeof window === "number" ? `slidingWindow(${window})` : `slidingWindow({ before: ${before}, after: ${after} })`,
    sees: (query, key) => key >= query - before && key <= query + after,
    // A tile whose newest key is too old, or whose oldest key is too far ahead, is never read.
    tile: (query, key) => key.last < query.first - before || key.first > query.last + after ? "none" : key.first >= query.last - before && key.last <= query.first + after ? "all" : "some"
  });
}
function oneSided(windowSize) {
  if ((Number.isInteger(windowSize) || windowSize === Infinity) && windowSize >= 1) {
    return { before: windowSize - 1, after: 0 };
  }
  refuse24(
    "slidingWindow",
    "windowSize",
    windowSize,
    "a whole number of tokens, 1 or more",
    "count the query itself: 1 sees only itself, 2 also sees the token before it."
  );
}
function bothSides({ before, after = 0 }) {
  const rule = {
    least: 0,
    unit: "tokens",
    fix: "count neighbours without the query itself: { before: 1, after: 0 } is slidingWindow(2).",
    endless: true
  };
  return {
    before: checkCount("slidingWindow", "before", before, rule),
    after: checkCount("slidingWindow", "after", after, rule)
  };
}

// src/masks/strided.ts
function strided(stride) {
  checkCount("strided", "stride", stride, {
    least: 1,
    unit: "tokens",
    fix: "choose about the square root of the sequence length; 1 is `causal()`."
  });
  return defineMask({
    name: `strided(${stride})`,
    sees(query, key) {
      const back = query - key;
      return back >= 0 && (back < stride || back % stride === 0);
    },
    tile(query, key) {
      const [nearest, farthest] = [query.first - key.last, query.last - key.first];
      const start = Math.max(nearest, 0);
      const first = start < stride ? start : stride * Math.ceil(start / stride);
      if (first > farthest) return "none";
      const whole = farthest <= stride || stride === 1 || nearest === farthest;
      return whole && nearest === first ? "all" : "some";
    }
  });
}

// src/masks/tree.ts
import { ArgumentError as ArgumentError3 } from "@qkv/core";
function tree(parents) {
  const own = Array.from(parents);
  const wrong = own.findIndex((parent, node) => !Number.isInteger(parent) || parent < -1 || parent >= node);
  if (wrong >= 0)
    throw refuse25(own[wrong], `a node before node ${wrong}, or -1, as the parent of node ${wrong}`);
  const { enter, size } = numbered(own);
  return defineMask({
    name: `tree([${own.join(", ")}])`,
    bind({ keyLength }) {
      const root = keyLength - own.length;
      if (root < 0) throw refuse25(`${own.length} nodes`, `at most S = ${keyLength} of them`);
      return {
        sees(query, key) {
          if (query >= keyLength || key > query) return false;
          if (key < root) return true;
          const [node, ancestor] = [query - root, key - root];
          const steps2 = enter[node] - enter[ancestor];
          return steps2 >= 0 && steps2 < size[ancestor];
        },
        tile: (query, key) => key.first > query.last || query.first >= keyLength ? "none" : key.last < root && key.last <= query.first && query.last < keyLength ? "all" : "some"
      };
    }
  });
}
function numbered(parents) {
  const size = new Int32Array(parents.length).fill(1);
  for (let node = parents.length - 1; node >= 0; node--) {
    if (parents[node] >= 0) size[parents[node]] += size[node];
  }
  const enter = new Int32Array(parents.length);
  const next = new Int32Array(parents.length);
  let nextRoot = 0;
  parents.forEach((parent, node) => {
    enter[node] = parent < 0 ? nextRoot : next[parent];
    if (parent < 0) nextRoot += size[node];
    else next[parent] += size[node];
    next[node] = enter[node] + 1;
  });
  return { enter, size };
}
function refuse25(received, expected) {
  const fix2 = "number nodes so that parents come first: [-1, 0, 0] is one guess with two that follow it.";
  return new ArgumentError3({ fn: "tree", argument: "parents", received, expected, fix: fix2 });
}

// src/masks/window-from.ts
function windowFromFlashAttention(left, right) {
  const side = (argument, value) => value === -1 ? Infinity : checkCount("windowFromFlashAttention", argument, value, {
    least: 0,
    unit: "tokens",
    fix: "count neighbours without the query itself; -1 means all."
  });
  return slidingWindow({ before: side("left", left), after: side("right", right) });
}
function windowFromHuggingFace(size, { bidirectional = false } = {}) {
  checkCount("windowFromHuggingFace", "size", size, {
    least: 1,
    unit: "tokens",
    fix: "take `config.sliding_window`; where it is null the model has no window."
  });
  return slidingWindow(bidirectional ? { before: size, after: size } : size);
}
function windowFromKeras(size) {
  checkCount("windowFromKeras", "size", size, {
    least: 1,
    unit: "tokens",
    fix: "take the layer's `sliding_window`; where it is None there is no window."
  });
  return slidingWindow(size);
}
function windowFromSGLang(size) {
  checkCount("windowFromSGLang", "size", size, {
    least: 0,
    unit: "tokens",
    fix: "pass SGLang's exclusive size, one less than the model's `sliding_window`."
  });
  return slidingWindow(size + 1);
}

// src/merge-attention.ts
import { refuse as refuse26, refuseShape as refuseShape11 } from "@qkv/core";
import {
  add as add4,
  checkTensor as checkTensor10,
  exp,
  logSumExp,
  maximum,
  mul as mul7,
  reshape as reshape7,
  stack,
  sub
} from "@qkv/tensor";
function mergeAttention(parts) {
  const [first] = parts;
  if (!first) {
    refuse26(
      "mergeAttention",
      "parts",
      "an empty list",
      "one part or more",
      'give what `tracedAttention(\u2026, ["lse"])` returned for each part.'
    );
  }
  parts.forEach(({ output, lse: lse2 }, i) => {
    checkTensor10("mergeAttention", `parts[${i}].output`, output);
    checkTensor10("mergeAttention", `parts[${i}].lse`, lse2);
    const wanted = { output: first.output.shape, lse: first.output.shape.slice(0, 3) };
    for (const [argument, { shape }] of Object.entries({ output, lse: lse2 })) {
      const expected = wanted[argument];
      if (shape.length === expected.length && shape.every((length, axis) => length === expected[axis]))
        continue;
      refuseShape11(
        "mergeAttention",
        `parts[${i}].${argument}`,
        shape,
        `[${expected.join(", ")}], as the first output is [${first.output.shape.join(", ")}]`,
        "merge parts of one call: the same queries over other keys."
      );
    }
  });
  const lse = logSumExp(
    stack(
      parts.map((part) => part.lse),
      0
    ),
    { axis: 0 }
  );
  const finite = maximum(lse, -1e30);
  const shares = parts.map((part) => reshape7(exp(sub(part.lse, finite)), [...part.lse.shape, 1]));
  return { output: parts.map((part, i) => mul7(part.output, shares[i])).reduce((a, b) => add4(a, b)), lse };
}

// src/patterns/pattern-score.ts
import { refuse as refuse27, refuseShape as refuseShape12 } from "@qkv/core";
import { checkTensor as checkTensor11, tensor as tensor3 } from "@qkv/tensor";
function patternScore(fn, weights, looked, fix2, from = 0) {
  const { shape, data } = checkTensor11(fn, "weights", weights);
  if (shape.length !== 4) {
    refuseShape12(
      fn,
      "weights",
      shape,
      "[B, H, T, S]: batch, heads, queries, keys",
      "give the weights of `attentionWeights`, or of a trace."
    );
  }
  const [B, H, T, S] = shape;
  const sums = new Array(H).fill(0);
  let queries = 0;
  for (let b = 0; b < B; b++) {
    for (let t = 0; t < T; t++) {
      const query = S - T + t;
      const keys = query < from ? [] : Array.from({ length: S }, (_, s) => s).filter((s) => looked(query, s, b));
      if (keys.length === 0) continue;
      queries += 1;
      for (let h = 0; h < H; h++) for (const s of keys) sums[h] += data[((b * H + h) * T + t) * S + s];
    }
  }
  if (queries === 0) {
    const received = `[${shape.join(", ")}], of which no query has a key to look at`;
    const expected = "a query that could show the pattern";
    refuse27(fn, "weights", received, expected, fix2);
  }
  return tensor3(
    sums.map((sum3) => sum3 / queries),
    { shape: [H], dtype: weights.dtype }
  );
}
function tokenIds(fn, ids, weights) {
  const [B = 0, , , S = 0] = checkTensor11(fn, "weights", weights).shape;
  if (ids.length !== S && ids.length !== B * S) {
    refuse27(
      fn,
      "ids",
      `${ids.length} ids`,
      `S = ${S} of them, one for each key, or B \xB7 S = ${B * S}`,
      "give the ids of all tokens that the weights are over, those in the cache included."
    );
  }
  return (batch, position) => ids[ids.length === S ? position : batch * S + position];
}

// src/patterns/first-token.ts
function firstToken(weights) {
  const fix2 = "give the weights of two tokens or more.";
  return patternScore("firstToken", weights, (_, key) => key === 0, fix2, 1);
}

// src/patterns/induction.ts
function induction(weights, ids) {
  const idOf = tokenIds("induction", ids, weights);
  const looked = (query, key, batch) => key > 0 && key <= query && idOf(batch, key - 1) === idOf(batch, query);
  return patternScore("induction", weights, looked, "give a text in which a token occurs twice.");
}

// src/patterns/previous-token.ts
function previousToken(weights) {
  const fix2 = "give the weights of two tokens or more.";
  return patternScore("previousToken", weights, (query, key) => key === query - 1, fix2);
}

// src/patterns/same-token.ts
function sameToken(weights, ids) {
  const idOf = tokenIds("sameToken", ids, weights);
  const looked = (query, key, batch) => key < query && idOf(batch, key) === idOf(batch, query);
  return patternScore("sameToken", weights, looked, "give a text in which a token occurs twice.");
}

// src/plain-attention.ts
import {
  concat as concat3,
  div as div2,
  equal as equal2,
  exp as exp3,
  log as log2,
  matmul as matmul2,
  max,
  mul as mul9,
  reshape as reshape9,
  stopGradient,
  sub as sub3,
  sum as sum2,
  take as take2,
  tanh as tanh3,
  tensor as tensor5,
  transpose,
  where as where2,
  add as add6
} from "@qkv/tensor";
import { densePart as densePart2, firstQueryOf as firstQueryOf3, keyPositions as keyPositions3 } from "@qkv/tensor/key-values";

// src/expression-on-tensors.ts
import { refuse as refuse28 } from "@qkv/core";
import {
  abs,
  add as add5,
  broadcastTo,
  cast,
  clamp,
  div,
  equal,
  exp as exp2,
  floor,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  maximum as maximum2,
  minimum,
  mul as mul8,
  neg,
  pow,
  reshape as reshape8,
  sqrt,
  sub as sub2,
  take,
  tanh as tanh2,
  tensor as tensor4,
  where
} from "@qkv/tensor";
import { evaluator as evaluator2, Expr } from "@qkv/tensor/expressions";
import { firstQueryOf as firstQueryOf2 } from "@qkv/tensor/key-values";
function onTensors({ steps: steps2 }, score, places) {
  const values = /* @__PURE__ */ new Map();
  for (const expr of steps2)
    values.set(
      expr,
      runStep(expr.step, (operand) => values.get(operand), score, places)
    );
  return broadcastTo(values.get(steps2.at(-1)), score.shape);
}
function runStep(step, of, score, places) {
  const { dtype, device } = score;
  const numbers = (values, shape) => tensor4(values, { shape, dtype, device });
  const bool = (x) => cast(x, "bool");
  const number = (x) => cast(x, dtype);
  switch (step.kind) {
    case "number":
      return numbers([step.value], []);
    case "symbol": {
      const { batches, heads: heads2, queries, firstQuery: firstQuery2, keyPositions: keys } = places;
      const range = (length, start = 0) => Array.from({ length }, (_, i) => start + i);
      if (step.name === "score") return score;
      if (step.name === "batch") return numbers(range(batches), [batches, 1, 1, 1]);
      if (step.name === "head") return numbers(range(heads2), [heads2, 1, 1]);
      if (step.name === "query") {
        const first = typeof firstQuery2 === "number" ? [firstQuery2] : [...firstQuery2];
        return numbers(
          first.flatMap((start) => range(queries, start)),
          [first.length, 1, queries, 1]
        );
      }
      return numbers(
        keys.flatMap((list) => [...list]),
        [keys.length, 1, 1, keys[0].length]
      );
    }
    case "unary": {
      const x = of(step.x);
      if (step.name === "not") return number(equal(x, 0));
      return { neg, abs, exp: exp2, log, tanh: tanh2, sqrt, floor }[step.name](x);
    }
    case "binary": {
      const [a, b] = [of(step.a), of(step.b)];
      if (step.name === "and") return number(bool(mul8(number(bool(a)), number(bool(b)))));
      if (step.name === "or") return number(bool(add5(number(bool(a)), number(bool(b)))));
      const arithmetic = { add: add5, sub: sub2, mul: mul8, div, pow, min: minimum, max: maximum2 };
      if (step.name in arithmetic) return arithmetic[step.name](a, b);
      const comparisons = { less, lessEqual, greater, greaterEqual, equal };
      return number(comparisons[step.name](a, b));
    }
    case "where":
      return where(bool(of(step.condition)), of(step.a), of(step.b));
    case "lookup": {
      const { table, indices } = step;
      let place = tensor4(0, { dtype: "int32", device });
      indices.forEach((index, axis) => {
        const length = table.shape[axis];
        place = add5(mul8(place, length), clamp(cast(of(index), "int32"), { min: 0, max: length - 1 }));
      });
      return take(reshape8(table, [-1]), 0, place);
    }
    case "keep": {
      const [B, H, T, S] = score.shape;
      const { firstQuery: firstQuery2, keyPositions: keys } = places;
      const { at, rate, seed } = step;
      const run2 = evaluator2(
        { steps: [at.batch, at.head, at.query, at.key, new Expr({ ...step, at, rate, seed })], tables: [] },
        S
      );
      const factors = [];
      for (let n = 0; n < B * H * T; n++) {
        const [batch, head] = [Math.floor(n / (H * T)), Math.floor(n / T) % H];
        const key = keys[keys.length > 1 ? batch : 0];
        factors.push(
          ...run2.forward({
            score: new Float64Array(S),
            key,
            batch,
            head,
            query: firstQueryOf2(firstQuery2, batch) + n % T,
            length: S
          })
        );
      }
      return numbers(factors, score.shape);
    }
    case "call":
      refuse28(
        "plainAttention",
        "scoreMod",
        "a function of numbers (scoreModFunction)",
        "arithmetic on symbols, which tensors can follow",
        "write it with `scoreMod((score, at) => \u2026)`."
      );
  }
}

// src/plain-attention.ts
function plainAttention(query, keyValues, options = {}) {
  const { places, bound, scale, softcap, scoreMod: scoreMod2, weightMod, sinks } = prepare(
    "plainAttention",
    query,
    keyValues,
    options
  );
  const [B, H, T] = query.shape;
  const dense = (parts) => parts.map((part) => densePart2(part, B));
  const key = heads(concat3(dense(keyValues.key), 2), H);
  const value = heads(concat3(dense(keyValues.value), 2), H);
  const S = key.shape[2];
  const keys = keyPositions3(places.positions, S);
  const extent = { ...places, keyPositions: keys };
  const dots = mul9(matmul2(query, transpose(key)), scale);
  const capped = softcap > 0 ? mul9(tanh3(div2(dots, softcap)), softcap) : dots;
  const modified = scoreMod2 ? onTensors(scoreMod2, capped, extent) : capped;
  const visible = tensor5(
    Array.from({ length: B * H * T * S }, (_, n) => {
      const [s, t] = [n % S, Math.floor(n / S) % T];
      const [h, b] = [Math.floor(n / (S * T)) % H, Math.floor(n / (S * T * H))];
      const key2 = keys[keys.length > 1 ? b : 0][s];
      const mask = bound?.[bound.length > 1 ? b : 0];
      return key2 >= 0 && (mask?.sees(firstQueryOf3(places.firstQuery, b) + t, key2, b, h) ?? true);
    }),
    { shape: dots.shape, dtype: "bool", device: query.device }
  );
  const scores = where2(visible, modified, -Infinity);
  const top = stopGradient(max(scores, { axis: -1, keepDims: true }));
  const shift = where2(equal2(top, -Infinity), 0, top);
  const powers = exp3(sub3(scores, shift));
  const own = sum2(powers, { axis: -1, keepDims: true });
  const total = sinks ? add6(own, exp3(sub3(reshape9(sinks, [H, 1, 1]), shift))) : own;
  const weights = div2(powers, where2(equal2(total, 0), 1, total));
  const lse = reshape9(add6(log2(total), shift), [B, H, T]);
  const mixed = weightMod ? where2(visible, onTensors(weightMod, weights, extent), 0) : weights;
  return { output: matmul2(mixed, value), dots, capped, scores, weights, lse };
}
function heads(x, H) {
  const group = H / x.shape[1];
  const indices = Array.from({ length: H }, (_, h) => Math.floor(h / group));
  return take2(x, 1, tensor5(indices, { dtype: "int32", device: x.device }));
}

// src/positions/rope-scaling.ts
import { refuse as refuse29 } from "@qkv/core";
function plainFrequencies(base, rotaryDim) {
  return Float64Array.from({ length: rotaryDim / 2 }, (_, i) => base ** (-2 * i / rotaryDim));
}
function checkFactor(fn, argument, value, least = 1) {
  if (value >= least && value < Infinity) return value;
  refuse29(
    fn,
    argument,
    value,
    `a finite number, ${least} or more`,
    "take it from the model's `rope_scaling`; 1 is no scaling."
  );
}

// src/positions/dynamic-ntk.ts
function dynamicNtk({
  factor,
  originalLength
}) {
  checkFactor("dynamicNtk", "factor", factor);
  checkCount("dynamicNtk", "originalLength", originalLength, {
    least: 1,
    unit: "tokens",
    fix: "take the model's `max_position_embeddings` before scaling."
  });
  return {
    name: `dynamicNtk({ factor: ${factor}, originalLength: ${originalLength} })`,
    turning({ base, rotaryDim, length }) {
      const stretch = factor * Math.max(length, originalLength) / originalLength - (factor - 1);
      const grown = rotaryDim > 2 ? base * stretch ** (rotaryDim / (rotaryDim - 2)) : base;
      return { frequencies: plainFrequencies(grown, rotaryDim), attentionFactor: 1 };
    }
  };
}

// src/positions/learned-positions.ts
import { refuse as refuse30, refuseShape as refuseShape13 } from "@qkv/core";
import { add as add7, checkTensor as checkTensor12, embedding, mul as mul10, randn as randn6, tensor as tensor6 } from "@qkv/tensor";
function learnedPositions(config) {
  const { length, embedDim: C } = config;
  const fix2 = "choose the longest text, and the width of the model.";
  checkCount("learnedPositions", "length", length, { least: 1, unit: "tokens", fix: fix2 });
  checkCount("learnedPositions", "embedDim", C, { least: 1, unit: "numbers", fix: fix2 });
  return {
    config,
    init: (seed) => ({ weight: mul10(randn6([length, C], { seed }), 0.02) }),
    apply({ weight }, x, { positions = { start: 0 } } = {}) {
      if (checkTensor12("learnedPositions", "x", x).shape.length !== 3 || x.shape[2] !== C) {
        refuseShape13(
          "learnedPositions",
          "x",
          x.shape,
          `[B, T, ${C}], as embedDim is ${C}`,
          "give batches of rows as wide as the layer."
        );
      }
      const [B, T] = x.shape;
      const places = "start" in positions ? Array.from({ length: T }, (_, t) => positions.start + t) : Array.from(positions);
      if (places.length !== T && places.length !== B * T) {
        refuse30(
          "learnedPositions",
          "positions",
          `${places.length} positions`,
          `T = ${T} of them, or B \xB7 T = ${B * T}`,
          "give each token its place in the sequence."
        );
      }
      const beyond = places.find((place) => !Number.isInteger(place) || place < 0 || place >= length);
      if (beyond !== void 0) {
        refuse30(
          "learnedPositions",
          "positions",
          beyond,
          `positions from 0 to ${length - 1}, as length is ${length}`,
          "shorten the text, or make and train a longer table."
        );
      }
      const shape = places.length === T ? [T] : [B, T];
      return add7(x, embedding(weight, tensor6(places, { shape, dtype: "int32", device: x.device })));
    }
  };
}

// src/positions/linear-scaling.ts
function linearScaling(factor) {
  checkFactor("linearScaling", "factor", factor);
  return {
    name: `linearScaling(${factor})`,
    turning: ({ base, rotaryDim }) => ({
      frequencies: plainFrequencies(base, rotaryDim).map((frequency) => frequency / factor),
      attentionFactor: 1
    })
  };
}

// src/positions/llama3-scaling.ts
import { refuse as refuse31 } from "@qkv/core";
function llama3Scaling(options = {}) {
  const { factor = 8, lowFactor = 1, highFactor = 4, originalLength = 8192 } = options;
  checkFactor("llama3Scaling", "factor", factor);
  checkFactor("llama3Scaling", "lowFactor", lowFactor, Number.MIN_VALUE);
  checkCount("llama3Scaling", "originalLength", originalLength, {
    least: 1,
    unit: "tokens",
    fix: "take `rope_scaling.original_max_position_embeddings`."
  });
  if (!(highFactor > lowFactor) || highFactor === Infinity) {
    refuse31(
      "llama3Scaling",
      "highFactor",
      highFactor,
      `a finite number above lowFactor = ${lowFactor}`,
      "leave both out for 4 and 1."
    );
  }
  return {
    name: `llama3Scaling({ factor: ${factor}, lowFactor: ${lowFactor}, highFactor: ${highFactor}, originalLength: ${originalLength} })`,
    turning({ base, rotaryDim }) {
      const frequencies = plainFrequencies(base, rotaryDim).map((frequency) => {
        const turns = originalLength * frequency / (2 * Math.PI);
        const kept = Math.min(1, Math.max(0, (turns - lowFactor) / (highFactor - lowFactor)));
        return (1 - kept) * (frequency / factor) + kept * frequency;
      });
      return { frequencies, attentionFactor: 1 };
    }
  };
}

// src/positions/long-rope.ts
import { refuse as refuse32 } from "@qkv/core";
function longRope(options) {
  const { factor, originalLength } = options;
  const [short, long] = [Array.from(options.shortFactors), Array.from(options.longFactors)];
  checkFactor("longRope", "factor", factor);
  checkCount("longRope", "originalLength", originalLength, {
    least: 2,
    unit: "tokens",
    fix: "take the model's `original_max_position_embeddings`."
  });
  for (const [argument, factors] of [
    ["shortFactors", short],
    ["longFactors", long]
  ]) {
    for (const one of factors) checkFactor("longRope", argument, one, Number.MIN_VALUE);
  }
  const attentionFactor = options.attentionFactor ?? Math.sqrt(1 + Math.log(factor) / Math.log(originalLength));
  checkFactor("longRope", "attentionFactor", attentionFactor, 0);
  return {
    name: `longRope({ factor: ${factor}, originalLength: ${originalLength}, \u2026 })`,
    turning({ base, rotaryDim, length }) {
      const [argument, factors] = length > originalLength ? ["longFactors", long] : ["shortFactors", short];
      if (factors.length !== rotaryDim / 2) {
        refuse32(
          "longRope",
          argument,
          `${factors.length} factors`,
          `${rotaryDim / 2} of them, one for each pair of the ${rotaryDim} numbers that turn`,
          "take `short_factor` and `long_factor` from the model's `rope_scaling`."
        );
      }
      const frequencies = plainFrequencies(base, rotaryDim).map((frequency, i) => frequency / factors[i]);
      return { frequencies, attentionFactor };
    }
  };
}

// src/positions/rope.ts
import { refuse as refuse35 } from "@qkv/core";

// src/positions/turn-by-position.ts
import { refuse as refuse34, refuseShape as refuseShape15 } from "@qkv/core";
import { checkTensor as checkTensor14, tensor as tensor7 } from "@qkv/tensor";

// src/positions/rotate.ts
import { refuse as refuse33, refuseShape as refuseShape14 } from "@qkv/core";
import { checkTensor as checkTensor13, run } from "@qkv/tensor";
var rotateOp = {
  name: "rotate",
  infer([x, cos, sin]) {
    if (x.shape.length !== 4) {
      refuseShape14(
        "rotate",
        "x",
        x.shape,
        "[B, H, T, D]: batch, heads, positions, head size",
        "add the axes that are missing with `reshape`."
      );
    }
    const [B, , T, D] = x.shape;
    for (const [argument, table] of [
      ["cos", cos],
      ["sin", sin]
    ]) {
      const { shape } = table;
      const fits = (shape.length === 2 || shape.length === 3 && (shape[0] === B || shape[0] === 1)) && shape.at(-2) === T && shape.at(-1) * 2 <= D && shape.at(-1) === cos.shape.at(-1);
      if (fits && table.dtype === x.dtype) continue;
      refuseShape14(
        "rotate",
        argument,
        table.dtype === x.dtype ? shape : table.dtype,
        `${x.dtype} [T, r/2] or [B, T, r/2] with r at most D, where x [B, H, T, D] is [${x.shape.join(", ")}]`,
        "give one row of angles for each position of x."
      );
    }
    return [{ shape: x.shape, dtype: x.dtype }];
  },
  // Four products and two sums for each pair that turns.
  flops([x, cos]) {
    const [B, H, T] = x.shape;
    return 6 * B * H * T * cos.shape.at(-1);
  },
  kernel([x, cos, sin], [out], { layout, inverse }) {
    const [B, H, T, D] = x.shape;
    const half = cos.shape.at(-1);
    const [xb, xh, xt, xd] = x.strides;
    const angles = [cos, sin].map(({ shape, strides, offset }) => ({
      offset,
      b: shape.length === 3 && shape[0] !== 1 ? strides[0] : 0,
      t: strides.at(-2),
      i: strides.at(-1)
    }));
    const [step, partner] = layout === "half" ? [1, half] : [2, 1];
    const sign = inverse ? -1 : 1;
    let o = 0;
    for (let b = 0; b < B; b++) {
      for (let h = 0; h < H; h++) {
        for (let t = 0; t < T; t++, o += D) {
          const from = x.offset + b * xb + h * xh + t * xt;
          const c = angles[0].offset + b * angles[0].b + t * angles[0].t;
          const s = angles[1].offset + b * angles[1].b + t * angles[1].t;
          for (let i = 0; i < half; i++) {
            const cosine = cos.array[c + i * angles[0].i];
            const sine = sign * sin.array[s + i * angles[1].i];
            const a = x.array[from + i * step * xd];
            const z = x.array[from + (i * step + partner) * xd];
            out.array[o + i * step] = a * cosine - z * sine;
            out.array[o + i * step + partner] = z * cosine + a * sine;
          }
          for (let d = 2 * half; d < D; d++) out.array[o + d] = x.array[from + d * xd];
        }
      }
    }
  },
  // The inverse of a rotation is its transpose. Angles are constants.
  backward: ({ inputs: [, cos, sin], gradients: [dy], attributes: { layout, inverse } }) => [
    run(rotateOp, [dy, cos, sin], { layout, inverse: !inverse }),
    void 0,
    void 0
  ]
};
function rotate(x, cos, sin, { layout = "half" } = {}) {
  if (layout !== "half" && layout !== "interleaved") {
    refuse33(
      "rotate",
      "layout",
      layout,
      '"half" or "interleaved"',
      "pair each number with its neighbour (`interleaved`) or with its place in the other half (`half`)."
    );
  }
  const inputs = [
    checkTensor13("rotate", "x", x),
    checkTensor13("rotate", "cos", cos),
    checkTensor13("rotate", "sin", sin)
  ];
  return run(rotateOp, inputs, { layout, inverse: false });
}

// src/positions/turn-by-position.ts
function turnByPosition(fn, x, positions, { headDim, layout }, turningOf) {
  if (checkTensor14(fn, "x", x).shape.length !== 4 || x.shape[3] !== headDim) {
    refuseShape15(
      fn,
      "x",
      x.shape,
      `[B, H, T, ${headDim}], as headDim is ${headDim}`,
      `make the ${fn} for heads of the size that it turns.`
    );
  }
  const [B, , T] = x.shape;
  const given = "start" in positions ? Array.from({ length: T }, (_, t) => positions.start + t) : Array.from(positions);
  const perBatch = given.length !== T;
  if (given.length !== T && given.length !== B * T) {
    refuse34(
      fn,
      "positions",
      `${given.length} positions`,
      `T = ${T} of them, or B \xB7 T = ${B * T}`,
      "give each token its place in the sequence."
    );
  }
  const { frequencies, scale } = turningOf(given.reduce((length, place) => Math.max(length, place + 1), 0));
  const half = frequencies.length;
  const cos = new Float64Array(given.length * half);
  const sin = new Float64Array(given.length * half);
  for (let t = 0, at = 0; t < given.length; t++) {
    for (let i = 0; i < half; i++, at++) {
      const size = scale(i, given[t]);
      cos[at] = size * Math.cos(given[t] * frequencies[i]);
      sin[at] = size * Math.sin(given[t] * frequencies[i]);
    }
  }
  const options = { shape: perBatch ? [B, T, half] : [T, half], dtype: x.dtype, device: x.device };
  return rotate(x, tensor7(cos, options), tensor7(sin, options), { layout });
}
function checkRotary(fn, headDim, rotaryDim, base) {
  if (!Number.isInteger(rotaryDim) || rotaryDim % 2 !== 0 || rotaryDim < 0 || rotaryDim > headDim) {
    refuse34(
      fn,
      rotaryDim === headDim ? "headDim" : "rotaryDim",
      rotaryDim,
      `an even number from 0 to headDim = ${headDim}`,
      "pairs of numbers turn together: choose an even size, or turn only an even part with `rotaryDim`."
    );
  }
  if (!(base > 0) || base === Infinity) {
    refuse34(
      fn,
      "base",
      base,
      "a finite number above 0",
      "leave it out for 10000, or take the model's `rope_theta`."
    );
  }
}

// src/positions/rope.ts
function rope(options) {
  const { headDim, base = 1e4, layout = "half", rotaryDim = headDim, scaling } = options;
  checkRotary("rope", headDim, rotaryDim, base);
  if (scaling !== void 0 && typeof scaling.turning !== "function") {
    refuse35(
      "rope",
      "scaling",
      scaling,
      "a scaling such as `yarn({ factor: 4, originalLength: 4096 })`",
      "call linearScaling, dynamicNtk, yarn, llama3Scaling or longRope with the numbers of `rope_scaling`."
    );
  }
  const plain = { frequencies: plainFrequencies(base, rotaryDim), attentionFactor: 1 };
  const part = rotaryDim === headDim ? "" : `, rotaryDim: ${rotaryDim}`;
  const scaled = scaling ? `, scaling: ${scaling.name}` : "";
  return {
    name: `rope({ headDim: ${headDim}, base: ${base}, layout: "${layout}"${part}${scaled} })`,
    apply: (x, positions) => turnByPosition("rope", x, positions, { headDim, layout }, (length) => {
      const { frequencies, attentionFactor } = scaling?.turning({ base, rotaryDim, length }) ?? plain;
      return { frequencies, scale: () => attentionFactor };
    })
  };
}

// src/positions/rotary-layouts.ts
import { refuseShape as refuseShape16 } from "@qkv/core";
import { checkTensor as checkTensor15, take as take3, tensor as tensor8 } from "@qkv/tensor";
function interleavedToHalf(weight, heads2) {
  return moveRows(
    "interleavedToHalf",
    weight,
    heads2,
    (row, r) => row < r / 2 ? 2 * row : 2 * (row - r / 2) + 1
  );
}
function halfToInterleaved(weight, heads2) {
  return moveRows(
    "halfToInterleaved",
    weight,
    heads2,
    (row, r) => row % 2 === 0 ? row / 2 : (row - 1) / 2 + r / 2
  );
}
function moveRows(fn, weight, { headDim, rotaryDim = headDim }, from) {
  checkRotary(fn, headDim, rotaryDim, 1);
  const rows = checkTensor15(fn, "weight", weight).shape[0];
  if (rows === void 0 || headDim === 0 || rows % headDim !== 0) {
    refuseShape16(
      fn,
      "weight",
      weight.shape,
      `[H \xB7 ${headDim}, \u2026], as headDim is ${headDim}`,
      "give the projection of queries or keys, whose rows are heads one after the other."
    );
  }
  const places = Array.from({ length: rows }, (_, n) => {
    const row = n % headDim;
    return n - row + (row < rotaryDim ? from(row, rotaryDim) : row);
  });
  return take3(weight, 0, tensor8(places, { dtype: "int32", device: weight.device }));
}

// src/positions/sinusoidal.ts
import { refuse as refuse36 } from "@qkv/core";
import { tensor as tensor9 } from "@qkv/tensor";
function sinusoidal(positions, embedDim, { base = 1e4, dtype = "float32" } = {}) {
  const fix2 = "count the positions, or list them.";
  const places = typeof positions === "number" ? Array.from(
    { length: checkCount("sinusoidal", "positions", positions, { least: 0, unit: "tokens", fix: fix2 }) },
    (_, t) => t
  ) : Array.from(positions);
  if (!Number.isInteger(embedDim) || embedDim < 0 || embedDim % 2 !== 0) {
    refuse36(
      "sinusoidal",
      "embedDim",
      embedDim,
      "an even number, 0 or more",
      "each wave has a sine and a cosine: choose an even width."
    );
  }
  if (!(base > 0) || base === Infinity) {
    refuse36("sinusoidal", "base", base, "a finite number above 0", "leave it out for 10000.");
  }
  const numbers = places.flatMap(
    (position) => Array.from({ length: embedDim }, (_, n) => {
      const angle = position * base ** (-(n - n % 2) / embedDim);
      return n % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    })
  );
  return tensor9(numbers, { shape: [places.length, embedDim], dtype });
}

// src/positions/xpos.ts
function xpos(options) {
  const { headDim, base = 1e4, scaleBase = 512, layout = "half", rotaryDim = headDim } = options;
  checkRotary("xpos", headDim, rotaryDim, base);
  checkFactor("xpos", "scaleBase", scaleBase);
  const frequencies = plainFrequencies(base, rotaryDim);
  const fade = frequencies.map((_, i) => (2 * i + 0.4 * rotaryDim) / (1.4 * rotaryDim));
  const part = rotaryDim === headDim ? "" : `, rotaryDim: ${rotaryDim}`;
  const name = `xpos({ headDim: ${headDim}, base: ${base}, scaleBase: ${scaleBase}, layout: "${layout}"${part} })`;
  const side = (role) => {
    const sign = role === "query" ? 1 : -1;
    const scale = (pair, position) => fade[pair] ** (sign * position / scaleBase);
    return {
      name: `${name}.${role}`,
      apply: (x, positions) => turnByPosition("xpos", x, positions, { headDim, layout }, () => ({ frequencies, scale }))
    };
  };
  return { query: side("query"), key: side("key") };
}

// src/positions/yarn.ts
import { refuse as refuse37 } from "@qkv/core";
function yarn(options) {
  const { factor, originalLength, betaFast = 32, betaSlow = 1, truncate = true } = options;
  const { mscale, mscaleAllDim } = options;
  checkFactor("yarn", "factor", factor);
  checkCount("yarn", "originalLength", originalLength, {
    least: 1,
    unit: "tokens",
    fix: "take `rope_scaling.original_max_position_embeddings`."
  });
  checkFactor("yarn", "betaSlow", betaSlow, Number.MIN_VALUE);
  if (!(betaFast > betaSlow) || betaFast === Infinity) {
    refuse37(
      "yarn",
      "betaFast",
      betaFast,
      `a finite number above betaSlow = ${betaSlow}`,
      "leave both out for 32 and 1."
    );
  }
  const sharper = (m) => 0.1 * m * Math.log(factor) + 1;
  const attentionFactor = options.attentionFactor ?? (mscale && mscaleAllDim ? sharper(mscale) / sharper(mscaleAllDim) : sharper(1));
  checkFactor("yarn", "attentionFactor", attentionFactor, 0);
  return {
    name: `yarn({ ${Object.entries(options).map(([option, value]) => `${option}: ${value}`).join(", ")} })`,
    turning({ base, rotaryDim }) {
      const pairOf = (turns) => rotaryDim * Math.log(originalLength / (turns * 2 * Math.PI)) / (2 * Math.log(base));
      const [fast, slow] = [pairOf(betaFast), pairOf(betaSlow)];
      const first = Math.max(truncate ? Math.floor(fast) : fast, 0);
      const end = Math.min(truncate ? Math.ceil(slow) : slow, rotaryDim - 1);
      const last = Math.max(end, first + 1e-3);
      const frequencies = plainFrequencies(base, rotaryDim).map((frequency, pair) => {
        const slowed = Math.min(1, Math.max(0, (pair - first) / (last - first)));
        return frequency / factor * slowed + frequency * (1 - slowed);
      });
      return { frequencies, attentionFactor };
    }
  };
}
export {
  additive,
  alibi,
  alibiSlopes,
  and,
  attention,
  attentionWeights,
  bigBird,
  blockSparse,
  causal,
  chunked,
  crossAttention,
  defineMask,
  describe,
  dilated,
  documents,
  dynamicNtk,
  firstToken,
  fromTorchKeyPadding,
  fromTorchMHA,
  fuseHeads,
  groupedQuery,
  halfToInterleaved,
  induction,
  interleavedToHalf,
  keepFirst,
  learnedPositions,
  learnedRelative,
  learnedSinks,
  linearScaling,
  llama3Scaling,
  longRope,
  luongConcat,
  luongDot,
  luongGeneral,
  maskMod,
  maskTensor,
  mergeAttention,
  multiHead,
  multiQuery,
  not,
  or,
  padding,
  perHead,
  plainAttention,
  prefix,
  previousToken,
  qkNorm,
  rope,
  rotate,
  sameToken,
  scoreMod,
  scoreModFunction,
  sinusoidal,
  slidingWindow,
  softmaxOne,
  splitHeads,
  strided,
  summedHeads,
  t5Bias,
  toGroupedQuery,
  toSummedHeads,
  tracedAttention,
  tree,
  windowFromFlashAttention,
  windowFromHuggingFace,
  windowFromKeras,
  windowFromSGLang,
  xpos,
  yarn
};
