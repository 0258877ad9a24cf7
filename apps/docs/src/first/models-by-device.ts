import { device, type BestDevice, type DeviceOptions } from "@qkv/device";
import { js, mapTensors, type Device } from "@qkv/tensor";
import { decoder, type Model } from "@qkv/transformer";
import { idsOf, withKvHeads } from "./look";
import type { Place } from "./place";
import { sentence } from "./sentence";

/** A model, the device of its weights, and the reason for that device. */
export type Placed = { readonly model: Model; readonly device: string; readonly why: string };

/** Timeout for opening the device that the reader has chosen. Unit: milliseconds. */
const timeoutMs = 60_000;

/**
 * The model of the first page on each requested device, with each number of key-value heads. Plain JavaScript is used until
 * the fastest device is found.
 */
export class ModelsByDevice {
  readonly #load: () => Promise<Model>;
  readonly #changed: (device: string) => void;
  readonly #open: (options: DeviceOptions) => Promise<BestDevice>;
  readonly #models = new Map<string, Promise<Model>>();
  readonly #chosen = new Map<Place, Promise<BestDevice>>();
  #fastest: Found | undefined;
  #finding: Promise<void> | undefined;

  /**
   * @param load - Loads the model, called once.
   * @param changed - Called when the fastest device was found, and when a faster one replaced it.
   */
  constructor(load: () => Promise<Model>, changed: (device: string) => void, open = device) {
    this.#load = load;
    this.#changed = changed;
    this.#open = open;
  }

  /** The model on plain JavaScript with this many key-value heads; by default its own number. */
  onHost(kvHeads?: number): Promise<Model> {
    return this.#remember(`host ${kvHeads ?? ""}`, async () => {
      if (kvHeads === undefined) return this.#load();
      const own = await this.onHost();
      const other = withKvHeads(own, kvHeads);
      return other === own ? own : { ...other, apply: decoder(other.config).apply };
    });
  }

  /** The model on a device. */
  async on(place: Place, kvHeads?: number): Promise<Placed> {
    if (place === "js") return { model: await this.onHost(kvHeads), device: "js", why: "you have chosen it" };
    if (place !== "fastest") {
      const best = await this.#choose(place, { prefer: [place, "js"], software: true, timeoutMs });
      const { name, attempts } = best.choice;
      const reason = attempts.find((one) => one.name === place)?.reason ?? "";
      return this.#placed(
        best,
        kvHeads,
        name === place ? "you have chosen it" : `${place} is not available: ${reason}`,
      );
    }
    if (!this.#fastest) {
      if (!this.#finding) this.#finding = this.#findFastest();
      return { model: await this.onHost(kvHeads), device: "js", why: "it is ready at once" };
    }
    return this.#placed(this.#fastest, kvHeads, this.#fastest.choice.why);
  }

  async #placed(best: Found, kvHeads: number | undefined, why: string): Promise<Placed> {
    const { name } = best.choice;
    const model = await this.#remember(`${name} ${kvHeads ?? ""}`, async () =>
      moved(await this.onHost(kvHeads), best),
    );
    return { model, device: name, why };
  }

  async #findFastest(): Promise<void> {
    const host = await this.onHost();
    const ids = idsOf(host, sentence);
    const take = (best: Found | undefined) => {
      if (!best) return;
      this.#fastest = best;
      this.#changed(best.choice.name);
      void best.better?.then(take);
    };
    const found = this.#choose("fastest", {
      // The workload of this page: its sentence through the model.
      work: (on) => {
        const { params } = moved(host, on);
        return () => host.apply(params, ids, { last: 1 });
      },
    });
    take(await found.catch(() => Object.assign(js(), { choice: nothingElse })));
  }

  #choose(place: Place, options: DeviceOptions): Promise<BestDevice> {
    return remembered(this.#chosen, place, () => this.#open(options));
  }

  #remember(key: string, make: () => Promise<Model>): Promise<Model> {
    return remembered(this.#models, key, make);
  }
}

/** A device and the reason for it: the best one, or plain JavaScript if none opens. */
type Found = Device & Pick<BestDevice, "choice" | "better">;

const nothingElse = { name: "js", why: "no other device opens here", attempts: [], remembered: false };

/** The model with its weights on a device. */
const moved = (model: Model, to: Device): Model => ({
  ...model,
  params: mapTensors(model.params, (weight) => weight.to(to)),
});

function remembered<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
