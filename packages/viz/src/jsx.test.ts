import { createElement, type JSX } from "react";
import { expect, expectTypeOf, test } from "vitest";
import type { PictureElement } from "./elements.js";
import "./jsx.js";

test("the elements of pictures have types in JSX, with the arguments of their functions", () => {
  type Props = JSX.IntrinsicElements["qkv-head-grid"];
  expectTypeOf<NonNullable<Props["args"]>>().toEqualTypeOf<
    NonNullable<PictureElement<"qkv-head-grid">["args"]>
  >();
  const weights = { data: [1, 0, 0.25, 0.75], shape: [1, 1, 2, 2] };
  const props: Props = { args: [weights, { title: "Heads" }], className: "wide" };
  expect(createElement("qkv-head-grid", props).props).toEqual(props);
  // @ts-expect-error -- the arguments are a list
  const wrong: Props = { args: weights };
  expect(wrong.args).toBe(weights);
});

test("an element takes `src`, and elements with cells take a listener", () => {
  const props: JSX.IntrinsicElements["qkv-patching"] = {
    src: "patching.safetensors",
    oncellselect: ({ detail }) => detail.row,
  };
  expect(createElement("qkv-patching", props).props).toEqual(props);
});
