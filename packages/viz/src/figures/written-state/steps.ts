import { fixed } from "../fixed.js";
import type { Step } from "../figure.js";
import type { WrittenStateChoices, WrittenStateModel, WrittenToken } from "./model.js";

/** A step for each token. */
export function steps({ tokens, channels }: WrittenStateModel, choices: WrittenStateChoices): Step[] {
  return tokens.map((token, t) => {
    const [thing = ""] = token.text.split(/[:?]/);
    return {
      id: `token-${t + 1}`,
      chapter: token.isQuery ? "Read" : "Write",
      title: token.isQuery ? `What is the ${thing}?` : `Store: the ${thing} is ${token.text.split(":")[1]!}`,
      text: (token.isQuery ? readText : writeText)(token, channels, choices),
      milliseconds: token.isQuery ? 2400 : 4800,
    };
  });
}

function writeText({ held }: WrittenToken, channels: readonly string[], { rule, beta }: WrittenStateChoices) {
  if (rule === "add") return "The value is added to the state along the key. What was there stays.";
  const before = mixtureText(held, channels);
  return (
    `Under this key the state holds ${before}. ` +
    (beta === 1
      ? "That is taken away and the value put in its place, along the key."
      : `${Math.round(100 * beta)}% of the difference to the new value is added, along the key.`)
  );
}

function readText({ output }: WrittenToken, channels: readonly string[]) {
  return `The query reads ${mixtureText(output, channels)}: each row of the state times the query's number for it, added up. The row of the map says which tokens that came from.`;
}

/** As "red 1.00, blue −0.38". */
export function mixtureText(values: readonly number[], channels: readonly string[]): string {
  const parts = values.flatMap((value, v) =>
    Math.abs(value) < 0.005 ? [] : [`${channels[v]!} ${fixed(value, 2)}`],
  );
  return parts.length === 0 ? "nothing" : parts.join(", ");
}
