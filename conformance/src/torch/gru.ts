import { concat, reshape, slice, stack, transpose, type Tensor } from "@qkv/tensor";
import { gru } from "@qkv/transformer";
import { checkKnown, defineReferenceOp } from "../reference-op.js";

/**
 * `torch.nn.GRU`: any number of layers, one direction or both. Weights are named by layer, with `_reverse` for the
 * backward direction.
 */
export const gruModule = defineReferenceOp({
  name: "nn.GRU",
  inputs: ["x"],
  optionalInputs: ["h0"],
  moreInputs: /^param\.(weight|bias)_(ih|hh)_l\d+(_reverse)?$/,
  attributes: {
    input_size: 0,
    hidden_size: 0,
    num_layers: 1,
    bias: true,
    batch_first: false,
    dropout: 0,
    bidirectional: false,
  },
  run(inputs, { hidden_size: F, num_layers: L, batch_first, bidirectional }) {
    const named = inputs as Record<string, Tensor | undefined>;
    const alone = inputs.x.shape.length === 2;
    let x = alone
      ? reshape(inputs.x, [1, ...inputs.x.shape])
      : batch_first
        ? inputs.x
        : transpose(inputs.x, 0, 1);
    const first = inputs.h0 && (alone ? reshape(inputs.h0, [inputs.h0.shape[0]!, 1, F]) : inputs.h0); // [L · ways, B, F]
    const B = x.shape[0]!;
    const ways = bidirectional ? ["", "_reverse"] : [""];
    const last: Tensor[] = [];
    for (let l = 0; l < L; l++) {
      const layer = gru({ embedDim: x.shape[2]!, hiddenDim: F });
      const outputs = ways.map((way, d) => {
        const of = (side: string) => {
          const [weight, bias] = [
            named[`param.weight_${side}_l${l}${way}`],
            named[`param.bias_${side}_l${l}${way}`],
          ];
          return { weight: checkKnown(weight, `param.weight_${side}_l${l}${way}`), ...(bias && { bias }) };
        };
        const n = l * ways.length + d;
        const { output, state } = layer.apply({ input: of("ih"), state: of("hh") }, x, {
          reverse: d === 1,
          ...(first && { state: reshape(slice(first, 0, n, n + 1), [B, F]) }),
        });
        last.push(state);
        return output;
      });
      x = outputs.length === 1 ? outputs[0]! : concat(outputs, 2);
    }
    const state = stack(last, 0);
    if (alone) return { output: reshape(x, x.shape.slice(1)), h_n: reshape(state, [state.shape[0]!, F]) };
    return { output: batch_first ? x : transpose(x, 0, 1), h_n: state };
  },
});
