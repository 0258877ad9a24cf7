import { check, print, show, slider } from "@qkv/page";
import { melFilterBank, whisperFeatures } from "@qkv/transformer/audio";
import { lines } from "@qkv/viz";

// A second of two tones at 16 kHz, as a microphone would give it.
const high = slider("second tone, in Hz", {
  min: 500,
  max: 7500,
  step: 250,
  value: 3000,
});
const sampleRate = 16000;
const tone = (hertz: number, loud: number) => (i: number) =>
  loud * Math.sin((2 * Math.PI * hertz * i) / sampleRate);
const sound = (loud: number) => {
  const [first, second] = [tone(400, loud), tone(high, loud / 4)];
  return Float32Array.from(
    { length: sampleRate },
    (_, i) => first(i) + second(i),
  );
};

const extractor = whisperFeatures();
const { features } = extractor.apply(sound(0.1), { padding: "longest" });
const [, mels, frames] = features.shape as [number, number, number];
const frame = (x: typeof features, t: number) =>
  Array.from({ length: mels }, (_, m) => x.data[m * frames + t]!);
const middle = frame(features, 50);
show(
  lines(
    { data: middle, shape: [mels] },
    {
      title: "one frame, 10 ms",
      xLabel: "mel band",
      yLabel: "feature",
    },
  ),
);
print(`${sampleRate} samples became ${frames} frames of ${mels} numbers`);

// The band whose filter lets most of a tone through.
const bank = melFilterBank({ numBins: 201, numMels: mels, norm: "none" });
const bandOf = (hertz: number) => {
  const bin = Math.round((hertz * 400) / sampleRate);
  const heights = Array.from(
    { length: mels },
    (_, m) => bank.data[bin * mels + m]!,
  );
  return heights.indexOf(Math.max(...heights));
};
const isPeak = (band: number) =>
  middle[band]! >= middle[band - 2]! &&
  middle[band]! >= (middle[band + 2] ?? -9);
check("both tones are peaks", isPeak(bandOf(400)) && isPeak(bandOf(high)));

const scaled = frame(
  extractor.apply(sound(1), { padding: "longest" }).features,
  50,
);
check(
  "ten times louder is 0.5 higher in every band",
  scaled.every((x, m) => Math.abs(x - middle[m]! - 0.5) < 1e-4),
);
