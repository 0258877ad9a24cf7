// jax-js compiles one function for prompts of a fixed length and one for single tokens; the cache has a fixed length,
// and a token is written to it by multiplication with a one-hot row.
import { openJax } from "../peers/jax.mjs";
import { transposed, weights } from "./shapes.mjs";

export async function openJaxDecoder(shape) {
  const { jit, nn, numpy: np } = await openJax();
  const { gpt, C, L, H, D } = shape;
  const room = shape.context;
  const all = weights(shape);
  const parameter = (name) => {
    const [out, inner] = all.shape(name);
    return inner === undefined || name === "embedding" || name === "positions"
      ? np.array(all.data(name)).reshape(all.shape(name))
      : np.array(transposed(all.data(name), out, inner)).reshape([inner, out]);
  };
  // Embedding lookups happen outside of the compiled function.
  const tables = { embedding: all.data("embedding"), ...(gpt && { positions: all.data("positions") }) };
  const names = all.names.filter((name) => name !== "positions");
  const params = Object.fromEntries(names.map((name) => [name, parameter(name)]));

  /** Every use of an array consumes it; `.ref` adds a use. */
  const forward = (T) =>
    jit((p, x, cos, sin, place, mask, cacheKeys, cacheValues) => {
      const map = (h, name) => {
        const product = np.matmul(h, p[name].ref);
        return all.has(`${name}.bias`) ? product.add(p[`${name}.bias`].ref) : product;
      };
      const norm = (h, name) => {
        if (gpt) return nn.standardize(h, -1).mul(p[name].ref).add(p[`${name}.bias`].ref);
        const scale = np.reciprocal(np.sqrt(np.square(h.ref).mean(-1, { keepdims: true }).add(1e-5)));
        return h.mul(scale).mul(p[name].ref);
      };
      const rotate = (h) => {
        const [a, b] = np.split(h, 2, -1);
        const left = a.ref.mul(cos.ref).sub(b.ref.mul(sin.ref));
        return np.concatenate([left, b.mul(cos.ref).add(a.mul(sin.ref))], -1);
      };
      const [keys, values] = [[], []];
      for (let layer = 0; layer < L; layer++) {
        const normed = norm(x.ref, `attentionNorm.${layer}`);
        const heads = (name) => map(normed.ref, `${name}.${layer}`).reshape([T, H, D]);
        const [query, own, value] = [heads("query"), heads("key"), heads("value")];
        normed.dispose();
        const key = gpt ? own : rotate(own);
        const joined = (cache, rows) =>
          T === 1 ? cache[layer].ref.mul(np.subtract(1, place.ref)).add(rows.mul(place.ref)) : rows;
        keys.push(joined(cacheKeys, key));
        values.push(joined(cacheValues, value));
        const options = T === 1 ? { mask: mask.ref } : { isCausal: true };
        const attended = nn.dotProductAttention(
          gpt ? query : rotate(query),
          keys[layer].ref,
          values[layer].ref,
          options,
        );
        x = x.add(map(attended.reshape([T, C]), `output.${layer}`));
        const inner = norm(x.ref, `feedForwardNorm.${layer}`);
        let bent;
        if (gpt) bent = nn.gelu(map(inner, `up.${layer}`), { approximate: true });
        else bent = nn.silu(map(inner.ref, `gate.${layer}`)).mul(map(inner, `up.${layer}`));
        x = x.add(map(bent, `down.${layer}`));
      }
      const last = T === 1 ? x : np.split(x, [T - 1], 0)[1];
      const logits = np.matmul(norm(last, "norm"), np.transpose(p.embedding.ref));
      for (const name of names) p[name].dispose();
      return { logits, keys, values };
    });

  const compiled = new Map();
  let [keys, values, length] = [[], [], 0];
  const rows = (table, ids) => {
    const out = new Float32Array(ids.length * C);
    ids.forEach((id, i) => out.set(table.subarray(id * C, (id + 1) * C), i * C));
    return out;
  };
  return {
    threads: 1,
    reset() {
      for (const each of [...keys, ...values]) each.dispose();
      [keys, values, length] = [[], [], 0];
    },
    async step(ids) {
      const T = ids.length;
      if (!compiled.has(T)) compiled.set(T, forward(T));
      const x = rows(tables.embedding, ids);
      const places = ids.map((_, i) => length + i);
      if (gpt) rows(tables.positions, places).forEach((value, i) => (x[i] += value));
      const angles = Float32Array.from(
        { length: (T * D) / 2 },
        (_, i) => places[Math.floor(i / (D / 2))] / 10000 ** ((2 * (i % (D / 2))) / D),
      );
      const [cos, sin] = [Math.cos, Math.sin].map((of) => np.array(angles.map(of)).reshape([T, 1, D / 2]));
      const place = np.array(Float32Array.from({ length: room }, (_, i) => Number(i === length)));
      const seen = np.array(Array.from({ length: room }, (_, i) => i <= length)).reshape([1, 1, room]);
      const uses = Object.fromEntries(names.map((name) => [name, params[name].ref]));
      const inputs = [np.array(x).reshape([T, C]), cos, sin, place.reshape([room, 1, 1]), seen, keys, values];
      const after = compiled.get(T)(uses, ...inputs);
      const padded = (each) => (T === 1 ? each : np.concatenate([each, np.zeros([room - T, H, D])], 0));
      [keys, values] = [after.keys.map(padded), after.values.map(padded)];
      length += T;
      return after.logits.data();
    },
  };
}
