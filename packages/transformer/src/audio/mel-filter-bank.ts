import { checkDevice, checkFloat, checks } from "@qkv/core";
import { js, tensor, type Device, type Tensor } from "@qkv/tensor";
import { hertzToMel, melToHertz, type MelScale } from "./mel-scale.js";

/** Options of {@link melFilterBank}. */
export type MelFilterBankOptions = {
  /** Number of frequency bins, `fftLength / 2 + 1`: from 0 Hz to half the sample rate. */
  numBins: number;
  /** Number of filters: mel bands per frame. */
  numMels: number;
  /** Unit: Hz. Default 16000. */
  sampleRate?: number;
  /** Lower end of the first filter. Unit: Hz. Default 0. */
  minFrequency?: number;
  /** Upper end of the last filter. Unit: Hz. Default: half the sample rate. */
  maxFrequency?: number;
  /** Default `slaney`. */
  melScale?: MelScale;
  /** `slaney` (default): each filter has the area 1. `none`: each has the height 1. */
  norm?: "slaney" | "none";
  /** True: the triangles are linear in mels, as in Kaldi; false (default): linear in Hz. */
  triangularizeInMelSpace?: boolean;
  /** Default float32. */
  dtype?: "float32" | "float64";
  /** Default: the plain device. */
  device?: Device;
};

const names = [
  ...(["numBins", "numMels", "sampleRate", "minFrequency", "maxFrequency", "melScale", "norm"] as const),
  ...(["triangularizeInMelSpace", "dtype", "device"] as const),
];

/**
 * Triangular filters that sum the bins of a spectrum into bands that are equally spaced on the mel scale: a power
 * spectrogram `[frames, bins]` times the bank is a mel spectrogram.
 *
 * @param options - `numBins` and `numMels` are required; the others default to the values of Whisper's features.
 * @returns `[numBins, numMels]`
 * @throws {ArgumentError} If an option is out of range or unknown.
 * @see Slaney, "Auditory Toolbox" (1998); Young et al., "The HTK Book" (2006)
 *
 * @example
 * ```ts
 * import { melFilterBank } from "@qkv/transformer/audio";
 *
 * melFilterBank({ numBins: 201, numMels: 80 }).shape; // => [201, 80]
 * const bank = melFilterBank({ numBins: 5, numMels: 1, sampleRate: 8, norm: "none" });
 * bank.toNested(); // => [[0], [0.5], [1], [0.5], [0]]
 * ```
 */
export function melFilterBank(options: MelFilterBankOptions): Tensor {
  const check = checks("melFilterBank");
  const {
    numBins,
    numMels,
    sampleRate = 16000,
    minFrequency = 0,
    maxFrequency = sampleRate / 2,
    melScale = "slaney",
    norm = "slaney",
    triangularizeInMelSpace = false,
    dtype = "float32",
    device = js(),
  } = check.options(options, names);
  check.whole({ numBins }, { min: 2, unit: "bins", fix: "give `fftLength / 2 + 1`." });
  check.whole({ numMels }, { min: 1, unit: "filters" });
  check.finite({ sampleRate }, { above: 0, unit: "Hz" });
  check.finite({ minFrequency }, { min: 0, unit: "Hz" });
  check.finite({ maxFrequency }, { above: minFrequency, max: sampleRate / 2, unit: "Hz" });
  check.oneOf({ melScale }, ["slaney", "htk", "kaldi"]);
  check.oneOf({ norm }, ["slaney", "none"]);
  check.type({ triangularizeInMelSpace }, "boolean");
  checkFloat("melFilterBank", dtype);
  checkDevice("melFilterBank", device);

  const [low, high] = [hertzToMel(minFrequency, melScale), hertzToMel(maxFrequency, melScale)];
  const mels = Array.from({ length: numMels + 2 }, (_, i) => low + ((high - low) * i) / (numMels + 1));
  const hertz = mels.map((mel) => melToHertz(mel, melScale));
  const corners = triangularizeInMelSpace ? mels : hertz;
  const bank = new Float64Array(numBins * numMels); // [numBins, numMels]
  for (let bin = 0; bin < numBins; bin++) {
    const frequency = (bin * sampleRate) / 2 / (numBins - 1);
    const at = triangularizeInMelSpace ? hertzToMel(frequency, melScale) : frequency;
    for (let m = 0; m < numMels; m++) {
      const [left, peak, right] = [corners[m]!, corners[m + 1]!, corners[m + 2]!];
      const height = Math.max(0, Math.min((at - left) / (peak - left), (right - at) / (right - peak)));
      const scale = norm === "slaney" ? 2 / (corners[m + 2]! - corners[m]!) : 1;
      bank[bin * numMels + m] = height * scale;
    }
  }
  const shape = [numBins, numMels];
  return tensor(dtype === "float64" ? bank : Float32Array.from(bank), { shape, dtype, device });
}
