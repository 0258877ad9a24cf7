// Mutants of the command: units, chat formats, checksums, valid values of flags.
export const near = ["src/run.test.ts", "src/commands/cost.test.ts", "src/commands/train.test.ts"];

export const mutants = [
  {
    what: "a paged cache has a page too few for a context",
    file: "src/cache-option.ts",
    find: "Math.ceil($length / $pageLength)",
    replace: "Math.floor($length / $pageLength)",
  },
  {
    what: "a rolling cache without a window keeps one page",
    file: "src/cache-option.ts",
    find: "$windowSize ?? $model.contextLength",
    replace: "$windowSize ?? pageLength",
  },
  {
    what: "ChatML ends a message without a new line",
    file: "src/chat-format.ts",
    near: ["src/models.test.ts"],
    find: 'endOfMessage: "<|im_end|>\\n"',
    replace: 'endOfMessage: "<|im_end|>"',
  },
  {
    what: "Llama 3's header stands right before the message",
    file: "src/chat-format.ts",
    near: ["src/models.test.ts"],
    find: "`<|start_header_id|>user<|end_header_id|>\\n\\n${$text}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\\n\\n`",
    replace:
      "`<|start_header_id|>user<|end_header_id|>${$text}<|eot_id|><|start_header_id|>assistant<|end_header_id|>`",
  },
  {
    what: "git's checksum begins without the size",
    file: "src/checksum.ts",
    near: ["src/fetch-file.test.ts"],
    find: "$hash.update(`blob ${$size}\\0`)",
    replace: '$hash.update("blob\\0")',
  },
  {
    what: "a digest of 64 digits is read as SHA-1",
    file: "src/checksum.ts",
    near: ["src/fetch-file.test.ts"],
    find: '$digest.length === 64 ? "sha256" : "git-sha1"',
    replace: '$digest.length === 40 ? "sha256" : "git-sha1"',
  },
  {
    what: "a sparkline is upside down",
    file: "src/sparkline.ts",
    find: "($mean - $low) / ($high - $low)",
    replace: "($high - $mean) / ($high - $low)",
  },
  {
    what: "characters are ordered by UTF-16 units",
    file: "src/character-tokenizer.ts",
    find: "$a.codePointAt(0)! - $b.codePointAt(0)!",
    replace: "$a.charCodeAt(0) - $b.charCodeAt(0)",
  },
  {
    what: "a top-p of 1 is refused",
    file: "src/sampling-options.ts",
    in: "topP",
    find: "$value > 0 && $value <= 1",
    replace: "$value > 0 && $value < 1",
  },
  {
    what: "a temperature of 0 is refused",
    file: "src/sampling-options.ts",
    in: "temperature",
    find: "$value >= 0",
    replace: "$value > 0",
  },
  {
    what: "the validation text is the beginning, not the end",
    file: "src/training-run.ts",
    find: "$text.length * (1 - $recipe.heldBack)",
    replace: "$text.length * $recipe.heldBack",
  },
  {
    what: "a vocabulary is as large as its highest id",
    file: "src/training-run.ts",
    in: "sizeOfVocabulary",
    find: "1 + $highest",
    replace: "$highest",
  },
  {
    what: "kB are powers of 1024",
    file: "src/commands/cost.ts",
    in: "scaled",
    find: "$value / 1000 ** $power",
    replace: "$value / 1024 ** $power",
  },
  {
    what: "milliseconds are printed as seconds",
    file: "src/commands/cost.ts",
    in: "time",
    find: "$ms / 1000",
    replace: "$ms",
  },
  {
    what: "URLs that differ in their query share a file",
    file: "src/cache-path.ts",
    find: '$plain === $path && $url.search === "" && $rest',
    replace: "$plain === $path && $rest",
  },
  {
    what: "the seconds after the minutes are not modulo 60",
    file: "src/duration.ts",
    find: "$whole % 60",
    replace: "$whole % 100",
  },
];
