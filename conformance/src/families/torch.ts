import type { Source } from "../case.js";
import { brokenCase, skippedCase } from "../case.js";
import { namesIn, readCases, stemOf } from "../data-files.js";
import { outputsOf } from "../outputs.js";

const reason = "gradients arrive with the tensor work";

/** `torch/*.json`: PyTorch's modules and functions with their gradients. The family is the file's stem. */
export function torch(dataDir: string): Source[] {
  return namesIn(dataDir, "torch", ".json").map((name) => ({
    family: stemOf(name),
    file: `torch/${name}`,
    cases: readCases(dataDir, `torch/${name}`, ({ name, value }) =>
      outputsOf(value).length === 0 ? brokenCase(name, "has no outputs") : skippedCase(name, reason),
    ),
    notYet: reason,
  }));
}
