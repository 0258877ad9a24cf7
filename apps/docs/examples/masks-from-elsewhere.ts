import {
  attentionWeights,
  describe,
  fromTorchKeyPadding,
  fromTorchMHA,
  padding,
  slidingWindow,
  windowFromFlashAttention,
  windowFromHuggingFace,
  windowFromKeras,
  windowFromSGLang,
} from "@qkv/attention";
import { check, print, show } from "@qkv/page";
import { tensor, zeros } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

// The same four keys, as five libraries specify them.
const extent = { queryLength: 12, keyLength: 12 };
const written = {
  qkv: slidingWindow(4),
  FlashAttention: windowFromFlashAttention(3, 0),
  "Hugging Face": windowFromHuggingFace(4),
  Keras: windowFromKeras(4),
  SGLang: windowFromSGLang(3),
};
for (const [library, mask] of Object.entries(written)) {
  print(library.padEnd(15), mask.name);
  const same =
    describe(mask, extent).text === describe(written.qkv, extent).text;
  check(`${library}: the same four keys`, same);
}

// In PyTorch's nn.MultiheadAttention, true means ignore.
const x = zeros([1, 1, 3, 2]); // [B, H, T, D]
const ignored = tensor([
  [false, true, true],
  [false, false, true],
  [false, false, false],
]);
show(attentionMap(attentionWeights(x, x, { mask: fromTorchMHA(ignored) })));
const ours = attentionWeights(x, x, { mask: padding([2]) }).data.join();
const theirs = attentionWeights(x, x, {
  mask: fromTorchKeyPadding(tensor([[false, false, true]])),
}).data.join();
if (ours !== theirs) throw new Error("the padding masks differ");
