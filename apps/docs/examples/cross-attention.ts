import { crossAttention, multiHead } from "@qkv/attention";
import { print, show } from "@qkv/page";
import { count, randn, type Tensor } from "@qkv/tensor";
import { attentionMap } from "@qkv/viz";

const layer = crossAttention({ embedDim: 8, contextDim: 6, numHeads: 2 });
const params = layer.init(1);
const source = randn([1, 7, 6], { seed: 2 }); // [B, S, contextDim], read
const x = randn([1, 3, 8], { seed: 3 }); // [B, T, C], written

const tensors: Record<string, Tensor> = {};
const output = layer.apply(params, x, source, {
  trace: { names: ["weights"], tensors },
});
if (tensors["weights"]) show(attentionMap(tensors["weights"]));

// The source does not change while the target is generated: project it once.
const once = layer.keyValues(params, source);
if (layer.apply(params, x, once).data.join() !== output.data.join())
  throw new Error("projecting once changed the result");
const flops = [source, once].map(
  (from) => count(() => layer.apply(params, x, from)).flops,
);
print("operations per step, projecting every time and only once:", flops);

// If source and target are the same sequence, this is self-attention.
const config = { embedDim: 8, numHeads: 2 };
const own = multiHead(config);
const self = own.apply(own.init(1), x).data;
if (crossAttention(config).apply(own.init(1), x, x).data.join() !== self.join())
  throw new Error("it differs from self-attention");
