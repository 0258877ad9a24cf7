import { knownNames } from "@qkv/core";
import type { Device } from "@qkv/tensor";
import { configFields, type ConfigFields } from "../architectures/config-fields.js";
import type { Activation } from "../layers/activation.js";
import type { Folder } from "../loading/folder.js";
import { requiredFile } from "../loading/folder.js";
import { readJson } from "../loading/read-json.js";
import { smallFiles } from "../loading/open-file.js";
import { safetensorsWeights } from "../loading/safetensors-weights.js";
import { fileWeights } from "../loading/weights.js";
import { denseModule } from "./modules/dense.js";
import { normalizeModule } from "./modules/normalize.js";
import { poolingModes, poolingModule, type PoolingMode } from "./modules/pooling.js";
import type { SentenceConfig, SentenceModule } from "../models/sentence-config.js";

/** Modules and prompts of a sentence-transformers folder; undefined for other folders. */
export async function readSentenceConfig(
  folder: Folder,
  device: Device | undefined,
): Promise<SentenceConfig | undefined> {
  const list = await folder.find("modules.json", smallFiles.configuration);
  if (!list) return undefined;
  const entries = await readJson(list, folder.reading.check);
  const modules: SentenceModule[] = [];
  for (const [i, entry] of (Array.isArray(entries) ? entries : [entries]).entries()) {
    const fields = configFields(entry, { ...list, name: `${list.name}[${i}]` });
    const kind = fields.text("type").split(".").at(-1)!;
    const path = fields.text("path", "");
    if (kind === "Transformer") {
      fields.mustBe("path", "");
      continue;
    }
    if (!Object.hasOwn(readers, kind)) {
      return fields.unsupported(
        "type",
        `a module of ${knownNames(kind, ["Transformer", ...Object.keys(readers)], "the reference of `loadEncoder`")}`,
      );
    }
    modules.push(await readers[kind as keyof typeof readers](folder, path, device));
  }
  const prompts = await optionalFields(folder, "config_sentence_transformers.json");
  const tokenization = await optionalFields(folder, "sentence_bert_config.json");
  const promptFields = prompts?.nested("prompts");
  const defaultPrompt = prompts?.text("default_prompt_name", "");
  const maxTokens = tokenization?.countOr(undefined, "max_seq_length");
  return {
    modules,
    prompts: Object.fromEntries(
      (promptFields?.unread(new Set()) ?? []).map((name) => [name, promptFields!.text(name)]),
    ),
    ...(defaultPrompt && { defaultPrompt }),
    ...(maxTokens !== undefined && { maxTokens }),
    ...(tokenization?.flag("do_lower_case", false) && { lowerCase: true }),
  };
}

async function optionalFields(folder: Folder, name: string): Promise<ConfigFields | undefined> {
  const file = await folder.find(name, smallFiles.configuration);
  return file && configFields(await readJson(file, folder.reading.check), file);
}

async function requiredFields(folder: Folder, path: string): Promise<ConfigFields> {
  const purpose = "what the module does, as modules.json names it";
  const file = await requiredFile(folder, `${path}/config.json`, purpose, smallFiles.configuration);
  return configFields(await readJson(file, folder.reading.check), file);
}

const readers = {
  async Pooling(folder: Folder, path: string): Promise<SentenceModule> {
    const fields = await requiredFields(folder, path);
    const includePrompt = fields.flag("include_prompt", true);
    return poolingModule(readModes(fields), { includePrompt, name: path });
  },
  async Dense(folder: Folder, path: string, device: Device | undefined): Promise<SentenceModule> {
    const fields = await requiredFields(folder, path);
    const [out, inner] = [fields.count("out_features"), fields.count("in_features")];
    const bias = fields.flag("bias", true);
    const name = fields.text("activation_function", "torch.nn.modules.activation.Tanh");
    const kind = name.split(".").at(-1)!;
    if (!Object.hasOwn(activations, kind)) {
      return fields.unsupported("activation_function", `a class of ${Object.keys(activations).join(", ")}`);
    }
    const file = await requiredFile(folder, `${path}/model.safetensors`, "the weights of the module");
    const weights = fileWeights(await safetensorsWeights(file), { ...(device && { device }) });
    const params = await weights.linear("linear", out, inner, { bias, float32: true });
    weights.finish(/^$/);
    const activation = activations[kind as keyof typeof activations];
    return denseModule(params, { name: path, ...(activation && { activation }) });
  },
  async Normalize(_folder: Folder, path: string): Promise<SentenceModule> {
    return normalizeModule(path);
  },
};

/** Activations by the last part of their Python names. */
const activations = {
  Identity: undefined,
  Tanh: "tanh",
  GELU: "gelu",
  ReLU: "relu",
  SiLU: "silu",
} as const satisfies Record<string, Activation | undefined>;

/** Boolean fields of the pooling modes. */
const modeFields: Record<PoolingMode, string> = {
  cls: "pooling_mode_cls_token",
  max: "pooling_mode_max_tokens",
  mean: "pooling_mode_mean_tokens",
  mean_sqrt_len: "pooling_mode_mean_sqrt_len_tokens",
  weightedmean: "pooling_mode_weightedmean_tokens",
  lasttoken: "pooling_mode_lasttoken",
};

/** Pooling modes, from `pooling_mode` or the boolean fields of older files. */
function readModes(fields: ConfigFields): readonly PoolingMode[] {
  if (fields.has("pooling_mode")) {
    const fileModes = fields.isList("pooling_mode")
      ? fields.list("pooling_mode")!
      : [fields.text("pooling_mode")];
    if (fileModes.every((mode) => poolingModes.includes(mode as PoolingMode)))
      return fileModes as PoolingMode[];
    const expected = `modes of ${poolingModes.join(", ")}`;
    const areNames = fileModes.every((mode) => typeof mode === "string");
    return areNames ? fields.unsupported("pooling_mode", expected) : fields.refuse("pooling_mode", expected);
  }
  const modes = poolingModes.filter((mode) => fields.flag(modeFields[mode], mode === "mean"));
  return modes.length > 0 ? modes : fields.refuse(modeFields.mean, "true, as no other mode is");
}
