import { print } from "@qkv/page";
import { randn, tensor } from "@qkv/tensor";
import {
  openSafetensors,
  readSafetensors,
  writeSafetensors,
} from "@qkv/tensor/safetensors";

const model = {
  layers: [{ weight: randn([64, 64], { seed: 1 }), bias: tensor([1, 2, 3]) }],
  ids: tensor([7, 8], { dtype: "int32" }),
};
const bytes = await writeSafetensors(model, { license: "MIT" });
print(bytes.length, "bytes");

const { tensors, metadata } = await readSafetensors(bytes);
for (const [name, x] of Object.entries(tensors)) print(name, x.dtype, x.shape);
print(metadata);

// Any source of byte ranges works, and only the requested tensors are read.
let read = 0;
const source = {
  size: bytes.length,
  read(start: number, end: number) {
    read += end - start;
    return bytes.slice(start, end);
  },
};
const file = await openSafetensors(source);
print(
  "bias:",
  (await file.get("layers.0.bias")).data,
  "for",
  read,
  "bytes read",
);
if (read > 1000) throw new Error("the large tensor was read too");

// Damage the header so that it claims more than the file has.
const hostile = bytes.slice();
hostile.fill(255, 0, 7);
try {
  await openSafetensors(hostile);
  throw new Error("the damaged header was accepted");
} catch (error) {
  print(String(error));
  if (String(error).includes("believed")) throw error;
}
