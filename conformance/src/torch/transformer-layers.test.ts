import { concat, expandDims, reshape, slice, tensor, transpose, type Tensor } from "@qkv/tensor";
import "@qkv/test-support/allclose";
import { expect, test } from "vitest";
import { referenceData } from "../../reference-data.mjs";
import { readCases } from "../data-files.js";
import { readTensor } from "../reference-tensor.js";
import { toTensor } from "../to-tensor.js";
import { js } from "@qkv/tensor";
import { gruModule } from "./gru.js";
import { transformerDecoderLayer, transformerEncoderLayer } from "./transformer-layers.js";
import type { Named, ReferenceOp } from "../reference-op.js";

type Given = { inputs: Named; attributes: Record<string, unknown> };

/** The inputs and the attributes of a case of modules.json. */
function given(caseName: string): Given {
  let found: Given | undefined;
  readCases(referenceData, "torch/modules.json", ({ name, value }) => {
    if (name === caseName) {
      const tensors = (value["inputs"] as unknown[]).map((one) => readTensor(one));
      found = {
        inputs: Object.fromEntries(
          tensors.map((one) => [one.name, toTensor(one, { device: js(), class: "host" })]),
        ),
        attributes: value["attributes"] as Record<string, unknown>,
      };
    }
    return { name, run: () => [] };
  });
  return found!;
}

const run = async (op: ReferenceOp, inputs: Named, attributes: Record<string, unknown>): Promise<Named> =>
  op.run(inputs, { ...op.attributes, ...attributes });

test("an encoder layer gives the same with time first, and without a batch", async () => {
  const { inputs, attributes } = given("encoder_layer_post_gelu");
  const { output } = await run(transformerEncoderLayer, inputs, attributes);
  const timeFirst = { ...inputs, src: transpose(inputs["src"]!, 0, 1) };
  const other = await run(transformerEncoderLayer, timeFirst, { ...attributes, batch_first: false });
  expect(transpose(other["output"]!, 0, 1)).toBeAllclose(output!, { rtol: 0, atol: 5e-6 });
  const alone = {
    ...inputs,
    src: reshape(slice(inputs["src"]!, 0, 0, 1), [6, 8]),
    src_key_padding_mask: reshape(slice(inputs["src_key_padding_mask"]!, 0, 0, 1), [6]),
  };
  const single = await run(transformerEncoderLayer, alone, attributes);
  expect(expandDims(single["output"]!, 0)).toBeAllclose(slice(output!, 0, 0, 1), { rtol: 0, atol: 5e-6 });
});

test("float masks and bool masks mask the same keys, also per head", async () => {
  const { inputs, attributes } = given("decoder_layer_post_relu");
  const { output } = await run(transformerDecoderLayer, inputs, attributes);
  const numbers = tensor(
    Array.from(inputs["tgt_mask"]!.data, (hidden) => (hidden ? -Infinity : 0)),
    { shape: [4, 4] },
  );
  expect(
    (await run(transformerDecoderLayer, { ...inputs, tgt_mask: numbers }, attributes))["output"]!,
  ).toBeAllclose(output!, { rtol: 0, atol: 5e-6 });
  const perHead = concat(new Array<Tensor>(4).fill(expandDims(numbers, 0)), 0); // [B · H, T, T]
  expect(
    (await run(transformerDecoderLayer, { ...inputs, tgt_mask: perHead }, attributes))["output"]!,
  ).toBeAllclose(output!, { rtol: 0, atol: 5e-6 });
  const open = { ...inputs };
  delete open["tgt_mask"];
  const seen = await run(transformerDecoderLayer, open, attributes);
  expect(seen["output"]!.data).not.toEqual(output!.data);
  // A memory masked from its third row on equals one of two rows.
  const padded = {
    ...inputs,
    memory_key_padding_mask: tensor([0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1], { shape: [2, 6], dtype: "bool" }),
  };
  const short = { ...inputs, memory: slice(inputs["memory"]!, 1, 0, 2) };
  expect((await run(transformerDecoderLayer, padded, attributes))["output"]!).toBeAllclose(
    (await run(transformerDecoderLayer, short, attributes))["output"]!,
    { rtol: 0, atol: 5e-6 },
  );
});

test("a two-layer GRU equals two GRUs; a bidirectional one equals one forward and one on the reversed input", async () => {
  const { inputs, attributes } = given("gru");
  const single = await run(gruModule, inputs, attributes);
  const weights = (layer: number, way: string, from: Named) =>
    Object.fromEntries(
      Object.entries(from).flatMap(([name, x]) =>
        name.startsWith("param.") ? [[name.replace("_l0", `_l${layer}${way}`), x]] : [],
      ),
    );
  // The second layer's inputs are states; its input matrix is the recurrent one here.
  const second = { ...inputs, "param.weight_ih_l0": inputs["param.weight_hh_l0"]! };
  const stacked = {
    ...inputs,
    ...weights(1, "", second),
    h0: concat([inputs["h0"]!, inputs["h0"]!], 0),
  };
  const both = await run(gruModule, stacked, { ...attributes, num_layers: 2 });
  const after = await run(gruModule, { ...second, x: single["output"]! }, { ...attributes, input_size: 6 });
  expect(both["output"]!).toBeAllclose(after["output"]!, { rtol: 0, atol: 5e-6 });
  expect(both["h_n"]!).toBeAllclose(concat([single["h_n"]!, after["h_n"]!], 0), { rtol: 0, atol: 5e-6 });

  const twoWays = {
    ...inputs,
    ...weights(0, "_reverse", inputs),
    h0: concat([inputs["h0"]!, inputs["h0"]!], 0),
  };
  const { output, h_n } = await run(gruModule, twoWays, { ...attributes, bidirectional: true });
  expect(output!.shape).toEqual([2, 7, 12]);
  expect(slice(output!, 2, 0, 6)).toBeAllclose(single["output"]!, { rtol: 0, atol: 5e-6 });
  const reversed = (x: Tensor) =>
    concat(
      Array.from({ length: x.shape[1]! }, (_, t) => slice(x, 1, x.shape[1]! - 1 - t, x.shape[1]! - t)),
      1,
    );
  const back = await run(gruModule, { ...inputs, x: reversed(inputs["x"]!) }, attributes);
  expect(slice(output!, 2, 6)).toBeAllclose(reversed(back["output"]!), { rtol: 0, atol: 5e-6 });
  expect(h_n!).toBeAllclose(concat([single["h_n"]!, back["h_n"]!], 0), { rtol: 0, atol: 5e-6 });
});

test("a case without a required weight fails with its name", async () => {
  const { inputs, attributes } = given("gru");
  await expect(run(gruModule, inputs, { ...attributes, num_layers: 2 })).rejects.toThrow(
    /param.weight_ih_l1/,
  );
});
