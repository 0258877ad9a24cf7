import type { Step } from "../figure.js";
import type { HeadConstructionsChoices, HeadConstructionsModel } from "./model.js";
import { millions } from "./parameter-areas.js";

/** A largest difference in words. */
export function differenceText(value: number): string {
  if (value === 0) return "0";
  return value < 1e-4 ? "0, up to rounding" : value.toFixed(2);
}

export function steps(
  { embedDim: C, numHeads: H, headDim: D, constructions, tokens, large }: HeadConstructionsModel,
  { projection, token }: HeadConstructionsChoices,
): Step[] {
  const [, perHead, splitInput, summed] = constructions;
  const difference = splitInput!.maxDifference;
  const heads = H === 1 ? "1 head" : `${H} heads`;
  return [
    {
      id: "input",
      chapter: "Input",
      title: `One token, ${C} numbers`,
      text: `“${tokens[token]!}” is a vector of ${C} numbers. A layer with ${heads} gives each head a ${projection} of ${D}. Which numbers does a head read? There are four ways to build it.`,
      milliseconds: 1400,
    },
    {
      id: "project",
      chapter: "Project",
      title: `Project to the ${projection}`,
      text: `Each number of the ${projection} is the dot product of x with a column of the matrix above it. Where the input is split first, a head reads ${D} of the ${C} numbers: the hatched weights are 0.`,
      milliseconds: 4200,
    },
    {
      id: "split",
      chapter: "Heads",
      title: H === 1 ? "One head: the same numbers" : "Three give the same numbers, one does not",
      text: `Splitting the result and using one matrix per head give the same numbers: difference ${differenceText(perHead!.maxDifference[projection])}. A matrix per head is a block of columns of the large one. Split the input first, and ${H === 1 ? "nothing changes with a single head" : `the ${projection} differs by up to ${differenceText(difference[projection])} (outlined)`}.`,
      milliseconds: 2600,
    },
    {
      id: "attend",
      chapter: "Attend",
      title: "Each head attends for itself",
      text: `A head compares its query with its keys, and mixes its values: ${tokens.length} weights a head, and a result of ${D} numbers. Full-size heads mix values of ${C} numbers.`,
      milliseconds: 2400,
    },
    {
      id: "write",
      chapter: "Output",
      title: "Each head has its own columns of the output matrix",
      text: `Head h meets only its own ${D} columns of WO, and so writes a vector of ${C} numbers. Full-size heads have WV and WO in one matrix, and need no other.`,
      milliseconds: 2600,
    },
    {
      id: "add",
      chapter: "Output",
      title: "The layer is the sum of what its heads write",
      text: `Concatenating the results and multiplying by WO is this sum. Full-size heads give the same output: difference ${differenceText(summed!.maxDifference.result)}. Split input: ${differenceText(difference.result)}.`,
      milliseconds: 2400,
      source: {
        text: "“A Mathematical Framework for Transformer Circuits” (2021)",
        url: "https://transformer-circuits.pub/2021/framework/index.html",
      },
    },
    {
      id: "compare",
      chapter: "Compare",
      title: "A head is a slice of the weights, not of the input",
      text: `With ${large.numHeads} heads at width ${large.embedDim}: ${millions(large.parameters.fused)} parameters however the matrix is split, ${millions(large.parameters.summed)} with full-size heads. Splitting the input saves parameters, since a head no longer sees the whole token.`,
      milliseconds: 2000,
      source: {
        text: "“Attention Is All You Need” (2017), section 3.2.2",
        url: "https://arxiv.org/abs/1706.03762",
      },
    },
  ];
}
