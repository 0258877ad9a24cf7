// Greedy generation from an exported graph in ONNX Runtime: onnxruntime-node in interop/, onnxruntime-web in the tests.

/**
 * Continues a batch of prompts. Each step gets the keys and values that the step before returned. Shorter prompts are
 * padded on the left.
 *
 * @param {{ Tensor: any, session: any }} engine - An `InferenceSession` of the graph, and `Tensor` of the same package.
 * @param {any} config - Configuration of the model.
 * @param {number[][]} prompts
 * @param {number} count - Tokens to generate.
 * @returns {Promise<{ ids: number[], logits: Float32Array[] }[]>} For each prompt the generated tokens and the logits of each.
 */
export async function greedyOnnx({ Tensor, session }, config, prompts, count) {
  const { numLayers, numHeads, embedDim, headDim = embedDim / numHeads, vocabSize, latent } = config;
  const numKvHeads = latent ? numHeads : config.numKvHeads;
  const widths = latent
    ? { key: latent.nopeDim + latent.ropeDim, value: latent.valueDim }
    : { key: headDim, value: headDim };
  const int64 = (rows) =>
    new Tensor("int64", BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);
  const empty = (width) => new Tensor("float32", new Float32Array(0), [prompts.length, numKvHeads, 0, width]);
  const longest = Math.max(...prompts.map(({ length }) => length));
  const pads = prompts.map(({ length }) => longest - length);
  const generated = prompts.map(() => ({ ids: [], logits: [] }));
  let past = {};
  for (let i = 0; i < numLayers; i++)
    for (const side of ["key", "value"]) past[`past_key_values.${i}.${side}`] = empty(widths[side]);
  let next = prompts.map((ids, b) => [...new Array(pads[b]).fill(0), ...ids]);
  for (let seen = 0; generated[0].ids.length < count;) {
    const [first, length] = [seen, next[0].length];
    seen += length;
    const { logits, ...present } = await session.run({
      input_ids: int64(next),
      attention_mask: int64(pads.map((pad) => Array.from({ length: seen }, (_, i) => (i < pad ? 0 : 1)))),
      position_ids: int64(next.map((ids, b) => ids.map((_, i) => Math.max(0, first + i - pads[b])))),
      ...past,
    });
    generated.forEach(({ ids, logits: rows }, b) => {
      const end = (b + 1) * length * vocabSize;
      const row = logits.data.slice(end - vocabSize, end);
      ids.push(row.indexOf(Math.max(...row)));
      rows.push(row);
    });
    past = Object.fromEntries(
      Object.entries(present).map(([name, x]) => [name.replace("present", "past_key_values"), x]),
    );
    next = generated.map(({ ids }) => ids.slice(-1));
  }
  return generated;
}
