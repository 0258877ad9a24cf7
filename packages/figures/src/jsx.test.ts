import { createElement, type JSX } from "react";
import { expect, expectTypeOf, test } from "vitest";
import type { LinkedMatricesElement } from "./linked-matrices.js";
import "./jsx.js";

test("the elements of figures have types in JSX, with their models and attributes", () => {
  type Props = JSX.IntrinsicElements["qkv-linked-matrices"];
  expectTypeOf<NonNullable<Props["model"]>>().toEqualTypeOf<NonNullable<LinkedMatricesElement["model"]>>();
  const props: JSX.IntrinsicElements["qkv-attention-call"] = {
    ...{ text: "The cat sat", state: "head=6", className: "wide" },
    onstatechange: ({ type }) => expect(type).toBe("statechange"),
  };
  expect(createElement("qkv-attention-call", props).props).toEqual(props);
  // @ts-expect-error -- no attribute of this figure
  const wrong: JSX.IntrinsicElements["qkv-evolution"] = { text: "The cat sat" };
  expect(wrong).toEqual({ text: "The cat sat" });
});
