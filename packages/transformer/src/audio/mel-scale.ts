/** Scales of pitch: Slaney's (linear up to 1000 Hz, then logarithmic), HTK's and Kaldi's (logarithms of other bases). */
export type MelScale = "slaney" | "htk" | "kaldi";

// Slaney's scale: 3 mels for 200 Hz up to 1000 Hz, which are 15 mels; above, 27 mels for each factor of 6.4.
const breakHertz = 1000;
const breakMels = 15;
const melsPerLog = 27 / /* @__PURE__ */ Math.log(6.4);

/** Mels of a frequency in Hz. */
export function hertzToMel(hertz: number, scale: MelScale): number {
  if (scale === "htk") return 2595 * Math.log10(1 + hertz / 700);
  if (scale === "kaldi") return 1127 * Math.log(1 + hertz / 700);
  return hertz < breakHertz ? (3 * hertz) / 200 : breakMels + Math.log(hertz / breakHertz) * melsPerLog;
}

/** The frequency of mels, in Hz. */
export function melToHertz(mels: number, scale: MelScale): number {
  if (scale === "htk") return 700 * (10 ** (mels / 2595) - 1);
  if (scale === "kaldi") return 700 * (Math.exp(mels / 1127) - 1);
  return mels < breakMels ? (200 * mels) / 3 : breakHertz * Math.exp((mels - breakMels) / melsPerLog);
}
