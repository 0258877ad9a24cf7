import { addAttentionMaps } from "@qkv/lens/onnx";
import { modelTiny } from "@qkv/model-tiny";
import { choice, fileField, print } from "@qkv/page";
import { load } from "@qkv/transformer";
import { exportModel, memoryFolder } from "@qkv/transformer/export";

const files = fileField("your .onnx file");
const opset = choice("opset of our file", [17, 23], { value: 17 });

// Until you choose a file: our small model, exported without its maps.
async function ownFile() {
  const out = memoryFolder();
  const model = await load(await modelTiny());
  await exportModel(model, { to: "onnx", opset, out });
  return out.files.find(({ name }) => name === "onnx/model.onnx")!;
}

const { maps, skipped, size } = await addAttentionMaps(
  files[0] ?? (await ownFile()),
);
for (const { name, shape, how, operator } of maps)
  print(name, `[${shape?.join(", ") ?? "?"}]`, `${how}: ${operator}`);
for (const { node, operator, reason } of skipped)
  print("skipped:", operator, node, reason);
print(maps.length, "maps in a file of", size, "bytes");
if (files.length === 0 && maps.length !== 4)
  throw new Error("a layer has no map");
