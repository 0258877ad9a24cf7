import { isList, type Checks } from "@qkv/core";
import type { TrainingExample } from "./training-example.js";

/** Refuses a value that is not an example. `name`: its path in errors. */
export function checkExample(
  check: Checks,
  name: string,
  example: unknown,
): asserts example is TrainingExample {
  const { ids, targets } = (example ?? {}) as Partial<TrainingExample>;
  const fix = "make it with `textExample(ids)` or `answerExample(messages, { … })`.";
  const isExample = () => isList(ids) && isList(targets) && ids.length === targets.length;
  check.each({ [name]: example }, isExample, "an example, with as many `targets` as `ids`", fix);
  check.list({ [`${name}.ids`]: ids }, "token ids", isTokenId, fix);
  check.list({ [`${name}.targets`]: targets }, "token ids, or -100 where nothing is learned", isTarget, fix);
}

/** True for an id that fits int32. */
export const isTokenId = (id: unknown): boolean =>
  Number.isInteger(id) && Number(id) >= 0 && Number(id) < 2 ** 31;

const isTarget = (target: unknown): boolean => target === -100 || isTokenId(target);
