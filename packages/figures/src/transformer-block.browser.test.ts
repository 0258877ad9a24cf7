import { modelTiny } from "@qkv/model-tiny";
import { randomDecoder } from "@qkv/test-support/random-decoder";
import { load } from "@qkv/transformer";
import { exportModel, memoryFolder } from "@qkv/transformer/export";
import { afterEach, expect, test } from "vitest";
import { defineTransformerBlock, type TransformerBlockElement } from "./transformer-block.js";

defineTransformerBlock();
afterEach(() => document.body.replaceChildren());

async function place(state = ""): Promise<TransformerBlockElement> {
  document.body.innerHTML = `<qkv-transformer-block state="${state}" style="display:block;width:1000px"></qkv-transformer-block>`;
  const host = document.querySelector<TransformerBlockElement>("qkv-transformer-block")!;
  await expect.poll(() => host.querySelectorAll("[data-cell]").length).toBeGreaterThan(20);
  return host;
}
const title = (host: HTMLElement) => host.querySelector(".qkv-figure-title")!.textContent;
const cell = (host: HTMLElement, address: string) =>
  host.querySelector<SVGElement>(`[data-cell="${address}"]`);
const click = (target: Element | null) => target!.dispatchEvent(new MouseEvent("click", { bubbles: true }));
const words = (host: HTMLElement) => host.querySelector(".qkv-figure-intake p")!.textContent;

function drop(host: HTMLElement, files: readonly File[]): void {
  const dataTransfer = new DataTransfer();
  for (const file of files) dataTransfer.items.add(file);
  host.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}

test("opens on the whole model; a click opens a block, a part and a head in place, and a breadcrumb leads back", async () => {
  const host = await place();
  expect(title(host)).toMatch(/after “the” comes “hill”/);
  click(cell(host, "block:1"));
  await expect.poll(() => title(host)).toBe("All of block 1");
  click(cell(host, "open:heads:1"));
  await expect.poll(() => host.state).toContain("step=heads");
  click(cell(host, "head:2"));
  await expect.poll(() => title(host)).toBe("Head 2: one attention call");
  click(cell(host, "zoom:model"));
  await expect.poll(() => title(host)).toMatch(/comes “hill”/);
});

test("removing a part runs the model again, shows the change of the next token, and is part of the permalink", async () => {
  const host = await place();
  click(cell(host, "remove:mlp-0"));
  await expect.poll(() => title(host)).toMatch(/“hill” goes from 52\.3% to/);
  expect(host.state).toBe("removed=mlp-0");
  click(cell(host, "remove:mlp-0"));
  await expect.poll(() => host.state).toBe("");
  const again = await place("removed=mlp-0&amp;step=block");
  await expect.poll(() => again.state).toContain("removed=mlp-0");
});

test("a dropped model folder is drawn, and the figure's own model comes back", async () => {
  const host = await place();
  const files = await modelTiny();
  const model = randomDecoder("gpt2", (await load(files)).tokenizer!);
  const out = memoryFolder();
  await exportModel(model, { to: "hf", out });
  const tokenizer = files.filter(({ name }) => /^tokenizer/.test(name)) as File[];
  drop(host, [...(out.files as File[]).filter(({ name }) => !/^tokenizer/.test(name)), ...tokenizer]);
  await expect.poll(() => words(host)).toMatch(/^Drawn: your model/);
  expect(host.textContent).toContain("Layer norm");
  expect(cell(host, "block:1")).not.toBeNull();
  expect(cell(host, "block:2")).toBeNull();
  click(
    [...host.querySelectorAll("button")].find(
      ({ textContent }) => textContent === "Back to our small model",
    )!,
  );
  await expect.poll(() => cell(host, "block:3")).not.toBeNull();
});

test("files that are no model are refused with a message, and the picture stays", async () => {
  const host = await place();
  drop(host, [new File(["not a model"], "cat.jpg")]);
  await expect.poll(() => words(host)).toMatch(/^cat\.jpg was not drawn.*config\.json/s);
  expect(host.querySelector(".qkv-figure-intake p")!.getAttribute("role")).toBe("alert");
  expect(title(host)).toMatch(/comes “hill”/);
});

test("folders and files can also be chosen with buttons", async () => {
  const host = await place();
  const inputs = [...host.querySelectorAll<HTMLInputElement>(".qkv-figure-intake input")];
  expect(inputs.map(({ type, webkitdirectory, multiple }) => [type, webkitdirectory, multiple])).toEqual([
    ["file", true, true],
    ["file", false, true],
  ]);
  const transfer = new DataTransfer();
  transfer.items.add(new File(["{}"], "config.json"));
  inputs[1]!.files = transfer.files;
  inputs[1]!.dispatchEvent(new Event("change"));
  await expect
    .poll(() => host.querySelector(".qkv-figure-intake")!.getAttribute("data-state"))
    .toBe("refused");
});
