// Writes a random checkpoint of a given size: a Qwen 3 in bfloat16, in 4 shards.
import { writeSafetensorsHeader } from "../../packages/core/dist/index.js";
import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";

const [C, F, heads, kvHeads, headDim, shards] = [1024, 3072, 16, 8, 128, 4];

/**
 * @param {string} folder - Folder for `config.json`, the index and the shards.
 * @param {number} wanted - Size of all shards in bytes, rounded to whole layers of 31 MB.
 * @returns {{ bytes: number, shards: number }} Bytes written, headers included.
 */
export function writeRandomCheckpoint(folder, wanted) {
  const matrix = (name, ...shape) => ({ name, shape, dtype: "BF16" });
  const layer = (i) => {
    const path = `model.layers.${i}`;
    return [
      matrix(`${path}.input_layernorm.weight`, C),
      matrix(`${path}.self_attn.q_proj.weight`, heads * headDim, C),
      matrix(`${path}.self_attn.k_proj.weight`, kvHeads * headDim, C),
      matrix(`${path}.self_attn.v_proj.weight`, kvHeads * headDim, C),
      matrix(`${path}.self_attn.o_proj.weight`, C, heads * headDim),
      matrix(`${path}.self_attn.q_norm.weight`, headDim),
      matrix(`${path}.self_attn.k_norm.weight`, headDim),
      matrix(`${path}.post_attention_layernorm.weight`, C),
      matrix(`${path}.mlp.gate_proj.weight`, F, C),
      matrix(`${path}.mlp.up_proj.weight`, F, C),
      matrix(`${path}.mlp.down_proj.weight`, C, F),
    ];
  };
  const bytesOf = (entries) => entries.reduce((sum, { shape }) => sum + 2 * shape.reduce((a, b) => a * b), 0);
  const V = Math.min(65536, 64 * Math.ceil(wanted / 10 / (2 * C) / 64) * 2);
  const outer = [matrix("model.embed_tokens.weight", V, C), matrix("model.norm.weight", C)];
  const numLayers = Math.max(1, Math.round((wanted - bytesOf(outer)) / bytesOf(layer(0))));
  const all = [...outer, ...Array.from({ length: numLayers }, (_, i) => layer(i)).flat()];
  const config = {
    ...{
      model_type: "qwen3",
      architectures: ["Qwen3ForCausalLM"],
      torch_dtype: "bfloat16",
      hidden_act: "silu",
    },
    ...{ vocab_size: V, hidden_size: C, intermediate_size: F, num_hidden_layers: numLayers },
    ...{ num_attention_heads: heads, num_key_value_heads: kvHeads, head_dim: headDim },
    ...{ max_position_embeddings: 4096, rms_norm_eps: 1e-6, rope_theta: 1e6, tie_word_embeddings: true },
  };
  writeFileSync(join(folder, "config.json"), JSON.stringify(config));
  // bfloat16 values of about ±0.03: the upper halves of float32 values.
  let seed = 1;
  const block = Uint16Array.from({ length: 2 ** 20 }, () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
    const size = 0x3c80 + ((seed >>> 16) & 0x7f);
    return size | ((seed >>> 8) & 0x8000);
  });
  const map = {};
  let bytes = 0;
  for (let s = 0; s < shards; s++) {
    const name = `model-${String(s + 1).padStart(5, "0")}-of-${String(shards).padStart(5, "0")}.safetensors`;
    const entries = all.slice(
      Math.floor((s * all.length) / shards),
      Math.floor(((s + 1) * all.length) / shards),
    );
    const file = openSync(join(folder, name), "w");
    bytes += writeSync(file, writeSafetensorsHeader(entries, { format: "pt" }));
    for (const entry of entries) {
      map[entry.name] = name;
      let left = bytesOf([entry]);
      while (left > 0) {
        const written = writeSync(file, new Uint8Array(block.buffer, 0, Math.min(left, block.byteLength)));
        left -= written;
        bytes += written;
      }
    }
    closeSync(file);
  }
  const index = { metadata: { total_size: bytesOf(all) }, weight_map: map };
  writeFileSync(join(folder, "model.safetensors.index.json"), JSON.stringify(index));
  return { bytes, shards };
}
