import { openTfjs } from "../peers/tfjs.mjs";
import { transposed, weights } from "./shapes.mjs";

export async function openTfjsDecoder(shape, context) {
  const tf = await openTfjs(context);
  const { gpt, C, L, H, D } = shape;
  const all = weights(shape);
  // Matrices are [in, out]: products with a transposed matrix are about seven times slower.
  const p = Object.fromEntries(
    all.names.map((name) => {
      const [out, inner] = all.shape(name);
      if (inner === undefined || name === "embedding" || name === "positions")
        return [name, tf.tensor(all.data(name), all.shape(name))];
      return [name, tf.tensor(transposed(all.data(name), out, inner), [inner, out])];
    }),
  );
  const root = Math.sqrt(2 / Math.PI);
  const map = (x, name) =>
    all.has(`${name}.bias`)
      ? tf.fused.matMul({ a: x, b: p[name], bias: p[`${name}.bias`] })
      : tf.matMul(x, p[name]);
  const norm = (x, name) => {
    const centred = gpt ? x.sub(x.mean(-1, true)) : x;
    const scaled = centred.mul(centred.square().mean(-1, true).add(1e-5).rsqrt()).mul(p[name]);
    return gpt ? scaled.add(p[`${name}.bias`]) : scaled;
  };
  let [past, length] = [[], 0];
  // Rotary pairs are (i, i + D / 2).
  const rotate = (x, T) => {
    const angles = Float32Array.from(
      { length: (T * D) / 2 },
      (_, i) => (length + Math.floor(i / (D / 2))) / 10000 ** ((2 * (i % (D / 2))) / D),
    );
    const [cos, sin] = [Math.cos, Math.sin].map((of) => tf.tensor3d(angles.map(of), [1, T, D / 2]));
    const [a, b] = tf.split(x, 2, -1);
    return tf.concat([a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))], -1);
  };
  return {
    threads: context.browser ? context.threads : 1,
    reset() {
      tf.dispose(past);
      [past, length] = [[], 0];
    },
    step(ids) {
      const [T, S] = [ids.length, length + ids.length];
      const logits = tf.tidy(() => {
        const maskBias = new Float32Array(T * S);
        for (let i = 0; i < T; i++) maskBias.fill(-1e9, i * S + length + i + 1, (i + 1) * S);
        const mask = T > 1 ? tf.tensor3d(maskBias, [1, T, S]) : undefined;
        let x = tf.gather(p.embedding, tf.tensor1d(ids, "int32"));
        if (gpt) x = x.add(p.positions.slice([length, 0], [T, C]));
        const present = [];
        for (let layer = 0; layer < L; layer++) {
          const normed = norm(x, `attentionNorm.${layer}`);
          const [query, key, value] = ["query", "key", "value"].map((name) => {
            const rows = map(normed, `${name}.${layer}`).reshape([T, H, D]).transpose([1, 0, 2]);
            return gpt || name === "value" ? rows : rotate(rows, T);
          });
          const [keys, values] = [key, value].map((own, i) => {
            const joined = length > 0 ? tf.concat([past[2 * layer + i], own], 1) : own;
            present.push(tf.keep(joined));
            return joined;
          });
          const scores = tf.matMul(query, keys, false, true).mul(1 / Math.sqrt(D));
          const attended = tf.matMul(tf.softmax(mask ? scores.add(mask) : scores), values);
          x = x.add(map(attended.transpose([1, 0, 2]).reshape([T, C]), `output.${layer}`));
          const inner = norm(x, `feedForwardNorm.${layer}`);
          const up = map(inner, `up.${layer}`);
          const gate = gpt ? undefined : map(inner, `gate.${layer}`);
          const bent = gpt
            ? up.mul(0.5).mul(up.add(up.mul(up).mul(up).mul(0.044715)).mul(root).tanh().add(1))
            : gate.mul(gate.sigmoid()).mul(up);
          x = x.add(map(bent, `down.${layer}`));
        }
        tf.dispose(past);
        past = present;
        return tf.matMul(norm(x.slice([T - 1, 0], [1, C]), "norm"), p.embedding, false, true);
      });
      length = S;
      const data = logits.dataSync();
      logits.dispose();
      return data;
    },
  };
}
