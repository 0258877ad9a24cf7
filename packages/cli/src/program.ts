import { Command } from "commander";
import { addCost } from "./commands/cost.js";
import { addGenerate } from "./commands/generate.js";
import { addTokenize } from "./commands/tokenize.js";
import { addTrain } from "./commands/train.js";
import { addTrainTokenizer } from "./commands/train-tokenizer.js";
import { addBench } from "./commands/bench.js";
import { addCheckGpu } from "./commands/check-gpu.js";
import { addChat } from "./commands/chat.js";
import { addCheckpoints } from "./commands/checkpoints.js";
import { addEmbed } from "./commands/embed.js";
import { addEval } from "./commands/eval.js";
import { addExport } from "./commands/export.js";
import { addFinetune } from "./commands/finetune.js";
import { addInspect } from "./commands/inspect.js";
import { addLens } from "./commands/lens.js";
import { addVerify } from "./commands/verify.js";
import type { Io } from "./io.js";

declare const __VERSION__: string;

/** Creates the command line with all commands. It writes to `io`, and throws instead of exiting. */
export function createProgram(io: Io): Command {
  const program = new Command("qkv")
    .description("Run, train, inspect and convert language models in a terminal.")
    .version(__VERSION__)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
    })
    .showHelpAfterError("Fix: add --help to see the options of the command.");
  addGenerate(program, io);
  addCost(program, io);
  addTrain(program, io);
  addFinetune(program, io);
  addTokenize(program, io);
  addTrainTokenizer(program, io);
  addBench(program, io);
  addChat(program, io);
  addEmbed(program, io);
  addEval(program, io);
  addInspect(program, io);
  addLens(program, io);
  addCheckpoints(program, io);
  addVerify(program, io);
  addExport(program, io);
  addCheckGpu(program, io);
  return program;
}
