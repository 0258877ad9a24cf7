// Runs the model of the first page in a worker, so that the page stays responsive.
import { attentionCallModel, type AttentionCallModel, type AttentionCallOptions } from "@qkv/figures";
import type { Model } from "@qkv/transformer";
import { headAt, idsOf, lookAt, type HeadDetail, type Look } from "./look";
import { firstModel } from "./model";
import { ModelsByDevice } from "./models-by-device";
import type { Place } from "./place";

export type Question =
  | { type: "look"; text: string; kvHeads?: number | undefined; on: Place }
  | {
      type: "head";
      text: string;
      kvHeads?: number | undefined;
      on: Place;
      layer: number;
      head: number;
      query: number;
    }
  | ({ type: "call"; text: string; kvHeads?: number | undefined } & AttentionCallOptions);
export type LookAnswer = { look: Look; timeMs: number; drift: number; device: string; why: string };
export type Answer = LookAnswer | HeadDetail | AttentionCallModel;
export type Asked = { id: number; question: Question };
/** A response to a request; without a request, a notice that the device has changed. */
export type Answered = { id: number; answer?: Answer; error?: string } | { id?: undefined; device: string };

const models = new ModelsByDevice(firstModel, (device) => self.postMessage({ device } satisfies Answered));

async function answer(question: Question): Promise<Answer> {
  const { text, kvHeads } = question;
  if (question.type === "call") {
    const { head, mask, temperature } = question;
    const model = await models.onHost(kvHeads);
    return attentionCallModel(model, text, { head, mask, temperature } as AttentionCallOptions);
  }
  const { model, device, why } = await models.on(question.on, kvHeads);
  if (question.type === "head") return headAt(model, model.apply, idsOf(model, text), question);
  const start = performance.now();
  const look = await lookAt(model, model.apply, text);
  const timeMs = performance.now() - start;
  return { look, timeMs, drift: await driftOf(text, model, question.on), device, why };
}

/**
 * Total variation distance between the next-token probabilities and those of the trained model: 0 equal, 1 disjoint.
 */
async function driftOf(text: string, model: Model, on: Place): Promise<number> {
  const { model: own } = await models.on(on);
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
