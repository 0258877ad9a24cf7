import { attentionWeights, blockSparse, describe } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { randn, tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const layout = tensor([
  [true, false, false, true],
  [true, true, false, false],
  [false, true, true, false],
  [true, false, true, true],
]); // [query blocks, key blocks]
const x = randn([1, 1, 12, 8], { seed: 1 }); // [B, H, T, D]
show(attentionMap(attentionWeights(x, x, { mask: blockSparse(layout, 3) })));

// With blocks of 64, no tile needs a test per pair, and masked tiles are never
// read.
const { tiles, sparsity } = describe(blockSparse(layout, 64), {
  queryLength: 256,
  keyLength: 256,
});
print("tiles:", tiles, " masked share:", sparsity);
if (tiles.all !== 9 || tiles.none !== 7 || tiles.some !== 0)
  throw new Error("the tiles differ from the layout");

const ragged = describe(blockSparse(layout, 48), {
  queryLength: 192,
  keyLength: 192,
}).tiles;
print("blocks of 48 over tiles of 64:", ragged);
