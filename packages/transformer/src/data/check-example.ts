import { isList, type Checks } from "@qkv/core";
import type { TrainingExample } from "./training-example.js";

/** Refuses what is no example. `name`: its place, for the message. */
export function checkExample(
  check: Checks,
  name: string,
  example: unknown,
): asserts example is TrainingExample {
  const { ids, targets } = (example ?? {}) as Partial<TrainingExample>;
  const fix = "make it with `textExample(ids)` or `answerExample(messages, { … })`.";
  const isExample = () => isList(ids) && isList(targets) && ids.length === targets.length;
  check.each({ [name]: example }, isExample, "an example, with as many `targets` as `ids`", fix);
}
