// Renders the last state of each figure as a static picture, and computes the data of figures that need no input.
// Prints JSON.
import {
  attentionCallExample,
  cachesAtWorkModel,
  encoderDecoderAttentionModel,
  evolutionModel,
  flashAttentionModel,
  generationModel,
  headConstructionsModel,
  headsAndKeysModel,
  linkedMatricesExample,
  modelStackModel,
  tokenizationModel,
  transformerBlockModel,
  writtenStateModel,
} from "@qkv/figures";
import { modelTiny } from "@qkv/model-tiny";
import { load } from "@qkv/transformer";
import { figureSvg } from "@qkv/viz/figures";
import { tableOf } from "@qkv/viz";
import { attentionCall } from "@qkv/viz/figures/attention-call";
import { cachesAtWork } from "@qkv/viz/figures/caches-at-work";
import { encoderDecoderAttention } from "@qkv/viz/figures/encoder-decoder-attention";
import { evolution } from "@qkv/viz/figures/evolution";
import { flashAttention } from "@qkv/viz/figures/flash-attention";
import { generation } from "@qkv/viz/figures/generation";
import { headConstructions } from "@qkv/viz/figures/head-constructions";
import { headsAndKeys } from "@qkv/viz/figures/heads-and-keys";
import { linkedMatrices } from "@qkv/viz/figures/linked-matrices";
import { modelStack } from "@qkv/viz/figures/model-stack";
import { tokenization } from "@qkv/viz/figures/tokenization";
import { transformerBlock } from "@qkv/viz/figures/transformer-block";
import { writtenState } from "@qkv/viz/figures/written-state";
import type { FigureName } from "./list";

const draw = {
  "attention-call": async () => {
    const model = await attentionCallExample();
    return (width: number) => figureSvg(attentionCall, model, { width });
  },
  "caches-at-work": async () => {
    const model = await cachesAtWorkModel(await load(await modelTiny()));
    return (width: number) => figureSvg(cachesAtWork, model, { width });
  },
  "encoder-decoder-attention": async () => {
    const model = await encoderDecoderAttentionModel();
    return (width: number) => figureSvg(encoderDecoderAttention, model, { width });
  },
  evolution: async () => {
    const model = evolutionModel();
    return (width: number) => figureSvg(evolution, model, { width });
  },
  "flash-attention": async () => {
    const model = flashAttentionModel();
    return (width: number) => figureSvg(flashAttention, model, { width });
  },
  generation: async () => {
    const model = await generationModel(await load(await modelTiny()));
    return (width: number) => figureSvg(generation, model, { width });
  },
  "head-constructions": async () => {
    const model = headConstructionsModel();
    return (width: number) => figureSvg(headConstructions, model, { width });
  },
  "heads-and-keys": async () => {
    const model = headsAndKeysModel();
    return (width: number) => figureSvg(headsAndKeys, model, { width });
  },
  "linked-matrices": async () => {
    const model = await linkedMatricesExample();
    return (width: number) => figureSvg(linkedMatrices, model, { width });
  },
  "model-stack": async () => {
    const model = await modelStackModel();
    return (width: number) => figureSvg(modelStack, model, { width });
  },
  tokenization: async () => {
    const model = await tokenizationModel();
    return (width: number) => figureSvg(tokenization, model, { width });
  },
  "transformer-block": async () => {
    const tiny = await load(await modelTiny());
    const model = await transformerBlockModel(tiny, transformerBlock.initial.text, {
      name: "our small model",
    });
    return (width: number) => figureSvg(transformerBlock, model, { width });
  },
  "written-state": async () => {
    const model = writtenStateModel();
    return (width: number) => figureSvg(writtenState, model, { width });
  },
} satisfies Record<FigureName, () => Promise<(width: number) => string>>;

const stills: Record<string, object> = {};
for (const [name, make] of Object.entries(draw)) {
  const svg = await make();
  const [wide, narrow] = [svg(1120), svg(360)];
  const { title, description } = tableOf(wide);
  stills[name] = { title, description, size: sizeOf(wide), narrowSize: sizeOf(narrow), wide, narrow };
}
console.log(JSON.stringify({ stills, models: { evolution: evolutionModel() } }));

/** Width and height of a picture in pixels, from its root element. */
function sizeOf(svg: string): { width: number; height: number } {
  const [, width, height] = /width="(\d+)" height="(\d+)"/.exec(svg)!;
  return { width: Number(width), height: Number(height) };
}
