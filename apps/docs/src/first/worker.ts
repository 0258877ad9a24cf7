// The model of the first page, in a worker: the page stays free while it reads.
import { attentionCallModel, type AttentionCallModel, type AttentionCallOptions } from "@qkv/figures";
import { decoder, type Model } from "@qkv/transformer";
import { headAt, idsOf, lookAt, withKvHeads, type HeadDetail, type Look } from "./look";
import { firstModel } from "./model";

export type Question =
  | { type: "look"; text: string; kvHeads?: number | undefined }
  | { type: "head"; text: string; kvHeads?: number | undefined; layer: number; head: number; query: number }
  | ({ type: "call"; text: string; kvHeads?: number | undefined } & AttentionCallOptions);
export type Answer = { look: Look; timeMs: number; drift: number } | HeadDetail | AttentionCallModel;
export type Asked = { id: number; question: Question };
export type Answered = { id: number; answer?: Answer; error?: string };

const models = new Map<number | undefined, Promise<Model>>();

/** The model with this many key-value heads; its own number where none is given. */
function modelWith(kvHeads?: number): Promise<Model> {
  const known = models.get(kvHeads);
  if (known) return known;
  const made =
    kvHeads === undefined
      ? firstModel()
      : modelWith().then((own) => {
          const other = withKvHeads(own, kvHeads);
          return other === own ? own : { ...other, apply: decoder(other.config).apply };
        });
  models.set(kvHeads, made);
  return made;
}

async function answer(question: Question): Promise<Answer> {
  const model = await modelWith(question.kvHeads);
  if (question.type === "head") {
    return headAt(model, model.apply, idsOf(model, question.text), question);
  }
  if (question.type === "call") {
    const { text, head, mask, temperature } = question;
    return attentionCallModel(model, text, { head, mask, temperature } as AttentionCallOptions);
  }
  const start = performance.now();
  const look = await lookAt(model, model.apply, question.text);
  const timeMs = performance.now() - start;
  return { look, timeMs, drift: await driftOf(question.text, model) };
}

/** Distance of the chances of the next token from those of the model as it was trained: 0 the same, 1 nothing in common. */
async function driftOf(text: string, model: Model): Promise<number> {
  const own = await modelWith();
  if (own === model) return 0;
  const chances = async ({ params, apply }: Model) => {
    const logits = Array.from(await apply(params, idsOf(own, text), { last: 1 }).read(), Number);
    const most = Math.max(...logits);
    const raised = logits.map((logit) => Math.exp(logit - most));
    const sum = raised.reduce((a, b) => a + b, 0);
    return raised.map((one) => one / sum);
  };
  const [before, after] = [await chances(own), await chances(model)];
  return before.reduce((sum, chance, i) => sum + Math.abs(chance - after[i]!), 0) / 2;
}

self.addEventListener("message", async ({ data: { id, question } }: MessageEvent<Asked>) => {
  const respond = (answered: Answered) => self.postMessage(answered);
  try {
    respond({ id, answer: await answer(question) });
  } catch (error) {
    respond({ id, error: String(error) });
  }
});
