import { expect, test } from "vitest";
import { droppedFiles } from "./file-intake.js";

// Node leaves the path of a file out.
const file = (name: string) => Object.assign(new File([name], name), { webkitRelativePath: "" });
type Node = { [name: string]: Node | null };

/** An entry as a browser gives it: a folder lists its children two at a time. */
function entry(name: string, node: Node | null): FileSystemEntry {
  if (node === null)
    return {
      name,
      isFile: true,
      isDirectory: false,
      file: (give: (file: File) => void) => give(file(name)),
    } as never;
  const left = Object.entries(node).map(([name, child]) => entry(name, child));
  const createReader = () => ({
    readEntries: (give: (entries: FileSystemEntry[]) => void) => give(left.splice(0, 2)),
  });
  return { name, isFile: false, isDirectory: true, createReader } as never;
}
const drop = (entries: FileSystemEntry[], files: File[] = []) =>
  ({ items: entries.map((each) => ({ webkitGetAsEntry: () => each })), files }) as unknown as DataTransfer;
const droppedNames = async (transfer: DataTransfer) => {
  const { files, name } = await droppedFiles(transfer);
  return { name, files: files.map((each) => each.name).sort() };
};

test("all files of a dropped folder are read, also in nested folders, with the name of the folder", async () => {
  const folder = entry("SmolLM", {
    "config.json": null,
    "a.txt": null,
    "b.txt": null,
    onnx: { "model.onnx": null },
  });
  expect(await droppedNames(drop([folder]))).toEqual({
    name: "SmolLM",
    files: ["a.txt", "b.txt", "config.json", "model.onnx"],
  });
});

test("single files are read, also in a browser without entries", async () => {
  expect(await droppedNames(drop([entry("a", null), entry("b", null)]))).toEqual({
    name: "your model",
    files: ["a", "b"],
  });
  expect(await droppedNames(drop([], [file("model.gguf")]))).toEqual({
    name: "model.gguf",
    files: ["model.gguf"],
  });
});

test("a folder of very many files is refused", async () => {
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`f${i}`, null]));
  await expect(droppedFiles(drop([entry("photos", many)]))).rejects.toThrow(
    /More than 1000 files: drop the folder of one model/,
  );
});
