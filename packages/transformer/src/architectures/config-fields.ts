import { checks, describeValue, FormatError } from "@qkv/core";
import type { Activation } from "../layers/activation.js";
import type { ReadFile } from "../loading/open-file.js";
import type { RopeScalingConfig } from "../models/rope-from-config.js";

/** The fields of a `config.json`. Each is checked when it is read, and fields that were never read can be listed. */
export type ConfigFields = {
  has(name: string): boolean;
  /** An integer of at least 1, from the first of these fields that is present. Throws if all are absent. */
  count(...names: string[]): number;
  /** `count` with a fallback if all fields are absent. */
  countOr<T>(fallback: T, ...names: string[]): number | T;
  /** A finite number. */
  number(name: string, fallback?: number): number;
  numberOr<T>(fallback: T, name: string): number | T;
  /** A finite number above 0, such as an epsilon, a rotary base or a scale. */
  positive(name: string, fallback?: number): number;
  positiveOr<T>(fallback: T, name: string): number | T;
  /** A boolean. */
  flag(name: string, fallback: boolean): boolean;
  list(name: string): readonly unknown[] | undefined;
  /** True if the field is a list, for fields that may be a list or a single value. */
  isList(name: string): boolean;
  /** True if the field is a number, for fields that may be a number or an object. */
  isNumber(name: string): boolean;
  /** A string. */
  text(name: string, fallback?: string): string;
  /** The fields of a nested object. */
  nested(name: string): ConfigFields | undefined;
  /** Refuses a field with another value than the only one that is implemented. An absent field is accepted. */
  mustBe(name: string, value: unknown): void;
  /** Refuses a field that contradicts other fields, from which its value follows. An absent field is accepted. */
  mustEqual(name: string, value: unknown): void;
  /** The same fields with defaults for absent ones. A field that is null stays absent. */
  withDefaults(defaults: Readonly<Record<string, unknown>>): ConfigFields;
  /** Throws an error about a damaged field: of the wrong kind, missing, or contradictory. */
  refuse(name: string, expected: string): never;
  /** Throws an error about a valid field whose value is not implemented. `supported`: the values that are. */
  unsupported(name: string, supported: string): never;
  /** Names of fields that were not read, nested ones included, without the ignored ones. */
  unread(ignored: ReadonlySet<string>): readonly string[];
  /**
   * Refuses fields that were not read, unless they are ignored: known not to affect the result. An unknown field might change
   * what the model computes, and the results would be silently wrong.
   */
  finish(ignored: ReadonlySet<string>): void;
};

/** The file of a configuration, for messages. `model`: the architecture, if the configuration has no `model_type`. */
export type ConfigFile = ReadFile & { readonly model?: string };

/** Reads a parsed `config.json`. A field that is null counts as absent. */
export function configFields(json: unknown, file: ConfigFile): ConfigFields {
  return objectFields(json, file, { names: new Set(), inner: new Map() });
}

/** Names of the fields that were read, and the nested objects. */
type ReadNames = { readonly names: Set<string>; readonly inner: Map<string, ConfigFields> };

function objectFields(json: unknown, file: ConfigFile, readNames: ReadNames): ConfigFields {
  const source = file.name;
  const fix = `correct the field, or download ${source.split(": ")[0]!} again: a part of it is missing, damaged or contradictory.`;
  const check = checks(file.fn, { fix }, FormatError);
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return check.refuse({ argument: source, received: json, expected: "a JSON object" });
  }
  const values = json as Record<string, unknown>;
  const model = values["model_type"] ?? file.model;
  const ofModel = typeof model === "string" ? ` for ${model}` : "";
  const readValue = (name: string) => {
    readNames.names.add(name);
    return Object.hasOwn(values, name) ? (values[name] ?? undefined) : undefined;
  };
  const refuse = (name: string, expected: string, fix?: string): never =>
    check.refuse({
      argument: `${source}: ${name}`,
      received: values[name],
      expected,
      ...(fix !== undefined && { fix }),
    });
  const unsupported = (name: string, supported: string): never => {
    const given = `${name}: ${describeValue(values[name])}`;
    return refuse(
      name,
      supported,
      `qkv does not implement \`${given}\`${ofModel}. Choose a model with a supported value.`,
    );
  };
  const present = <T>(value: T | undefined, name: string, expected: string): T => {
    return value ?? refuse(name, expected);
  };
  const fields: ConfigFields = {
    refuse,
    unsupported,
    has: (name) => readValue(name) !== undefined,
    count: (...names) => present(fields.countOr(undefined, ...names), names[0]!, "an integer, 1 or more"),
    countOr(fallback, ...names) {
      // All of the names are read, so that duplicates of a field under other names count as known.
      const [name] = names.filter((candidate) => readValue(candidate) !== undefined);
      if (name === undefined) return fallback;
      const value = readValue(name);
      if (!Number.isSafeInteger(value) || (value as number) < 1) return refuse(name, "an integer, 1 or more");
      return value as number;
    },
    number: (name, fallback) => present(fields.numberOr(fallback, name), name, "a finite number"),
    numberOr(fallback, name) {
      const value = readValue(name);
      if (value === undefined) return fallback;
      if (typeof value !== "number" || !Number.isFinite(value)) return refuse(name, "a finite number");
      return value;
    },
    positive: (name, fallback) => present(fields.positiveOr(fallback, name), name, "a finite number above 0"),
    positiveOr(fallback, name) {
      if (readValue(name) === undefined) return fallback;
      const value = fields.number(name);
      if (value <= 0) return refuse(name, "a finite number above 0");
      return value;
    },
    flag(name, fallback) {
      const value = readValue(name) ?? fallback;
      if (typeof value !== "boolean") return refuse(name, "true or false");
      return value;
    },
    list(name) {
      const value = readValue(name);
      if (value !== undefined && !Array.isArray(value)) return refuse(name, "a list");
      return value;
    },
    isList: (name) => Array.isArray(readValue(name)),
    isNumber: (name) => typeof readValue(name) === "number",
    text(name, fallback) {
      const value = readValue(name) ?? fallback;
      if (typeof value !== "string") return refuse(name, "a text");
      return value;
    },
    nested(name) {
      const value = readValue(name);
      if (value === undefined) return undefined;
      const known = readNames.inner.get(name);
      if (known) return known;
      const inner = configFields(value, {
        ...file,
        name: `${source}: ${name}`,
        ...(typeof model === "string" && { model }),
      });
      readNames.inner.set(name, inner);
      return inner;
    },
    mustBe(name, value) {
      const actual = readValue(name);
      if (actual === undefined || actual === value) return;
      const supported = JSON.stringify(value);
      return typeof actual === typeof value || (value ?? undefined) === undefined
        ? unsupported(name, supported)
        : refuse(name, supported);
    },
    mustEqual(name, value) {
      const actual = readValue(name);
      if (actual !== undefined && actual !== value)
        return refuse(name, `${JSON.stringify(value)}, as other fields say`);
    },
    withDefaults(defaults) {
      const present = Object.entries(values).filter(([, value]) => value !== undefined);
      return objectFields({ ...defaults, ...Object.fromEntries(present) }, file, readNames);
    },
    unread: (ignored) => [
      ...Object.entries(values).flatMap(([name, value]) =>
        readNames.names.has(name) || ignored.has(name) || (value ?? undefined) === undefined ? [] : [name],
      ),
      ...[...readNames.inner].flatMap(([name, inner]) =>
        inner.unread(ignored).map((field) => `${name}.${field}`),
      ),
    ],
    finish(ignored) {
      for (const [name, value] of Object.entries(values)) {
        if (readNames.names.has(name) || ignored.has(name) || (value ?? undefined) === undefined) continue;
        refuse(
          name,
          "no such field",
          `qkv does not know the field \`${name}\`${ofModel}. If the model computes the same without it, remove it from a copy of the file; otherwise, qkv does not implement this variant.`,
        );
      }
      for (const inner of readNames.inner.values()) inner.finish(ignored);
    },
  };
  return fields;
}

const activations: Readonly<Record<string, Activation>> = {
  silu: "silu",
  swish: "silu",
  gelu: "gelu",
  gelu_new: "geluTanh",
  gelu_pytorch_tanh: "geluTanh",
  gelu_fast: "geluTanh",
  relu: "relu",
  relu2: "reluSquared",
  quick_gelu: "quickGelu",
  tanh: "tanh",
  xielu: "xielu",
};

/** Names of activations in `config.json`. */
export const activationNames = {
  silu: "silu",
  gelu: "gelu",
  geluTanh: "gelu_pytorch_tanh",
  relu: "relu",
  reluSquared: "relu2",
  quickGelu: "quick_gelu",
  tanh: "tanh",
  xielu: "xielu",
} as const satisfies Record<Activation, string>;

/** The activation that a field names. */
export function activationField(fields: ConfigFields, name: string, fallback: string): Activation {
  const text = fields.text(name, fallback);
  if (Object.hasOwn(activations, text)) return activations[text]!;
  return fields.unsupported(name, Object.values(activationNames).join(", "));
}

/** The rotary base and its scaling, if any, from the older fields (`rope_theta`, `rope_scaling`) or the newer `rope_parameters`. */
export function ropeFields(
  fields: ConfigFields,
  {
    kind = "full_attention",
    base = 10000,
  }: { kind?: "full_attention" | "sliding_attention"; base?: number } = {},
): { ropeBase: number; ropeScaling?: RopeScalingConfig } {
  const parameters = fields.nested("rope_parameters");
  const kindParameters = parameters?.nested(kind) ?? parameters;
  // A file with older and newer fields must state the same base in both.
  const outerBase = fields.positiveOr(undefined, "rope_theta");
  if (kind === "full_attention" && outerBase !== undefined)
    kindParameters?.mustEqual("rope_theta", outerBase);
  // Files with parameters per layer type may repeat those of full layers outside of the types.
  if (kindParameters !== parameters && kind === "full_attention") {
    parameters?.mustEqual("rope_theta", kindParameters?.positiveOr(undefined, "rope_theta"));
    parameters?.mustEqual("rope_type", kindParameters?.text("rope_type", "default"));
  }
  const ropeBase = kindParameters?.positiveOr(undefined, "rope_theta") ?? outerBase ?? base;
  const scaling = kindParameters ?? fields.nested("rope_scaling");
  const ropeScaling = scaling && readRopeScaling(fields, scaling);
  return { ropeBase, ...(ropeScaling && { ropeScaling }) };
}

function readRopeScaling(fields: ConfigFields, scaling: ConfigFields): RopeScalingConfig | undefined {
  const key = scaling.has("rope_type") ? "rope_type" : "type";
  const type = scaling.text(key, "default");
  if (key === "rope_type") scaling.mustEqual("type", type);
  const originalLength = () => {
    const name = "original_max_position_embeddings";
    const outer = fields.countOr(undefined, name);
    if (outer !== undefined) scaling.mustEqual(name, outer);
    return scaling.countOr(undefined, name) ?? outer ?? fields.count("max_position_embeddings");
  };
  const optional = <K extends string>(names: Readonly<Record<K, string>>): Partial<Record<K, number>> =>
    Object.fromEntries(
      Object.entries<string>(names).flatMap(([key, field]) =>
        scaling.has(field) ? [[key, scaling.number(field)]] : [],
      ),
    ) as Partial<Record<K, number>>;
  switch (type) {
    case "default":
      return undefined;
    case "linear":
      return { type, factor: scaling.positive("factor") };
    case "dynamic":
      return { type, factor: scaling.positive("factor"), originalLength: originalLength() };
    case "yarn":
      return {
        type,
        factor: scaling.positive("factor"),
        originalLength: originalLength(),
        truncate: scaling.flag("truncate", true),
        ...optional({
          betaFast: "beta_fast",
          betaSlow: "beta_slow",
          attentionFactor: "attention_factor",
          mscale: "mscale",
          mscaleAllDim: "mscale_all_dim",
        }),
      };
    case "llama3":
      return {
        type,
        factor: scaling.positive("factor"),
        lowFactor: scaling.positive("low_freq_factor"),
        highFactor: scaling.positive("high_freq_factor"),
        originalLength: originalLength(),
      };
    case "longrope":
    case "su": {
      const factors = (name: string) => {
        const list = scaling.list(name);
        if (list?.every((value) => typeof value === "number" && value > 0 && value < Infinity))
          return list as readonly number[];
        return scaling.refuse(name, "a list of finite numbers above 0");
      };
      const trainedLength = originalLength();
      return {
        type: "longrope",
        shortFactors: factors("short_factor"),
        longFactors: factors("long_factor"),
        // Default factor: the extended context length over the original one.
        factor:
          scaling.positiveOr(undefined, "factor") ?? fields.count("max_position_embeddings") / trainedLength,
        originalLength: trainedLength,
        ...optional({ attentionFactor: "attention_factor" }),
      };
    }
    case "proportional": {
      const share = scaling.positive("partial_rotary_factor", 1);
      if (share > 1) return scaling.refuse("partial_rotary_factor", "a share of a head's pairs, at most 1");
      const factor = scaling.positive("factor", 1);
      return { type, share, ...(factor !== 1 && { factor }) };
    }
    default:
      return scaling.unsupported(key, "default, linear, dynamic, yarn, llama3, longrope, proportional");
  }
}

/** `layer_types`; undefined if the configuration does not list them. */
export function layerTypesField(fields: ConfigFields, numLayers: number): ("full" | "sliding")[] | undefined {
  const types = fields.list("layer_types")?.map((type) => {
    if (type === "full_attention") return "full";
    if (type === "sliding_attention") return "sliding";
    return fields.unsupported("layer_types", "a list of full_attention and sliding_attention");
  });
  if (types === undefined || types.length === numLayers) return types;
  return fields.refuse("layer_types", `a list of ${numLayers}, as num_hidden_layers says`);
}

/** Stop ids: one, or a list. */
export function stopIdsField(fields: ConfigFields, name = "eos_token_id"): number[] {
  if (!fields.has(name)) return [];
  const ids = (() => {
    try {
      return fields.list(name) ?? [];
    } catch {
      return [fields.number(name)];
    }
  })();
  if (ids.every((id) => Number.isSafeInteger(id))) return ids as number[];
  return fields.refuse(name, "a token id, or a list of them");
}
