import type { Step } from "../figure.js";
import { headName, shownToken, headWeights, type GenerationChoices, type GenerationModel } from "./model.js";
import { keptSum, percentTexts } from "./candidate-percents.js";
import { percent, weightTexts } from "../percents.js";

/** Phases of one token. */
export const phases = ["read", "predict", "temperature", "top-p", "draw"] as const;
export type Phase = (typeof phases)[number];

/** Index of the token that is generated, its phase, and the progress of all phases, from 0 to 1. */
export type Stage = { token: number; phase: Phase } & Record<Phase, number>;

/** The stage at a step and its progress. */
export function stageAt(step: number, progress: number): Stage {
  const [token, index] = [Math.floor(step / phases.length), step % phases.length];
  const part = (phase: Phase) => {
    const at = phases.indexOf(phase);
    return at < index ? 1 : at === index ? progress : 0;
  };
  return {
    token,
    phase: phases[index]!,
    read: part("read"),
    predict: part("predict"),
    temperature: part("temperature"),
    "top-p": part("top-p"),
    draw: part("draw"),
  };
}

/** Id of a step. */
export const stepId = (token: number, phase: Phase): string => `${phase}-${token}`;

const quoted = (token: string) => `“${shownToken(token)}”`;
const plural = (count: number, word: string) => `${count} ${word}${count === 1 ? "" : "s"}`;

/** The prompt is read, then each token is predicted, sampled and read. */
export function steps(model: GenerationModel, choices: GenerationChoices): Step[] {
  return model.generated.flatMap((_, token) =>
    phases.map((phase) => ({
      id: stepId(token, phase),
      chapter: token === 0 && phase === "read" ? "Prompt" : shownToken(model.generated[token]!.text),
      ...stepTexts[phase](model, choices, token),
      milliseconds: token === 0 ? 2400 : token === 1 ? 1300 : 650,
    })),
  );
}

type StepText = { title: string; text: string };
type StepTextFunction = (model: GenerationModel, choices: GenerationChoices, token: number) => StepText;

const stepTexts: Record<Phase, StepTextFunction> = {
  read(model, { head }, token) {
    const { prompt, generated } = model;
    const now = generated[token]!;
    const text = [...prompt, ...generated.slice(0, token).map(({ text }) => text)];
    const weights = headWeights(now, head);
    const strongest = weights.indexOf(Math.max(...weights));
    const looks = `${quoted(text.at(-1)!)} attends most to ${quoted(text[strongest]!)}: ${weightTexts(weights)[strongest]!} in ${head < 0 ? "the mean of all heads" : headName(model, head)}.`;
    if (token === 0)
      return {
        title: `Prefill: ${plural(prompt.length, "token")} of the prompt at once`,
        text: `One forward pass writes a key and a value of each token into the cache, in each of ${model.numLayers} layers. ${looks}`,
      };
    const before = generated[token - 1]!;
    if (now.pass === before.pass)
      return {
        title: `${quoted(before.text)} was in the draft: already computed`,
        text: `Its keys and values, and its weights, come from the same pass that verified it. No pass of its own is needed. ${looks}`,
      };
    const draft = now.draft.length > 0 ? `, with ${plural(now.draft.length, "draft token")} after it,` : "";
    return {
      title: `Decode: read ${quoted(before.text)} alone`,
      text: `The new token${draft} goes through the model and adds its column to the cache; all columns before it are reused. ${looks}`,
    };
  },
  predict(model, _, token) {
    const [first, second] = model.generated[token]!.candidates;
    const list = percentTexts(model.generated[token]!).model;
    const cached = cacheEffect(model, token);
    return {
      title: "What comes next?",
      text: `The model gives each of its ${model.vocabSize.toLocaleString("en-US")} tokens a probability. The likeliest: ${quoted(first!.text)} with ${list[0]!}, then ${quoted(second!.text)} with ${list[1]!}.${cached}`,
    };
  },
  temperature(model, _, token) {
    const { temperature } = model;
    const [first] = model.generated[token]!.candidates;
    const list = percentTexts(model.generated[token]!);
    const change = `${quoted(first!.text)} goes from ${list.model[0]!} to ${list.tempered[0]!}.`;
    const text =
      temperature === 0
        ? "Temperature 0 always takes the likeliest token: nothing is left to chance."
        : temperature === 1
          ? "Temperature 1 leaves the probabilities as the model gave them. Lower it to make the likely likelier."
          : `The logits are divided by ${temperature} before softmax: ${temperature < 1 ? "below 1, the likely become likelier" : "above 1, the unlikely get a better chance"}. ${change}`;
    return { title: `Temperature ${temperature}`, text };
  },
  "top-p"(model, _, token) {
    const { topP, vocabSize } = model;
    const now = model.generated[token]!;
    const { candidates, others } = now;
    const keptCandidates = candidates.filter((one) => one.kept > 0);
    const count = keptCandidates.length + others.keptCount;
    if (topP >= 1)
      return {
        title: "Top-p 1: nothing is cut",
        text: "Every token keeps its probability, however small, and the draw goes through them in the order of the vocabulary. Lower top-p to cut the tail.",
      };
    return {
      title: `Top-p ${topP}: ${plural(count, "token")} of ${vocabSize.toLocaleString("en-US")} ${count === 1 ? "stays" : "stay"}`,
      text: `The likeliest tokens that together reach ${topP} stay, the rest is cut. What stays is divided by its sum, ${keptSum(now).toFixed(3)}, and adds up to 1 again.`,
    };
  },
  draw(model, _, token) {
    const { candidates, taken, draw, pinned, ends, draft } = model.generated[token]!;
    const selected = candidates[taken]!;
    const then = outcome();
    const fork = "Press another bar and the text forks there.";
    if (pinned)
      return {
        title: `You took ${quoted(selected.text)}`,
        text: `${selected.kept > 0 ? `Its chance was ${percentTexts(model.generated[token]!).kept[taken]!}.` : "Sampling would never have drawn it: top-p had cut it."} ${then} ${fork}`,
      };
    if (draw === undefined)
      return {
        title: `${quoted(selected.text)} is taken`,
        text: `Without chance, the likeliest token is taken. ${then} ${fork}`,
      };
    return {
      title: `Draw: ${draw.toFixed(3)} falls on ${quoted(selected.text)}`,
      text: `Seed ${model.seed} draws ${draw.toFixed(3)}; ${quoted(selected.text)} covers ${selected.from.toFixed(3)} to ${selected.to.toFixed(3)}. ${then} ${fork}`,
    };

    /** Sentence about the selected token, compared with the draft. */
    function outcome(): string {
      if (ends) return "It ends the text.";
      if (draft.length === 0)
        return `${quoted(selected.text)} is appended to the text. It is not in the cache until it is read.`;
      if (draft[0] === selected.text) return "The draft said the same: accepted, and already in the cache.";
      return `The draft said ${quoted(draft[0]!)}: rejected, and removed from the cache.`;
    }
  },
};

/** Sentence about the largest change of a probability by a rolling or quantized cache. */
function cacheEffect({ cache, generated }: GenerationModel, token: number): string {
  const { candidates } = generated[token]!;
  const changes = candidates.map(({ probability, exact = probability }) => Math.abs(probability - exact));
  const mostChanged = changes.indexOf(Math.max(...changes));
  const { text, exact } = candidates[mostChanged]!;
  if (exact === undefined) return "";
  const why = cache === "rolling" ? "With every token in the cache" : "With the cache in float32";
  return ` ${why}, ${quoted(text)} would have ${percent(exact)} instead of ${percentTexts(generated[token]!).model[mostChanged]!}.`;
}
