type FieldType = "u32" | "i32" | "f32";

/** Bytes of the parameters of one dispatch, the alignment of dynamic offsets. */
export const slotBytes = 256;

/**
 * The parameters (uniforms) of a dispatch and their declaration in WGSL. Both come from the same calls, so they always agree.
 */
export class Params {
  readonly words = new Uint32Array(slotBytes / 4);
  readonly #fields: string[] = [];
  readonly #floats = new Float32Array(this.words.buffer);

  u32(name: string, value: number): this {
    return this.#add(name, "u32", value);
  }

  i32(name: string, value: number): this {
    return this.#add(name, "i32", value);
  }

  f32(name: string, value: number): this {
    return this.#add(name, "f32", value);
  }

  /** A copy with other values for some parameters of type `u32`. */
  with(values: Readonly<Record<string, number>>): Params {
    const copy = new Params();
    copy.words.set(this.words);
    copy.#fields.push(...this.#fields);
    for (const [name, value] of Object.entries(values)) {
      const at = this.#fields.indexOf(`${name}: u32`);
      if (at < 0) throw new RangeError(`no parameter ${name} of type u32`);
      copy.words[at] = value;
    }
    return copy;
  }

  /** WGSL that declares `struct Params` and the uniform `p`. */
  get declaration(): string {
    return `struct Params { ${this.#fields.join(", ")} }
@group(0) @binding(0) var<uniform> p: Params;`;
  }

  /** True if another `count` parameters fit. */
  fits(count: number): boolean {
    return this.#fields.length + count <= this.words.length;
  }

  #add(name: string, type: FieldType, value: number): this {
    if (!this.fits(1)) throw new RangeError(`no room for the parameter ${name}`);
    if (type === "f32") this.#floats[this.#fields.length] = value;
    else this.words[this.#fields.length] = value;
    this.#fields.push(`${name}: ${type}`);
    return this;
  }
}
