import { js, permute, randn, reshape, tensor, type Tensor } from "@qkv/tensor";
import { expect, test } from "vitest";
import { rotaryEmbeddingOperator } from "./rotary-embedding.js";

const [B, H, T, D] = [2, 2, 3, 6];
const x = randn([B, H, T, D], { seed: 1 });

async function run(inputs: Record<string, Tensor>, attributes: Record<string, number> = {}): Promise<Tensor> {
  const [y] = await rotaryEmbeddingOperator.run({
    inputs,
    attributes: { ...rotaryEmbeddingOperator.attributes, ...attributes },
    opset: 23,
    device: js(),
    wanted: [true],
  });
  return y!;
}

/** Caches with a row per position, with distinct angles for positions and pairs. */
function caches(positions: number, half: number) {
  const angles = Array.from({ length: positions * half }, (_, i) => 0.3 * i + 0.1);
  const shape = [positions, half];
  return {
    cos_cache: tensor(angles.map(Math.cos), { shape }),
    sin_cache: tensor(angles.map(Math.sin), { shape }),
  };
}

test.for([
  { interleaved: 0, half: 3 },
  { interleaved: 1, half: 3 },
  { interleaved: 0, half: 2 },
  { interleaved: 1, half: 1 },
])("pairs turn by the angle of their position: $interleaved, $half pairs", async ({ interleaved, half }) => {
  const ids = [4, 0, 2, 1, 1, 3];
  const position_ids = tensor(ids, { shape: [B, T], dtype: "int32" });
  const rotary_embedding_dim = half === 3 ? 0 : 2 * half;
  const y = await run({ X: x, ...caches(5, half), position_ids }, { interleaved, rotary_embedding_dim });
  const at = (source: Tensor, b: number, h: number, t: number, d: number) =>
    source.data[((b * H + h) * T + t) * D + d]!;
  for (let b = 0; b < B; b++)
    for (let h = 0; h < H; h++)
      for (let t = 0; t < T; t++) {
        for (let pair = 0; pair < half; pair++) {
          const [i, j] = interleaved ? [2 * pair, 2 * pair + 1] : [pair, pair + half];
          const angle = 0.3 * (ids[b * T + t]! * half + pair) + 0.1;
          const [left, right] = [at(x, b, h, t, i), at(x, b, h, t, j)];
          expect(at(y, b, h, t, i)).toBeCloseTo(Math.cos(angle) * left - Math.sin(angle) * right, 5);
          expect(at(y, b, h, t, j)).toBeCloseTo(Math.sin(angle) * left + Math.cos(angle) * right, 5);
        }
        for (let d = 2 * half; d < D; d++) expect(at(y, b, h, t, d)).toBe(at(x, b, h, t, d));
      }
});

test("3-D inputs, and caches with a row per token, give the same", async () => {
  const position_ids = tensor([0, 1, 2, 0, 1, 2], { shape: [B, T], dtype: "int32" });
  const { cos_cache, sin_cache } = caches(T, D / 2);
  const expected = await run({ X: x, cos_cache, sin_cache, position_ids });
  const flat = reshape(permute(x, [0, 2, 1, 3]), [B, T, H * D]);
  const three = await run({ X: flat, cos_cache, sin_cache, position_ids }, { num_heads: H });
  expect(three.shape).toEqual([B, T, H * D]);
  expect(permute(reshape(three, [B, T, H, D]), [0, 2, 1, 3]).data).toEqual(expected.data);
  const perToken = (cache: Tensor) => reshape(cache, [1, T, D / 2]);
  const shared = await run({ X: x, cos_cache: perToken(cos_cache), sin_cache: perToken(sin_cache) });
  expect(shared.data).toEqual(expected.data);
});

test("caches of another width are refused", async () => {
  await expect(async () => run({ X: x, ...caches(T, 2) })).rejects.toThrow(
    "`cos_cache` has shape [3, 2], expected rows of 3",
  );
});
