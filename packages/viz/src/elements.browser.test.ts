import { beforeEach, expect, test } from "vitest";
import { defineElements, type PictureElement } from "./elements.js";
import { pngFile, svgFile } from "./readable-picture.js";

const weights = { data: [1, 0, 0.25, 0.75], shape: [2, 2] };
let element: PictureElement<"qkv-attention-map">;
const press = (key: string) =>
  element
    .querySelector("[role=group]")!
    .dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const reading = () => element.querySelector("[aria-live]")!.textContent;

beforeEach(() => {
  defineElements();
  defineElements(); // a second call changes nothing
  document.body.innerHTML = "<qkv-attention-map></qkv-attention-map>";
  element = document.querySelector("qkv-attention-map")!;
  element.draw(weights, { rowLabels: ["a", "b"], columnLabels: ["a", "b"] });
});

test("arrow keys read the numbers, along rows and down columns, and stop at the edges", () => {
  press("ArrowRight");
  expect(reading()).toBe("query “a”, key “a”: 1");
  press("ArrowRight");
  expect(reading()).toBe("query “a”, key “b”: masked");
  press("ArrowDown");
  expect(reading()).toBe("query “b”, key “b”: 0.75");
  press("ArrowDown");
  expect(reading()).toBe("query “b”, key “b”: 0.75");
  press("ArrowLeft");
  expect(reading()).toBe("query “b”, key “a”: 0.25");
});

test("the table has every number, and goes again", () => {
  const button = [...element.querySelectorAll("button")].find(({ textContent }) => textContent === "Table")!;
  button.click();
  expect([...element.querySelectorAll("td")].map(({ textContent }) => textContent)).toEqual([
    "1",
    "masked",
    "0.25",
    "0.75",
  ]);
  button.click();
  expect(element.querySelector("table")!.checkVisibility()).toBe(false);
});

test("drawing again leaves one picture and one set of tools", () => {
  element.draw({ data: [1], shape: [1, 1] });
  expect(element.querySelectorAll("svg").length).toBe(1);
  expect(element.querySelectorAll("[data-qkv-tools]").length).toBe(1);
});

test("an attribute draws too, and a picture that stands there already becomes readable", () => {
  document.body.innerHTML = `<qkv-bars args='[{"data":[64,8],"shape":[2]},{"labels":["MHA","MQA"],"unit":"MB"}]'></qkv-bars>`;
  const svg = document.querySelector("qkv-bars svg")!.outerHTML;
  expect(svg).toContain("MQA: 8 MB");
  document.body.innerHTML = `<qkv-picture>${svg}</qkv-picture>`;
  expect(document.querySelector("qkv-picture [role=group]")).not.toBeNull();
});

test("a saved picture has the colors of the page, as text and as pixels", async () => {
  document.documentElement.setAttribute("data-theme", "dark");
  const svg = element.querySelector<SVGSVGElement>("svg")!;
  const text = await svgFile(svg).text();
  expect(text).toContain('fill="rgb(22, 21, 28)"');
  expect(text).not.toContain("<style");
  const bitmap = await createImageBitmap(await pngFile(svg));
  expect([bitmap.width, bitmap.height]).toEqual([
    2 * svg.viewBox.baseVal.width,
    2 * svg.viewBox.baseVal.height,
  ]);
  document.documentElement.removeAttribute("data-theme");
});
