import { expect, test } from "vitest";
import { chosenFiles, droppedFiles, modelFiles } from "./model-files";

const fileAt = (path: string): File => {
  const file = new File([path], path.split("/").at(-1)!);
  Object.defineProperty(file, "webkitRelativePath", { value: path.includes("/") ? path : "" });
  return file;
};
const names = (files: readonly File[]) => files.map(({ name }) => name);

test("a folder that was chosen is called by its name, and files below its folders are left out", async () => {
  const given = ["small/onnx/config.json", "small/config.json", "small/model.safetensors"].map(fileAt);
  const { name, files } = chosenFiles(given);
  expect(name).toBe("small");
  expect(await Promise.all(files.map((file) => file.text()))).toEqual([
    "small/config.json",
    "small/model.safetensors",
  ]);
});

test("one GGUF file beside a README is the model, but not beside a configuration", () => {
  const found = (...paths: string[]) => paths.map((path) => ({ path, file: fileAt(path) }));
  expect(names(modelFiles("folder", found("README.md", "a.gguf")).files)).toEqual(["a.gguf"]);
  expect(modelFiles("folder", found("README.md", "a.gguf")).name).toBe("a.gguf");
  expect(names(modelFiles("folder", found("config.json", "a.gguf")).files)).toEqual([
    "config.json",
    "a.gguf",
  ]);
  expect(() => modelFiles("folder", found("a.gguf", "b.gguf"))).toThrow(/“folder” has several GGUF files/);
  expect(() => modelFiles("a.txt", found("a.txt"))).toThrow(/“a.txt” has no GGUF file, .*Give one GGUF file/);
  expect(() => modelFiles("folder", found("onnx/config.json", "x/a.gguf"))).toThrow(
    /no config\.json at its top/,
  );
});

type Tree = { readonly [name: string]: Tree | string };

/** Entries of a drop, as a browser gives them: a reader of a folder gives its entries two at a time. */
function entryOf(name: string, tree: Tree | string): unknown {
  if (typeof tree === "string")
    return { name, isDirectory: false, file: (done: (file: File) => void) => done(new File([tree], name)) };
  return {
    name,
    isDirectory: true,
    createReader() {
      const left = Object.entries(tree).map(([name, below]) => entryOf(name, below));
      return { readEntries: (done: (some: unknown[]) => void) => done(left.splice(0, 2)) };
    },
  };
}
const drop = (tree: Tree) =>
  droppedFiles({
    items: Object.entries(tree).map(([name, below]) => ({ webkitGetAsEntry: () => entryOf(name, below) })),
  } as unknown as DataTransfer);

test("a folder that was dropped gives the files at its top", async () => {
  const model = {
    "config.json": "{}",
    "model.safetensors": "",
    "tokenizer.json": "",
    onnx: { "config.json": "" },
  };
  const { name, files } = (await drop({ small: model }))!;
  expect([name, ...names(files)]).toEqual(["small", "config.json", "model.safetensors", "tokenizer.json"]);
});

test("files that were dropped belong together", async () => {
  const { name, files } = (await drop({ "config.json": "{}", "model.safetensors": "" }))!;
  expect([name, ...names(files)]).toEqual(["2 files", "config.json", "model.safetensors"]);
  expect((await drop({ "a.gguf": "" }))!.name).toBe("a.gguf");
});

test("a text that was dropped is no file", async () => {
  const text = { items: [{ webkitGetAsEntry: () => null }] } as unknown as DataTransfer;
  expect(await droppedFiles(text)).toBeUndefined();
});
