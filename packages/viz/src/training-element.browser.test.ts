import { expect, test } from "vitest";
import { defineElements, followTraining, type PictureElement } from "./elements.js";

function opened(): PictureElement<"qkv-training"> {
  defineElements();
  document.body.innerHTML = "<qkv-training></qkv-training>";
  return document.querySelector<PictureElement<"qkv-training">>("qkv-training")!;
}

async function* steps(count: number) {
  for (let step = 1; step <= count; step++) {
    yield { step, loss: 4 / step, timeMs: 10, evaluation: step % 2 === 0 ? 5 / step : undefined };
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const button = (element: HTMLElement, text: string) =>
  [...element.querySelectorAll("button")].find(({ textContent }) => textContent === text)!;

test("a run is drawn while it runs, its reports are yielded, and the end is drawn completely", async () => {
  const element = opened();
  const options = { tokensPerStep: 100, learningRate: (step: number) => 0.1 / (step + 1) };
  const seen: number[] = [];
  for await (const { step } of followTraining(element, steps(5), options)) {
    seen.push(step);
    if (step === 1) expect(element.querySelectorAll("circle").length).toBe(1);
  }
  expect(seen).toEqual([1, 2, 3, 4, 5]);
  expect(element.querySelectorAll("circle").length).toBe(7);
  expect(element.querySelector("p")!.textContent).toBe(
    "step 5: loss 0.8000, held-back 1.2500, learning rate 0.0200, 10,000 tokens/s",
  );
});

test("quantities are chosen by buttons, and arrow keys read the numbers", async () => {
  const element = opened();
  for await (const _ of followTraining(element, steps(3), { learningRate: 0.5 })) void _;
  button(element, "Learning rate").click();
  expect(button(element, "Learning rate").getAttribute("aria-pressed")).toBe("true");
  expect(document.activeElement).toBe(button(element, "Learning rate"));
  const frame = element.querySelector("[role=group]")!;
  frame.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true, cancelable: true }));
  expect(element.querySelector("[aria-live]")!.textContent).toBe("learning rate, step 1: 0.5");
  element.draw([{ step: 1, loss: 2 }]);
  expect(button(element, "Learning rate")).toBeUndefined();
});

test("the run is saved as CSV", async () => {
  const element = opened();
  element.draw([{ step: 1, loss: 2, evaluation: 3 }]);
  const saved: { name: string; blob: Promise<Blob> }[] = [];
  const click = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = function (this: HTMLAnchorElement) {
    saved.push({ name: this.download, blob: fetch(this.href).then((response) => response.blob()) });
  };
  button(element, "CSV").click();
  HTMLAnchorElement.prototype.click = click;
  expect(saved[0]!.name).toBe("training.csv");
  expect(await (await saved[0]!.blob).text()).toBe("step,loss,heldBackLoss\n1,2,3\n");
});

test("the curve is not redrawn while it has the keyboard focus, except at the end", async () => {
  const element = opened();
  element.draw([{ step: 1, loss: 2 }]);
  const frame = element.querySelector<HTMLElement>("[role=group]")!;
  frame.focus();
  for await (const { step } of followTraining(element, steps(2))) {
    if (step === 1) expect(element.querySelector("[role=group]")).toBe(frame);
  }
  expect(element.querySelectorAll("circle").length).toBe(3);
});
