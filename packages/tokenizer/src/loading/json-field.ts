import { describeValue, FormatError } from "@qkv/core";

const maxDepth = 100;

/** A value of a JSON file and its path, which errors name. */
export class JsonField {
  readonly value: unknown;
  readonly path: string;
  readonly #context: { fn: string; source: string };
  readonly #depth: number;

  constructor(value: unknown, context: { fn: string; source: string }, path = "", depth = 0) {
    this.value = value;
    this.path = path;
    this.#context = context;
    this.#depth = depth;
  }

  /** Reads a whole file. */
  static parse(text: string, context: { fn: string; source: string }): JsonField {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      const { fn, source } = context;
      const fix = "give the file as it was published; this one is cut short or of another format.";
      const received = text.length > 80 ? `${text.length} characters` : text;
      throw new FormatError({ fn, argument: source, received, expected: "JSON", fix, cause });
    }
    return new JsonField(value, context);
  }

  /** The field of this name; its value is undefined for a missing field, and so are fields of a missing field. */
  get(key: string): JsonField {
    const { value } = this;
    if (value !== undefined && value !== null && !isObject(value)) this.fail("an object");
    const child = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
    return this.#child(child, this.path === "" ? key : `${this.path}.${key}`);
  }

  /** Bounds the depth: readers of nested steps recurse. */
  #child(value: unknown, path: string): JsonField {
    if (this.#depth === maxDepth) this.fail(`at most ${maxDepth} lists and objects in each other`);
    return new JsonField(value, this.#context, path, this.#depth + 1);
  }

  get isMissing(): boolean {
    return this.value === undefined || this.value === null;
  }

  object(): Record<string, unknown> {
    return isObject(this.value) ? this.value : this.fail("an object");
  }

  list(): JsonField[] {
    if (!Array.isArray(this.value)) return this.fail("a list");
    return this.value.map((item: unknown, i) => this.#child(item, `${this.path}[${i}]`));
  }

  string(fallback?: string): string {
    if (this.isMissing && fallback !== undefined) return fallback;
    return typeof this.value === "string" ? this.value : this.fail("a text");
  }

  /** The value that a name stands for. */
  choice<T>(choices: Readonly<Record<string, T>>, fallback?: string): T {
    const name = this.string(fallback);
    return Object.hasOwn(choices, name) ? choices[name]! : this.unsupported(Object.keys(choices).join(", "));
  }

  boolean(fallback: boolean): boolean {
    if (this.isMissing) return fallback;
    return typeof this.value === "boolean" ? this.value : this.fail("true or false");
  }

  /** An integer, 0 or more. */
  count(fallback?: number): number {
    if (this.isMissing && fallback !== undefined) return fallback;
    const { value } = this;
    return typeof value === "number" && Number.isSafeInteger(value) && value >= 0
      ? value
      : this.fail("an integer, 0 or more");
  }

  /** Refuses a valid value that is not implemented. `supported`: the values that are, as a noun phrase. */
  unsupported(supported: string): never {
    const given = `${this.path}: ${describeValue(this.value)}`;
    return this.fail(
      supported,
      `qkv does not implement \`${given}\`. Take a tokenizer with a supported value.`,
    );
  }

  fail(
    expected: string,
    fix = "give the file as it was published; this one is damaged or of another format.",
  ): never {
    const { fn, source } = this.#context;
    const argument = this.path === "" ? source : `${source}: ${this.path}`;
    throw new FormatError({ fn, argument, received: this.value, expected, fix });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
